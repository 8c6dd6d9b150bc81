// The report page: another place is one tap.
document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-place]");
  if (!choice) return;
  event.preventDefault();
  const form = choice.closest("form");
  form.elements.place.value = choice.dataset.place;
  form.querySelector(".wp-where > summary > span").textContent = choice.firstChild.textContent;
  choice.closest("details").open = false;
});

// That a form goes only once is clicks.js's doing; here the reader sees that it goes.
document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-once]");
  if (!form || event.defaultPrevented) return;
  for (const button of form.querySelectorAll("[type=submit]")) button.setAttribute("aria-busy", "true");
  const draft = form.querySelector("[data-draft]");
  if (draft) window.sessionStorage.removeItem(`wk-draft:${draft.dataset.draft}`);
});

// Back from the next page.
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[data-once] [aria-busy]"))
    button.removeAttribute("aria-busy");
});
