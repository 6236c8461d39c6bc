/** What the two sides of a match have played before, and the aggregate of their tie (api/pages/tables.py). */

import { bdi } from "./bidi.js";
import { name, scoreText } from "./clock.js";
import { written } from "./days.js";
import { h } from "./dom.js";
import { pathOf } from "./places.js";
import { Failure, read } from "./read.js";
import { t } from "./words.js";

const MEETINGS_MOST = 5;

/** @typedef {import("./bodies.js").HeadToHead} HeadToHead */

export class Meetings {
  element = h("section", { class: "meetings", "aria-labelledby": "meetings-title", hidden: true });
  #shown = "";

  /**
   * @param {string} matchId
   * @param {AbortSignal} signal
   */
  constructor(matchId, signal) {
    this.path = `/api/matches/${encodeURIComponent(matchId)}/head-to-head`;
    this.signal = signal;
  }

  /** Read anew after a score, for the aggregate moves with it. What is shown stays where it cannot be. */
  async refresh() {
    try {
      this.#show(await read(this.path, this.signal));
    } catch (error) {
      if (!(error instanceof Failure) && !this.signal.aborted) throw error;
    }
  }

  /** @param {HeadToHead} body */
  #show(body) {
    const earlier = meetingsOf(body);
    const parts = [
      ...(hasAggregate(body.tie) ? [aggregate(body.tie)] : []),
      ...(earlier.length ? [balance(body), h("ul", {}, ...earlier.map(meeting))] : []),
    ];
    const panel = h("div", { class: "panel" }, ...parts);
    if (panel.outerHTML === this.#shown) return;
    this.#shown = panel.outerHTML;
    this.element.replaceChildren(h("h2", { id: "meetings-title" }, t("Head-to-head")), panel);
    this.element.hidden = !parts.length;
  }
}

/**
 * The last ones before this match.
 *
 * @param {Pick<HeadToHead, "match_id" | "matches">} body
 */
export function meetingsOf({ match_id: own, matches }) {
  return matches.filter(({ match_id: id }) => id !== own).slice(0, MEETINGS_MOST);
}

/**
 * Of one match, the score says it already.
 *
 * @param {HeadToHead["tie"]} tie
 * @returns {tie is import("./bodies.js").TieBody & {aggregate: number[]}}
 */
export function hasAggregate(tie) {
  return tie !== null && tie.matches.length > 1 && tie.aggregate !== null;
}

/** @param {import("./bodies.js").TieBody & {aggregate: number[]}} tie */
function aggregate({ teams, aggregate: goals }) {
  const [first, second] = teams.map((team) => bdi(name(team)));
  const figures = h("b", {}, goals.join("–"));
  return h("p", { class: "aggregate" }, `${t("Aggregate:")} `, first, " ", figures, " ", second);
}

/** @param {HeadToHead} body */
function balance({ home_team: home, away_team: away, home_wins: won, draws, away_wins: lost }) {
  return h(
    "p",
    { class: "balance" },
    h("span", {}, bdi(name(home)), " ", h("b", {}, String(won))),
    h("span", {}, t("Drawn"), " ", h("b", {}, String(draws))),
    h("span", {}, bdi(name(away)), " ", h("b", {}, String(lost))),
  );
}

/** @param {import("./bodies.js").Summary} match */
function meeting(match) {
  return h(
    "li",
    {},
    h(
      "a",
      { href: pathOf("match", match.match_id) },
      written(match.start_time),
      bdi(name(match.home_team)),
      h("b", {}, scoreText(match)),
      bdi(name(match.away_team)),
    ),
  );
}
