/** A team's badge: a shield in two colours and a monogram, all made from the name. No image is fetched. */

import { h } from "./dom.js";

const HUES = 36;
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
 * One of HUES, the same on every device and at the server (api/pages/badge.py). colours.css has the colours.
 *
 * @param {string | null} name
 */
export function hue(name) {
  let hash = 2_166_136_261;
  for (const letter of name ?? "") hash = Math.imul(hash ^ Number(letter.codePointAt(0)), 16_777_619) >>> 0;
  return hash % HUES;
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
  element.dataset.name = name ?? "";
  element.dataset.letters = String([...letters].length);
  element.textContent = letters;
  element.dataset.hue = String(hue(name));
}
