/**
 * Names beside figures. In one line with a name that is read from right to left, 1–0 would be drawn as 0–1, for a
 * figure takes the direction of what stands around it (Unicode Standard Annex 9). An isolated name has no say in that.
 */

import { h } from "./dom.js";

// Hebrew, Arabic and all other scripts from right to left stand in these ranges (Unicode, DerivedBidiClass.txt).
const RIGHT_TO_LEFT = /[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const FIRST_STRONG_ISOLATE = "\u2068";
const POP_DIRECTIONAL_ISOLATE = "\u2069";

/**
 * In a plain string, such as a title: marked if it needs it.
 *
 * @param {string} text
 */
export function isolate(text) {
  return RIGHT_TO_LEFT.test(text) ? FIRST_STRONG_ISOLATE + text + POP_DIRECTIONAL_ISOLATE : text;
}

/**
 * In an element: its own direction, and none for its neighbours.
 *
 * @param {string} text
 * @param {Record<string, unknown>} [attributes]
 */
export function bdi(text, attributes = {}) {
  return h("bdi", attributes, text);
}
