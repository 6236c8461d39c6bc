/** A team's badge: a shield in two colours and a monogram, all made from the name. No image is fetched. */

import { h } from "./dom.js";

// Words that are no part of what people call a club.
const COMMON = new Set([
  "fc",
  "cf",
  "afc",
  "sc",
  "ac",
  "as",
  "ss",
  "sv",
  "vfb",
  "vfl",
  "tsg",
  "fk",
  "sk",
  "bk",
  "if",
  "cd",
  "ud",
  "rc",
  "de",
  "of",
  "the",
]);

/**
 * Argentina → ARG, Saudi Arabia → SA, Paris Saint-Germain → PSG, 1. FC Köln → KÖL.
 *
 * @param {string | null} name
 */
export function monogram(name) {
  const words = (name ?? "").split(/[^\p{L}\p{N}]+/u).filter((word) => /\p{L}/u.test(word));
  const telling = words.filter((word) => !COMMON.has(word.toLowerCase()));
  const used = telling.length ? telling : words;
  if (!used.length) return "?";
  if (used.length > 1)
    return used
      .slice(0, 3)
      .map((word) => [...word][0])
      .join("")
      .toUpperCase();
  return [...used[0]].slice(0, 3).join("").toUpperCase();
}

/**
 * Two neighbouring hues (degrees), the same on every device.
 *
 * @param {string | null} name
 * @returns {[number, number]}
 */
export function hues(name) {
  let hash = 2_166_136_261;
  for (const letter of name ?? "") hash = Math.imul(hash ^ Number(letter.codePointAt(0)), 16_777_619) >>> 0;
  const first = hash % 360;
  return [first, (first + 25 + ((hash >>> 9) % 40)) % 360];
}

/** @param {string | null} name */
export function badge(name) {
  const element = h("span", { class: "badge", "aria-hidden": "true" });
  setBadge(element, name);
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {string | null} name
 */
export function setBadge(element, name) {
  const letters = monogram(name);
  if (element.dataset.name === name) return;
  const [first, second] = hues(name);
  element.dataset.name = name ?? "";
  element.dataset.letters = String([...letters].length);
  element.textContent = letters;
  element.style.setProperty("--hue", String(first));
  element.style.setProperty("--hue-2", String(second));
}
