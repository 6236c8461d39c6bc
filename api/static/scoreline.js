/** What stands beside a score: who made it, and how many were sent off. */

import { bdi, isolate } from "./bidi.js";
import { minuteText } from "./clock.js";
import { h } from "./dom.js";
import { t } from "./words.js";

/** @typedef {import("./bodies.js").ScorelineEntryBody} Entry */
/** @typedef {import("./bodies.js").Side} Side */

/** How a goal was scored, where that is said beside the minute. @type {Record<string, string>} */
const HOW = { own_goal: "(og)", penalty_goal: "(pen)" };
const BETWEEN = " · ";

/**
 * A line a player: Kylian Mbappé 80' (pen), 81'. Goals of nobody in particular are left out.
 *
 * @param {Entry[] | null | undefined} goals
 * @param {Side} side
 * @returns {string[]}
 */
export function scorerLines(goals, side) {
  /** @type {Map<string, string[]>} */
  const lines = new Map();
  for (const { event_type: type, team, player, minute, added_minute: added } of goals ?? []) {
    if (team !== side || !player) continue;
    const how = type in HOW ? ` ${isolate(t(HOW[type]))}` : "";
    lines.set(player, [...(lines.get(player) ?? []), minuteText(minute, added) + how]);
  }
  return [...lines].map(([player, minutes]) => `${isolate(player)} ${minutes.join(", ")}`);
}

/**
 * How many of a side were sent off.
 *
 * @param {Entry[] | null | undefined} cards
 * @param {Side} side
 */
export function sentOff(cards, side) {
  return (cards ?? []).filter((card) => card.team === side).length;
}

/**
 * The lines in one row; only a change is written.
 *
 * @param {Element} element
 * @param {string[]} lines
 */
export function setScorers(element, lines) {
  if (element.textContent === lines.join(BETWEEN)) return;
  element.replaceChildren(...lines.flatMap((line, index) => (index ? [BETWEEN, bdi(line)] : [bdi(line)])));
}

/** The mark beside a team's name; `setRedCards` fills it. */
export function redCards() {
  return h("span", { class: "red-cards" });
}

/**
 * A red card, with their number where there are more.
 *
 * @param {Element} mark
 * @param {number} count
 */
export function setRedCards(mark, count) {
  const words = count ? t("Red cards: {n}", { n: count }) : "";
  if ((mark.lastElementChild?.textContent ?? "") === words) return;
  const figure = h("span", { "aria-hidden": "true" }, count > 1 ? String(count) : "");
  mark.replaceChildren(...(count ? [figure, h("span", { class: "hidden" }, words)] : []));
}
