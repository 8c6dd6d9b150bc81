// The keyboard. Elements say which key is theirs: data-key="a" is clicked (a field is focused),
// data-key="g w" is a sequence. The current line goes first, then the preview, then the page.
const WAIT_MS = 900;
let first = "";
let timer = 0;

const isTyping = (target) => target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.nodeName);
const isSeen = (element) => element.getClientRects().length > 0 && !element.disabled;

const owner = (key) => {
  const here = document.querySelector("dialog[open]") || document;
  const found = [...here.querySelectorAll("[data-key]")].filter((at) => at.dataset.key === key);
  const near = (place) => found.find((at) => at.closest(place) && isSeen(at));
  return near(".wk-current") || near("[data-preview]") || found.find(isSeen);
};

const press = (element) => {
  if (isTyping(element)) {
    element.focus();
    if (element.select) element.select();
  } else {
    element.click();
    const field = element.nodeName === "SUMMARY" && element.parentElement.querySelector("a, button");
    if (field && element.parentElement.open) field.focus();
  }
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) {
    const form = event.target.closest?.("form[data-send-key]");
    if (event.key === "Enter" && event.ctrlKey && form) {
      event.preventDefault();
      form.querySelector("[type=submit], button:not([type=button])").click();
    }
    return;
  }
  if (isTyping(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const key = event.key;
  const element = (first && owner(`${first} ${key}`)) || owner(key);
  clearTimeout(timer);
  first = "";
  if (element) {
    event.preventDefault();
    press(element);
    return;
  }
  if (key.length === 1 && document.querySelector(`[data-key^="${CSS.escape(key)} "]`)) {
    first = key;
    timer = setTimeout(() => {
      first = "";
    }, WAIT_MS);
    return;
  }
  document.dispatchEvent(new CustomEvent("wk:key", { detail: { key, event } }));
});
