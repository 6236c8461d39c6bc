/** A match on top of a phone's lock screen: a Live Activity of iOS, a Live Update of Android. */

import { bdi } from "./bidi.js";
import { h, setText } from "./dom.js";

/**
 * A goal or card in the state of a Live Activity.
 *
 * @typedef {object} Mark
 * @property {"home" | "away"} team
 * @property {string | null} player
 * @property {number | null} minute
 * @property {number | null} added_minute
 * @property {string} event_type
 */

/**
 * A Live Activity, or a Live Update of Android: what it was started with, what it shows now, and whether it has ended.
 *
 * @typedef {object} Activity
 * @property {string} id
 * @property {boolean} ended
 * @property {{home_team: string, away_team: string, competition?: string | null}} attributes
 * @property {{home_score: number | null, away_score: number | null, scorers?: Mark[], cards?: Mark[]}} state
 */

/**
 * Goals and red cards of a side, one a line: "Messi 23'".
 *
 * @param {Activity["state"]} state
 * @param {"home" | "away"} side
 */
export function marksOf({ scorers = [], cards = [] }, side) {
  const lines = [...scorers.map((mark) => line(mark, "")), ...cards.map((mark) => line(mark, "🟥"))];
  return [...scorers, ...cards].flatMap(({ team }, n) => (team === side ? [lines[n]] : [])).join("\n");
}

/**
 * @param {Mark} mark
 * @param {string} before
 */
function line({ player, minute, added_minute, event_type }, before) {
  const at = minute === null ? null : `${minute}${added_minute ? `+${added_minute}` : ""}'`;
  const note = { penalty_goal: "(P)", own_goal: "(OG)" }[event_type];
  return [before, player, at, note].filter(Boolean).join(" ");
}

/** A match from kick-off to an hour after its end, above the notifications. */
export class LiveActivity {
  constructor() {
    this.competition = bdi("");
    this.home = h("span", { dir: "auto" });
    this.score = h("b");
    this.away = h("span", { dir: "auto" });
    this.homeMarks = h("p", { dir: "auto" });
    this.awayMarks = h("p", { dir: "auto" });
    const competition = h("small", {}, this.competition);
    const line = [competition, this.home, this.score, this.away];
    this.element = h("section", { class: "activity" }, ...line, this.homeMarks, this.awayMarks);
  }

  /** @param {Activity} activity */
  show({ attributes, state, ended }) {
    setText(this.competition, attributes.competition ?? "");
    setText(this.home, attributes.home_team);
    setText(this.score, state.home_score === null ? "–" : `${state.home_score}–${state.away_score}`);
    setText(this.away, attributes.away_team);
    setText(this.homeMarks, marksOf(state, "home"));
    setText(this.awayMarks, marksOf(state, "away"));
    this.element.classList.toggle("ended", ended);
  }
}
