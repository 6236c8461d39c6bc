/** Says what happens to those who listen instead of looking: in one polite region, and as much of it as they chose. */

import { storage } from "./marks.js";
import { t } from "./words.js";

// Goals within this moment are told in one sentence: a screen reader would drop the first of two.
const GATHER_MS = 250;
const TOLD_MOST = 4;

/** What is announced. @typedef {"all" | "mine" | "none"} Choice */

/** @returns {Choice} */
export function choice() {
  const kept = storage()?.getItem("announcer");
  return kept === "mine" || kept === "none" ? kept : "all";
}

/** @param {Choice} chosen heeded by all tabs from their next announcement on */
export function choose(chosen) {
  if (chosen === "all") storage()?.removeItem("announcer");
  else storage()?.setItem("announcer", chosen);
}

export class Announcer {
  /** @type {string[]} */ #news = [];
  #region;

  /** @param {Element} region with `aria-live` */
  constructor(region) {
    this.#region = region;
  }

  /**
   * @param {string} text
   * @param {boolean} isMine of what the reader has opened or pinned, or of the page itself
   */
  say(text, isMine) {
    const chosen = choice();
    if (chosen === "none" || (chosen === "mine" && !isMine)) return;
    this.#news.push(text);
    if (this.#news.length === 1) setTimeout(() => this.#tell(), GATHER_MS);
  }

  #tell() {
    const more = this.#news.length - TOLD_MOST;
    const told = this.#news.slice(0, TOLD_MOST).join(" ");
    this.#region.textContent = more > 0 ? `${told} ${t("And {n} more.", { n: more })}` : told;
    this.#news = [];
  }
}
