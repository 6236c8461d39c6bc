/** One match as a row of a list. Made once, then patched: only what differs is written. */

import { badge, setBadge } from "./badge.js";
import { bdi } from "./bidi.js";
import { clockText, name, statusText, winner } from "./clock.js";
import { h, setAttribute, setText } from "./dom.js";
import { scored } from "./goals.js";
import { pathOf } from "./places.js";
import { redCards, scorerLines, sentOff, setRedCards, setScorers } from "./scoreline.js";

// As long as the highlight of style.css takes.
const HIGHLIGHT_MS = 6_000;

/** @type {import("./bodies.js").Side[]} */
const SIDES = ["home", "away"];

/** @typedef {import("./bodies.js").Side} Side */
/** @typedef {import("./bodies.js").Summary} Summary */

export class Row {
  /** The list it stands in now. @type {import("./lists.js").Group | null | undefined} */
  group = null;
  /** Its place in that list. @type {string} */
  order = "";
  /** Ends the highlight. @type {number | undefined} */
  timer;

  /**
   * @param {Summary} match
   * @param {number} now ms since the epoch
   */
  constructor(match, now) {
    this.clock = h("span", { class: "clock" });
    this.words = h("span", { class: "hidden" });
    this.sides = { home: side("home"), away: side("away") };
    const { home, away } = this.sides;
    this.link = h(
      "a",
      { class: "row", href: pathOf("match", match.match_id) },
      this.clock,
      ...home.parts,
      ...away.parts,
      this.words,
    );
    this.element = h("li", { "data-id": match.match_id }, this.link);
    this.match = match;
    this.#patch(now);
  }

  /**
   * Takes a newer body; an older or the same one changes nothing.
   *
   * @param {Summary} match
   * @param {number} now ms since the epoch
   * @returns what was scored between the two, null if nothing was (see goals.js)
   */
  update(match, now) {
    if (match.version <= this.match.version) return null;
    const news = scored(this.match, match);
    this.match = match;
    this.#patch(now);
    if (news) this.#highlight(news);
    return news;
  }

  /**
   * A second later: only the clock can have changed.
   *
   * @param {number} now ms since the epoch
   */
  tick(now) {
    const text = clockText(this.match, now);
    if (text === this.clock.textContent) return;
    this.clock.textContent = text;
    setText(this.words, inWords(this.match, now));
  }

  /** @param {number} now ms since the epoch */
  #patch(now) {
    const { match } = this;
    const won = winner(match);
    setAttribute(this.link, "data-phase", match.phase);
    setText(this.clock, clockText(match, now));
    for (const at of SIDES) {
      const parts = this.sides[at];
      const team = match[`${at}_team`];
      setText(parts.name, name(team));
      setBadge(parts.badge, team?.name ?? null);
      setText(parts.score, points(match, at));
      setRedCards(parts.redCards, sentOff(match.cards, at));
      setScorers(parts.scorers, scorerLines(match.scorers, at));
      setText(parts.kicks, match.shootout ? `(${match.shootout[at]})` : "");
      setAttribute(parts.name, "data-lost", won && won !== at ? "" : null);
      setAttribute(parts.score, "data-lost", won && won !== at ? "" : null);
    }
    setText(this.words, inWords(match, now));
  }

  /** @param {import("./goals.js").News} news */
  #highlight({ kind, side: at }) {
    clearTimeout(this.timer);
    this.link.dataset.scored = kind;
    for (const [name, parts] of Object.entries(this.sides))
      setAttribute(parts.score, "data-new", !at || at === name ? "" : null);
    this.timer = setTimeout(() => {
      delete this.link.dataset.scored;
      for (const parts of Object.values(this.sides)) parts.score.removeAttribute("data-new");
    }, HIGHLIGHT_MS);
  }
}

/** @param {Side} at */
function side(at) {
  const made = {
    badge: badge(null),
    name: bdi("", { class: "name" }),
    kicks: h("span", { class: "kick-score" }),
    score: h("span", { class: "score" }),
    redCards: redCards(),
    scorers: h("span", { class: `scorers ${at}` }),
  };
  const team = h("span", { class: `team ${at}` }, made.badge, made.name, made.redCards);
  return { ...made, parts: [team, h("span", { class: `points ${at}` }, made.kicks, made.score), made.scorers] };
}

/**
 * For those who do not see the page: what an abbreviation such as ET HT stands for.
 *
 * @param {Summary} match
 * @param {number} now ms since the epoch
 */
function inWords(match, now) {
  const words = statusText(match, now);
  return match.phase === "scheduled" || words === clockText(match, now) ? "" : words;
}

/**
 * – until it is known, and nothing before the start.
 *
 * @param {Summary} match
 * @param {Side} at
 */
function points({ phase, home_score: home, away_score: away }, at) {
  if (home === null || away === null) return phase === "live" || phase === "break" || phase === "finished" ? "–" : "";
  return String(at === "home" ? home : away);
}
