/**
 * The page's words in the reader's language. English is in the code; the others are files of their own, by the English
 * text. theme.js chooses the language before the first paint.
 *
 * @module
 */

const root = globalThis.document?.documentElement;

/** As BCP 47 has it: `pt-BR`. */
export const language = root?.lang || "en";

/** For dates and times: the reader's own manner where it is of the same language. @type {string | undefined} */
export const locale = root && (navigator.languages.find((tag) => base(tag) === base(language)) ?? language);

/** @type {Record<string, string>} */
let texts = {};

/** @type {Promise<void> | null} */
let loading = null;

/** Before anything is shown; read once, whoever asks. Without the file the page is in English. */
export function loadWords() {
  return (loading ??= readWords());
}

async function readWords() {
  if (language === "en") return;
  try {
    const answer = await fetch(new URL(`words-${language}.json`, import.meta.url));
    if (answer.ok) texts = await answer.json();
  } catch {
    // The network has gone: the scores are more important than their language.
  }
}

/**
 * @param {string} text in English, with the names of values in braces
 * @param {Record<string, string | number>} [values]
 */
export function t(text, values = {}) {
  let said = texts[text] ?? text;
  for (const [name, value] of Object.entries(values)) said = said.replace(`{${name}}`, () => String(value));
  return said;
}

/** What the server wrote in English around the view: each element with `data-words` names what to translate. */
export function translateShell() {
  if (language === "en") return;
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-words]"))) {
    for (const name of (element.dataset.words ?? "").split(" ")) {
      if (name === "text") element.textContent = t((element.textContent ?? "").trim());
      else element.setAttribute(name, t(element.getAttribute(name) ?? ""));
    }
  }
}

/**
 * A choice is remembered and shown at once.
 *
 * @param {HTMLElement} list of a button for each language
 */
export function offerLanguages(list) {
  for (const button of list.querySelectorAll("button")) {
    if (button.value === language) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => chooseLanguage(button.value));
  }
}

/** @param {string} tag one of those in the document's `data-languages` */
export function chooseLanguage(tag) {
  try {
    localStorage.setItem("language", tag);
  } catch {
    // Storage may be forbidden; then the browser's own language stays.
  }
  location.reload();
}

/** @param {string} tag */
function base(tag) {
  return tag.split("-")[0];
}
