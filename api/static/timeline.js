/** The events of a match in the order they are read, and as elements. `arrange` and what it uses is pure. */

import { bdi, isolate } from "./bidi.js";
import { minuteText, scoreText, sentence } from "./clock.js";
import { h } from "./dom.js";
import { scorerLines } from "./scoreline.js";
import { t } from "./words.js";

/** @typedef {import("./bodies.js").TimelineEvent} Event */
/** @typedef {import("./bodies.js").Side} Side */
/** @typedef {[period: number, minute: number, added: number, index: number]} At an entry's place in the timeline */

const KICKS = new Set(["shootout_goal", "shootout_missed"]);
const GOALS = new Set(["goal", "own_goal", "penalty_goal"]);
/** @type {Record<string, string>} */
const LABELS = {
  goal: "Goal",
  own_goal: "Own goal",
  penalty_goal: "Penalty goal",
  penalty_missed: "Penalty missed",
  goal_cancelled: "Goal cancelled",
  yellow_card: "Yellow card",
  second_yellow: "Second yellow card",
  red_card: "Red card",
  substitution: "Substitution",
  var_review: "VAR review",
};

// Marks across the timeline, and the period each opens or closes (9 after all).
/** @type {Record<string, number>} */
const OPENS = { lineups: 0, kickoff: 1, second_half: 2, extra_time: 3, extra_second_half: 4 };
/** @type {Record<string, number>} */
const CLOSES = { half_time: 1, extra_half_time: 3, full_time: 9, abandoned: 9, awarded: 9, cancelled: 9, postponed: 9 };
/** @type {Record<string, string>} */
const MARKS = {
  lineups: "Line-ups are in",
  kickoff: "Kick-off",
  half_time: "Half-time",
  extra_time: "Extra time",
  extra_half_time: "Half-time of extra time",
  full_time: "Full time",
  abandoned: "Abandoned",
  awarded: "Awarded",
  cancelled: "Cancelled",
  postponed: "Postponed",
  interrupted: "Interrupted",
  resumed: "Resumed",
};
// Said by the mark before it.
const SILENT = new Set(["second_half", "extra_second_half", "shootout_start"]);

/**
 * @param {Event[]} events
 * @returns {{moments: Event[], kicks: Event[]}} moments newest first; kicks of the shoot-out in order.
 */
export function arrange(events) {
  const told = events.filter((event) => !SILENT.has(event.event_type));
  const placed = told
    .filter((event) => !KICKS.has(event.event_type))
    .map((event, index) => ({ event, at: place(event, index) }));
  placed.sort((one, other) => compare(one.at, other.at));
  const kicks = told.filter((event) => KICKS.has(event.event_type));
  return { moments: placed.map(({ event }) => event).reverse(), kicks };
}

/**
 * A mark belongs at the edge of its period, whatever minute it was told with, or none.
 *
 * @param {Event} event
 * @param {number} index
 * @returns {At}
 */
function place({ event_type: type, period, minute, added_minute: added }, index) {
  if (type in OPENS) return [OPENS[type], -1, 0, index];
  if (type in CLOSES) return [CLOSES[type] === 9 ? (period ?? 9) : CLOSES[type], 999, 0, index];
  const at = minute ?? (period ? 998 : 0);
  return [period ?? periodAt(at), at, added ?? 0, index];
}

/** @param {number} minute */
function periodAt(minute) {
  return minute <= 45 ? 1 : minute <= 90 ? 2 : minute <= 105 ? 3 : 4;
}

/**
 * @param {At} one
 * @param {At} other
 */
function compare(one, other) {
  const differs = one.findIndex((part, i) => part !== other[i]);
  return differs < 0 ? 0 : one[differs] - other[differs];
}

/**
 * Who scored, a line a player: Kylian Mbappé 80' (pen), 81'.
 *
 * @param {Event[]} events
 * @param {Side} side
 */
export function scorers(events, side) {
  const goals = events.filter((event) => GOALS.has(event.event_type) && !event.voided);
  return scorerLines(
    goals.map((goal) => ({ ...goal, player: goal.player?.name ?? null })),
    side,
  );
}

/**
 * An entry of the list.
 *
 * @param {Event} event
 * @param {Record<Side, string>} sides the teams' names, said to those who cannot see on which side it stands
 */
export function moment(event, sides) {
  return event.event_type in MARKS ? mark(event) : entry(event, sides);
}

/** @param {Event} event */
function mark(event) {
  const shown = event.home_score !== null && event.event_type !== "kickoff";
  const score = shown ? h("b", {}, scoreText({ ...event, shootout: null })) : null;
  return h("li", { class: "mark", "data-id": event.id }, t(MARKS[event.event_type]), score && " ", score);
}

/**
 * @param {Event} event
 * @param {Record<Side, string>} sides
 */
function entry(event, sides) {
  const label = t(LABELS[event.event_type] ?? sentence(event.event_type));
  const who = event.player?.name ?? (event.event_type === "score" ? "" : label);
  const shown = GOALS.has(event.event_type) && event.home_score !== null;
  const more = [
    who === label ? null : label,
    event.assist && t("assist: {name}", { name: isolate(event.assist.name) }),
    event.detail && isolate(event.detail),
  ].filter(Boolean);
  return h(
    "li",
    {
      class: `moment ${event.team ?? "neither"}`,
      "data-type": event.event_type,
      "data-id": event.id,
      "data-voided": event.voided || null,
    },
    h("span", { class: "minute" }, minuteText(event.minute, event.added_minute)),
    h("span", { class: "icon", "aria-hidden": "true" }),
    h(
      "span",
      { class: "what" },
      h("span", { class: "hidden" }, event.team ? `${isolate(sides[event.team])}: ` : ""),
      h(event.voided ? "s" : "b", {}, bdi(who)),
      shown ? h(event.voided ? "s" : "span", { class: "then" }, scoreText({ ...event, shootout: null })) : null,
      h("small", {}, more.join(" · "), event.voided ? h("em", {}, ` ${t("Taken back")}`) : null),
    ),
  );
}

/**
 * One side's kicks as a row of marks, each with its taker.
 *
 * @param {Event[]} kicks
 * @param {Side} side
 * @param {string} teamName
 */
export function kickRow(kicks, side, teamName) {
  const ours = kicks.filter((kick) => kick.team === side && !kick.voided);
  return h(
    "li",
    {},
    h("span", { class: "kicks-team" }, bdi(teamName)),
    h(
      "ol",
      { class: "kicks" },
      ...ours.map((kick) =>
        h(
          "li",
          { "data-type": kick.event_type },
          h("span", { class: "icon", "aria-hidden": "true" }),
          h(
            "span",
            {},
            bdi(kick.player?.name ?? ""),
            h("span", { class: "hidden" }, `: ${t(kick.event_type === "shootout_goal" ? "scored" : "missed")}`),
          ),
        ),
      ),
    ),
  );
}
