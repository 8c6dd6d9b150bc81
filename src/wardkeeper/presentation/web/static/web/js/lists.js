// Lists: j and k move, Enter opens, x selects; filters send themselves; the bar for what is selected.
import { text } from "./texts.js";

const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.getClientRects().length);
const current = () => document.querySelector("[data-row].wk-current");
let currentId = "";

const choose = (row, { scroll = true } = {}) => {
  if (!row) return;
  const before = current();
  if (before) {
    before.classList.remove("wk-current");
    before.removeAttribute("aria-current");
  }
  row.classList.add("wk-current");
  row.setAttribute("aria-current", "true");
  currentId = row.dataset.row;
  if (scroll) row.scrollIntoView({ block: "nearest" });
  const preview = row.closest("[data-previews]");
  if (preview && row.dataset.preview && window.htmx) {
    window.htmx.ajax("GET", row.dataset.preview, { target: preview.dataset.previews, swap: "innerHTML" });
  }
};

const step = (by) => {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  choose(all[Math.min(Math.max(at + by, 0), all.length - 1)] || all[0]);
};

const open = (row) => {
  const link = row?.querySelector("a[href]");
  if (link) link.click();
};

document.addEventListener("wk:key", ({ detail: { key, event } }) => {
  if (document.querySelector("dialog[open]")) return;
  if (key === "j" || key === "ArrowDown") {
    if (!rows().length) return;
    event.preventDefault();
    step(1);
  } else if (key === "k" || key === "ArrowUp") {
    if (!rows().length) return;
    event.preventDefault();
    step(-1);
  } else if (key === "Enter" && event.target === document.body) {
    open(current());
  } else if (key === "x") {
    const box = current()?.querySelector(".wk-pick input");
    if (box) box.click();
  }
});

document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-row]");
  if (row && !event.target.closest("a, button, input, label, summary, select"))
    choose(row, { scroll: false });
});

// A refetched list keeps the line the reader stands on, and marks what is new.
document.addEventListener("htmx:beforeSwap", (event) => {
  const list = event.detail.target;
  if (list?.matches?.("[data-live]")) {
    list.wkKnown = new Set([...list.querySelectorAll("[data-row]")].map((row) => row.dataset.row));
    list.wkPicked = new Set([...list.querySelectorAll(".wk-pick input:checked")].map((box) => box.value));
  }
});
document.addEventListener("htmx:afterSettle", (event) => {
  const list = event.target;
  if (!list.wkKnown) return;
  for (const row of list.querySelectorAll("[data-row]")) {
    if (!list.wkKnown.has(row.dataset.row)) row.classList.add("wk-fresh");
    if (row.dataset.row === currentId) row.classList.add("wk-current");
  }
  for (const box of list.querySelectorAll(".wk-pick input")) {
    if (list.wkPicked.has(box.value)) box.checked = true;
  }
  list.wkKnown = null;
  showPicked();
});

const showPicked = () => {
  for (const bar of document.querySelectorAll("[data-bulk-bar]")) {
    const form = bar.closest("form");
    const picked = form.querySelectorAll(".wk-pick input[name]:checked").length;
    bar.hidden = picked === 0;
    bar.querySelector("[data-bulk-count]").textContent = text("selected", { n: picked });
    const all = form.querySelector("[data-pick-all]");
    if (all) {
      const boxes = form.querySelectorAll(".wk-pick input[name]").length;
      all.checked = picked > 0 && picked === boxes;
      all.indeterminate = picked > 0 && picked < boxes;
    }
  }
};

document.addEventListener("change", (event) => {
  const { target } = event;
  if (target.matches("[data-pick-all]")) {
    for (const box of target.closest("form").querySelectorAll(".wk-pick input[name]"))
      box.checked = target.checked;
  }
  if (target.closest(".wk-pick")) showPicked();
  const form = target.closest("form[data-auto-submit]");
  if (form && target.nodeName === "SELECT") {
    // Empty filters would only make the address longer.
    for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
    form.submit();
  }
});
document.addEventListener("click", (event) => {
  const clear = event.target.closest("[data-bulk-clear]");
  if (!clear) return;
  for (const box of clear.closest("form").querySelectorAll(".wk-pick input")) box.checked = false;
  showPicked();
});
