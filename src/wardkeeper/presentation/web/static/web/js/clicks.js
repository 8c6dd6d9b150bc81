// Menus that close, dialogs that open, the theme, and dead ends avoided.
const root = document.documentElement;

const showTheme = () => {
  for (const button of document.querySelectorAll("[data-theme-set]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeSet === root.dataset.themeWish));
  }
};
showTheme();
document.addEventListener("wk:theme", showTheme);

export const openDialog = (dialog) => {
  if (!dialog || dialog.open) return;
  // Before Chrome 37 or with a polyfill missing, the attribute alone shows it.
  if (dialog.showModal) dialog.showModal();
  else dialog.setAttribute("open", "");
};

export const closeDialog = (dialog) => {
  if (dialog.close) dialog.close();
  else dialog.removeAttribute("open");
};

document.addEventListener("click", (event) => {
  const { target } = event;
  for (const menu of document.querySelectorAll("details.wk-menu[open]")) {
    if (!menu.contains(target)) menu.removeAttribute("open");
  }
  const theme = target.closest("[data-theme-set]");
  if (theme) {
    document.dispatchEvent(new CustomEvent("wk:theme-wish", { detail: theme.dataset.themeSet }));
    theme.closest("details").removeAttribute("open");
  }
  const opener = target.closest("[data-open-dialog]");
  if (opener) openDialog(document.getElementById(opener.dataset.openDialog));
  const closer = target.closest("[data-close-dialog]");
  if (closer) closeDialog(closer.closest("dialog"));
  // A click on the backdrop lands on the dialog itself.
  if (target.nodeName === "DIALOG") {
    const box = target.getBoundingClientRect();
    const inside =
      event.clientX >= box.left &&
      event.clientX <= box.right &&
      event.clientY >= box.top &&
      event.clientY <= box.bottom;
    if (!inside) closeDialog(target);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.wk-menu[open]");
  if (menu) {
    menu.removeAttribute("open");
    menu.querySelector("summary").focus();
  }
});

// A part that a fragment brought may be a dialog that wants to be seen.
document.addEventListener("htmx:afterSwap", (event) => {
  for (const dialog of event.target.querySelectorAll("dialog[data-show]")) openDialog(dialog);
});
document.addEventListener("wk:close-dialogs", () => {
  for (const dialog of document.querySelectorAll("dialog[open]")) closeDialog(dialog);
});

// Two quick clicks must not send a form twice.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 5000);
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
