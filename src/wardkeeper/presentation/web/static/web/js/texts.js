// The page's words, in the reader's language, from the <template id="wk-texts">.
const source = document.getElementById("wk-texts");

export const text = (name, values = {}) => {
  const pattern = source?.getAttribute(`data-${name}`) || "";
  return pattern.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? values[key] : whole));
};
