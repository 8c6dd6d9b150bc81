// The report page: another place is one tap, a form is sent once however often it is tapped.
document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-place]");
  if (!choice) return;
  event.preventDefault();
  const form = choice.closest("form");
  form.elements.place.value = choice.dataset.place;
  form.querySelector(".wp-where > summary > span").textContent = choice.firstChild.textContent;
  choice.closest("details").open = false;
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-once]");
  if (!form) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  for (const button of form.querySelectorAll("[type=submit]")) button.setAttribute("aria-busy", "true");
  const draft = form.querySelector("[data-draft]");
  if (draft) window.sessionStorage.removeItem(`wk-draft:${draft.dataset.draft}`);
});

// Back from the next page: the form may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("[data-once]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[type=submit]")) button.removeAttribute("aria-busy");
  }
});
