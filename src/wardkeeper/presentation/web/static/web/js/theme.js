// Before the first paint, so that a dark page does not flash white. Light, dark, or like the system.
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const wish = () => {
    try {
      return localStorage.getItem("wk-theme") || "auto";
    } catch {
      return "auto"; // storage is off: the system decides
    }
  };
  const apply = () => {
    const chosen = wish();
    root.dataset.bsTheme = chosen === "dark" || (chosen === "auto" && dark.matches) ? "dark" : "light";
    root.dataset.themeWish = chosen;
    document.dispatchEvent(new CustomEvent("wk:theme"));
  };
  root.classList.add("wk-has-script");
  apply();
  if (dark.addEventListener) dark.addEventListener("change", apply);
  window.addEventListener("storage", apply);
  document.addEventListener("wk:theme-wish", (event) => {
    try {
      localStorage.setItem("wk-theme", event.detail);
    } catch {
      root.dataset.bsTheme = event.detail === "dark" ? "dark" : "light";
      return;
    }
    apply();
  });
})();
