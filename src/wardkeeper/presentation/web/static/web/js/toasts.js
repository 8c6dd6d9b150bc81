// What the page says after a deed. Good news leaves by itself, bad news waits to be read.
const STAYS_MS = 7000;
const box = document.getElementById("toasts");

const leaveLater = (toast) => {
  if (toast.classList.contains("wk-toast-error") || toast.classList.contains("wk-toast-warning")) return;
  let timer = setTimeout(() => toast.remove(), STAYS_MS);
  toast.addEventListener("mouseenter", () => clearTimeout(timer));
  toast.addEventListener("mouseleave", () => {
    timer = setTimeout(() => toast.remove(), STAYS_MS);
  });
};

const show = (tone, words) => {
  const pattern = document.getElementById(`wk-toast-${tone}`) || document.getElementById("wk-toast-info");
  const toast = pattern.content.firstElementChild.cloneNode(true);
  if (words) toast.querySelector("p").textContent = words;
  box.append(toast);
  leaveLater(toast);
};

for (const toast of box.children) leaveLater(toast);

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-close-toast]");
  if (button) button.closest(".wk-toast").remove();
});
document.addEventListener("wk:toast", (event) => {
  for (const said of event.detail.said || []) show(said.tone, said.text);
});
document.addEventListener("htmx:responseError", (event) => {
  const { xhr, requestConfig } = event.detail;
  if (xhr.getResponseHeader("WK-Fragment") === "toast") {
    box.insertAdjacentHTML("beforeend", xhr.responseText);
  } else if (!requestConfig.headers["WK-Background"]) {
    show("failed");
  }
});
document.addEventListener("htmx:sendError", (event) => {
  if (!event.detail.requestConfig.headers["WK-Background"]) show("failed");
});
