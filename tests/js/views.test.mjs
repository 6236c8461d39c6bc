import assert from "node:assert/strict";
import { test } from "node:test";

import { hue, monogram } from "../../api/static/badge.js";
import { isolate } from "../../api/static/bidi.js";
import { parseDay, plus } from "../../api/static/days.js";
import { scored } from "../../api/static/goals.js";
import { figuresOf, roundOf } from "../../api/static/about.js";
import { arrange, scorers } from "../../api/static/timeline.js";

test("monograms are what people call a team", () => {
  const table = {
    Argentina: "ARG",
    "Saudi Arabia": "SA",
    "Paris Saint-Germain": "PSG",
    "1. FC Köln": "KÖL",
    FC: "FC",
    "Arsenal FC": "ARS",
    "Bosnia and Herzegovina": "BAH",
    Москва: "МОС",
    日本: "日本",
    "": "?",
    42: "?",
  };
  for (const [name, letters] of Object.entries(table)) assert.equal(monogram(name), letters, name);
  assert.equal(monogram(null), "?");
  assert.equal(hue("France"), 22);
});

const match = (home, away, more = {}) => ({
  sport: "football",
  home_team: { name: "Argentina" },
  away_team: { name: "France" },
  home_score: home,
  away_score: away,
  shootout: null,
  ...more,
});

test("a goal, a correction and nothing are told apart", () => {
  assert.deepEqual(scored(match(0, 0), match(1, 0)), {
    kind: "goal",
    side: "home",
    text: "Goal for Argentina. Argentina 1–0 France.",
  });
  assert.deepEqual(scored(match(1, 0), match(1, 1)), {
    kind: "goal",
    side: "away",
    text: "Goal for France. Argentina 1–1 France.",
  });
  assert.deepEqual(scored(match(1, 0), match(0, 0)), {
    kind: "correction",
    side: "home",
    text: "Score corrected: Argentina 0–0 France.",
  });
  assert.deepEqual(scored(match(0, 0), match(1, 1)), {
    kind: "goal",
    side: null,
    text: "Goals: Argentina 1–1 France.",
  });
  assert.equal(scored(match(1, 0), match(1, 0)), null);
});

test("only a name from right to left is isolated in a sentence", () => {
  const isolated = ["الهلال", "מכבי תל אביב", "Al-Hilal الهلال", "ܐܒܓ", "ދިވެހި", "𞤀𞤣𞤤𞤢𞤥"];
  for (const name of isolated) assert.equal(isolate(name), `\u2068${name}\u2069`);
  for (const name of ["Argentina", "Ελλάδα", "Россия", "日本", "1. FC Köln", "ไทย", ""]) assert.equal(isolate(name), name);
  const derby = match(1, 0, { home_team: { name: "الهلال" } });
  assert.equal(scored(match(0, 0), derby).text, "Goal for \u2068الهلال\u2069. \u2068الهلال\u2069 1–0 France.");
});

test("a score that becomes known as 0–0, a first body and a shoot-out kick are no goals", () => {
  assert.equal(scored(match(null, null), match(0, 0)), null);
  assert.equal(scored(null, match(3, 0)), null);
  assert.equal(scored(match(3, 3), match(3, 3, { shootout: { home: 1, away: 0 } })), null);
});

test("the points of a basketball game change without a call", () => {
  const game = (home) => match(home, 50, { sport: "basketball" });
  assert.deepEqual(scored(game(51), game(54)), { kind: "points", side: "home", text: "" });
});

let ids = 0;
const event = (type, minute, more = {}) => ({
  id: String((ids += 1)),
  event_type: type,
  minute,
  added_minute: null,
  period: null,
  team: null,
  player: null,
  voided: false,
  ...more,
});
const order = (events) =>
  arrange(events).moments.map(({ event_type: type, minute, added_minute: added }) =>
    [type, minute, added].filter((part) => part !== null).join(" "),
  );

