// What somebody types is kept until it was sent: data-draft="record:12" names it.
const KEEP = "wk-draft:";
const store = window.sessionStorage;

const restore = (root) => {
  for (const field of root.querySelectorAll("textarea[data-draft], input[data-draft]")) {
    const kept = store.getItem(KEEP + field.dataset.draft);
    if (kept && !field.value) field.value = kept;
  }
};

document.addEventListener("input", (event) => {
  const name = event.target.dataset?.draft;
  if (!name) return;
  if (event.target.value) store.setItem(KEEP + name, event.target.value);
  else store.removeItem(KEEP + name);
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful || event.detail.requestConfig.verb === "get") return;
  for (const field of event.detail.elt.querySelectorAll
    ? event.detail.elt.querySelectorAll("[data-draft]")
    : []) {
    store.removeItem(KEEP + field.dataset.draft);
    field.value = "";
  }
});
document.addEventListener("htmx:afterSettle", (event) => restore(event.target));
restore(document);
