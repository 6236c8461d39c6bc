/* Light or dark, and the language: the system's choice until the reader makes one. Loaded before the first paint, so no
   module: a page that turns around afterwards would jump. */
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const remember = (/** @type {string} */ name, /** @type {string | undefined} */ value) => {
    try {
      if (value) localStorage.setItem(name, value);
      return localStorage.getItem(name);
    } catch {
      // Storage may be forbidden; the choice then lasts as long as the page.
      return value;
    }
  };
  const current = () => root.dataset.theme || (dark.matches ? "dark" : "light");
  const paint = () => {
    for (const meta of /** @type {NodeListOf<HTMLMetaElement>} */ (document.querySelectorAll("meta[name=theme-color]")))
      meta.content = current() === "dark" ? "#10151b" : "#f5f6f4";
    for (const button of document.querySelectorAll(".theme"))
      button.setAttribute("aria-pressed", String(current() === "dark"));
  };

  const chosen = remember("theme", undefined);
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  root.classList.add("js");
  dark.addEventListener("change", paint);
  document.addEventListener("DOMContentLoaded", () => {
    paint();
    for (const button of document.querySelectorAll(".theme")) {
      button.addEventListener("click", () => {
        root.dataset.theme = current() === "dark" ? "light" : "dark";
        remember("theme", root.dataset.theme);
        paint();
      });
    }
  });

  // None on a page that is in English alone. `pt-PT` is `pt` where there is no page of its own.
  const languages = (root.dataset.languages || "en").split(" ");
  const known = (/** @type {string} */ tag) =>
    languages.find((one) => one.toLowerCase() === tag.toLowerCase()) || languages.find((one) => one === tag.split("-")[0]);
  const wanted = [remember("language", undefined) || "", ...navigator.languages];
  root.lang = wanted.map(known).find(Boolean) || "en";
  root.dir = root.lang === "ar" ? "rtl" : "ltr";
})();
