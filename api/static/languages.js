/** Languages that alerts are written in. Pure. */

/** By their own names. @type {Record<string, string>} */
export const LANGUAGES = {
  ar: "العربية",
  de: "Deutsch",
  en: "English",
  es: "Español",
  "es-419": "Español (Latinoamérica)",
  fr: "Français",
  it: "Italiano",
  nl: "Nederlands",
  pl: "Polski",
  pt: "Português",
  "pt-BR": "Português (Brasil)",
  tr: "Türkçe",
};

/**
 * The one for a reader's locale: de-AT reads de, es-MX es-419, and whom nothing is written for en.
 *
 * @param {string} locale BCP 47, or with underscores
 */
export function languageOf(locale) {
  const tags = locale.replaceAll("_", "-").split("-");
  const exact = Object.keys(LANGUAGES).find((known) => known.toLowerCase() === tags.join("-").toLowerCase());
  if (exact) return exact;
  const language = tags[0].toLowerCase();
  if (language === "es" && tags.length > 1 && tags[1].toUpperCase() !== "ES") return "es-419";
  return language in LANGUAGES ? language : "en";
}
