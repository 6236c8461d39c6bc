/* Light or dark: the system's choice until the reader makes one. Loaded before the first paint, so no module. */
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const remember = (/** @type {string | undefined} */ theme) => {
    try {
      if (theme) localStorage.setItem("theme", theme);
      return localStorage.getItem("theme");
    } catch {
      // Storage may be forbidden; the choice then lasts as long as the page.
      return theme;
    }
  };
  const current = () => root.dataset.theme || (dark.matches ? "dark" : "light");
  const paint = () => {
    for (const meta of /** @type {NodeListOf<HTMLMetaElement>} */ (document.querySelectorAll("meta[name=theme-color]")))
      meta.content = current() === "dark" ? "#10151b" : "#f5f6f4";
    for (const button of document.querySelectorAll(".theme"))
      button.setAttribute("aria-pressed", String(current() === "dark"));
  };

  const chosen = remember(undefined);
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  dark.addEventListener("change", paint);
  document.addEventListener("DOMContentLoaded", () => {
    paint();
    for (const button of document.querySelectorAll(".theme")) {
      button.addEventListener("click", () => {
        root.dataset.theme = current() === "dark" ? "light" : "dark";
        remember(root.dataset.theme);
        paint();
      });
    }
  });
})();