test("the timeline is newest first, with marks at the edges of their periods", () => {
  const events = [
    event("full_time", null, { period: 4 }),
    event("half_time", 45, { period: 1 }),
    event("goal", 45, { added_minute: 2 }),
    event("extra_time", 90, { period: 3 }),
    event("kickoff", 0),
    event("second_half", 45, { period: 2 }),
    event("goal", 46, { period: 2 }),
    event("goal", 90, { added_minute: 4 }),
    event("yellow_card", 118),
    event("shootout_start", null, { period: 5 }),
  ];
  assert.deepEqual(order(events), [
    "full_time",
    "yellow_card 118",
    "extra_time 90",
    "goal 90 4",
    "goal 46",
    "half_time 45",
    "goal 45 2",
    "kickoff 0",
  ]);
});

test("an end without a period comes after everything, an unknown type stays", () => {
  assert.deepEqual(order([event("abandoned", null), event("drone_over_pitch", 70)]), [
    "abandoned",
    "drone_over_pitch 70",
  ]);
});

test("kicks are a list of their own, in their order", () => {
  const events = [
    event("shootout_goal", null, { team: "home" }),
    event("goal", 3),
    event("shootout_missed", null, { team: "away" }),
  ];
  assert.deepEqual(
    arrange(events).kicks.map(({ event_type: type }) => type),
    ["shootout_goal", "shootout_missed"],
  );
  assert.deepEqual(order(events), ["goal 3"]);
});

test("scorers are listed by player, without goals taken back", () => {
  const goal = (type, minute, name, more = {}) => event(type, minute, { team: "away", player: { name }, ...more });
  const events = [
    goal("penalty_goal", 80, "Kylian Mbappé"),
    goal("goal", 81, "Kylian Mbappé"),
    goal("goal", 85, "Olivier Giroud", { voided: true }),
    goal("own_goal", 90, "Merih Demiral", { added_minute: 3 }),
    goal("goal", 5, "Lionel Messi", { team: "home" }),
    goal("goal", 7, undefined, { player: null }),
  ];
  assert.deepEqual(scorers(events, "away"), ["Kylian Mbappé 80' (pen), 81'", "Merih Demiral 90+3' (og)"]);
  assert.deepEqual(scorers([goal("goal", 23, "سالم الدوسري")], "away"), ["\u2068سالم الدوسري\u2069 23'"]);
});

test("days are parsed strictly and counted by the calendar", () => {
  assert.equal(parseDay("2026-11-25"), "2026-11-25");
  for (const wrong of ["2026-02-30", "tomorrow", "2026-1-5", "", null]) assert.equal(parseDay(wrong), null);
  assert.equal(plus("2026-02-28", 1), "2026-03-01");
  assert.equal(plus("2026-01-01", -1), "2025-12-31");
});

test("figures of both sides in our order, then the others by name", () => {
  const stats = { home: { zeal: 1, corners: 2, possession: 54.5 }, away: { corners: 3 } };
  assert.deepEqual(figuresOf(stats), [
    ["Possession (%)", "54.5", "–"],
    ["Corners", "2", "3"],
    ["Zeal", "1", "–"],
  ]);
});

test("a round is told with its stage and its leg", () => {
  assert.equal(roundOf({ stage: "Group Stage", round: "2", leg: null }), "Group Stage, 2");
  assert.equal(roundOf({ stage: null, round: "round_of_16", leg: 2 }), "round of 16, leg 2");
  assert.equal(roundOf({ stage: null, round: null, leg: null }), "");
  assert.equal(roundOf(undefined), "");
});

test("line-ups come before the kick-off, though they have no minute", () => {
  const told = [
    { id: "l", event_type: "lineups", minute: null, period: null },
    { id: "k", event_type: "kickoff", minute: 1, period: 1 },
    { id: "g", event_type: "goal", minute: 10, period: 1 },
  ];
  assert.deepEqual(
    arrange(told).moments.map(({ id }) => id),
    ["g", "k", "l"],
  );
});
