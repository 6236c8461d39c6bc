import assert from "node:assert/strict";
import { test } from "node:test";

import { clockText, kickOff, minuteText, running, scoreText, statusText, winner } from "../../api/static/clock.js";

const NOW = Date.parse("2022-12-18T16:00:00Z");
const MIN = 60_000;

/** A match in play whose minute was told `ago` ms before NOW. */
function match(more = {}, ago = 0) {
  return {
    sport: "football",
    status: "first_half",
    phase: "live",
    decided_by: null,
    minute: 23,
    added_minute: null,
    minute_at: new Date(NOW - ago).toISOString(),
    period: 1,
    clock: null,
    home_team: { id: "argentina", name: "Argentina" },
    away_team: { id: "france", name: "France" },
    home_score: 0,
    away_score: 0,
    shootout: null,
    start_time: "2022-12-18T15:00:00Z",
    ...more,
  };
}

const over = (status, more = {}) => match({ status, phase: "finished", minute: 90, ...more });

test("the running clock of football", () => {
  const table = [
    ["first_half", 23, null, 0, "23'"],
    ["first_half", 23, null, 59_999, "23'"],
    ["first_half", 23, null, MIN, "24'"],
    ["first_half", 0, null, 0, "1'"],
    ["first_half", 0, null, 3 * MIN, "4'"],
    ["first_half", 45, null, 0, "45'"],
    ["first_half", 45, null, MIN, "45+1'"],
    ["first_half", 44, null, 3 * MIN, "45+2'"],
    ["first_half", 45, 2, 0, "45+2'"],
    ["first_half", 45, 2, MIN, "45+3'"],
    ["second_half", 45, null, 0, "46'"],
    ["second_half", 45, 4, 0, "46'"],
    ["second_half", 45, null, MIN, "47'"],
    ["second_half", 46, null, 0, "46'"],
    ["second_half", 90, 4, 0, "90+4'"],
    ["second_half", 89, null, 5 * MIN, "90+4'"],
    ["second_half", 94, null, 0, "90+4'"],
    ["et_first", 90, 6, 0, "91'"],
    ["et_first", 105, 1, 0, "105+1'"],
    ["et_second", 105, null, 0, "106'"],
    ["et_second", 120, 3, 0, "120+3'"],
    ["et_second", 121, null, 0, "120+1'"],
  ];
  for (const [status, minute, added, ago, shown] of table) {
    const told = match({ status, minute, added_minute: added }, ago);
    assert.equal(clockText(told, NOW), shown, `${status} ${minute}+${added} after ${ago} ms`);
    assert.equal(statusText(told, NOW), shown);
  }
});

test("a clock that nobody has confirmed for a quarter of an hour stands still", () => {
  assert.equal(clockText(match({ minute: 30 }, 15 * MIN), NOW), "45'");
  assert.equal(clockText(match({ minute: 30 }, 16 * MIN), NOW), "30'");
});

test("a device whose clock is behind shows no minute from before", () => {
  assert.equal(clockText(match({ minute: 30 }, -5 * MIN), NOW), "30'");
});

test("play without a minute, and a minute without a period", () => {
  assert.equal(clockText(match({ minute: null }), NOW), "1st");
  assert.equal(clockText(match({ status: "live", minute: null, period: null }), NOW), "Live");
  assert.equal(clockText(match({ status: "live", minute: 67, period: null }, 9 * MIN), NOW), "67'");
  assert.equal(clockText(match({ status: "live", minute: 67, period: 2 }, 2 * MIN), NOW), "69'");
  assert.equal(clockText(match({ minute: 7, minute_at: null }), NOW), "7'");
});

test("breaks and what they are called", () => {
  for (const [status, short, long] of [
    ["half_time", "HT", "Half-time"],
    ["break_before_et", "ET next", "Extra time next"],
    ["et_half_time", "ET HT", "Half-time of extra time"],
    ["break_before_pens", "Pens next", "Penalty shoot-out next"],
    ["interrupted", "Int.", "Interrupted"],
    ["suspended", "Susp.", "Suspended"],
  ]) {
    const told = match({ status, phase: "break", minute: 45 });
    assert.deepEqual([clockText(told, NOW), statusText(told, NOW)], [short, long]);
  }
  assert.equal(clockText(match({ status: "shootout", minute: 120 }), NOW), "Pens");
});

test("ends and how they came about", () => {
  assert.equal(clockText(over("finished", { decided_by: "regular" }), NOW), "FT");
  assert.equal(clockText(over("ended"), NOW), "FT");
  assert.equal(clockText(over("finished", { decided_by: "extra_time" }), NOW), "AET");
  assert.equal(clockText(over("finished", { decided_by: "penalties" }), NOW), "Pens");
  assert.equal(statusText(over("finished", { decided_by: "penalties" }), NOW), "After penalties");
  assert.equal(clockText(over("awarded"), NOW), "Awd.");
  assert.equal(clockText(over("walkover"), NOW), "W/O");
  assert.equal(clockText(match({ status: "abandoned", phase: "off" }), NOW), "Aband.");
  assert.equal(clockText(match({ status: "postponed", phase: "off" }), NOW), "Postp.");
});

test("before the start the kick-off is shown in the reader's zone", () => {
  const told = match({ status: "scheduled", phase: "scheduled", minute: null });
  const here = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" }).format(
    new Date(told.start_time),
  );
  assert.equal(clockText(told, NOW), here);
  assert.equal(clockText({ ...told, start_time: null }, NOW), "TBD");
  assert.equal(clockText({ ...told, status: "time_tbd" }, NOW), "TBD");
  assert.equal(clockText({ ...told, status: "delayed" }, NOW), "Delayed");
  assert.equal(kickOff({ start_time: null }), "TBD");
});

test("sports with a clock of their own", () => {
  const game = (more) =>
    match({ sport: "basketball", status: "live", minute: null, period: 3, clock: "4:12", ...more });
  assert.equal(clockText(game(), NOW), "Q3 4:12");
  assert.equal(clockText(game({ period: 5 }), NOW), "OT 4:12");
  assert.equal(clockText(game({ clock: null }), NOW), "Q3");
  assert.equal(clockText(game({ period: null, clock: null }), NOW), "Live");
  assert.equal(clockText(game({ sport: "american_football", clock: "07:33", period: 2 }), NOW), "Q2 07:33");
  assert.equal(clockText(game({ sport: "ice_hockey", period: 2 }), NOW), "P2 4:12");
  assert.equal(clockText(game({ sport: "baseball", clock: "Top 3" }), NOW), "Top 3");
  assert.equal(clockText(game({ status: "pause", phase: "break", period: 2 }), NOW), "HT");
  assert.equal(clockText(game({ status: "pause", phase: "break", period: 1 }), NOW), "End Q1");
  assert.equal(clockText(game({ status: "finished", phase: "finished" }), NOW), "Final");
  assert.equal(clockText(game({ status: "finished", phase: "finished", decided_by: "extra_time" }), NOW), "Final/OT");
});

test("a status newer than this page is shown as it was said", () => {
  assert.equal(clockText(match({ status: "water_break", phase: "break" }), NOW), "Water break");
});

test("scores", () => {
  assert.equal(scoreText(match({ home_score: 3, away_score: 1 })), "3–1");
  assert.equal(scoreText(match({ home_score: null, away_score: null })), "–");
  assert.equal(scoreText(match({ home_score: 3, away_score: 3, shootout: { home: 4, away: 2 } })), "3–3 (4–2 p)");
});

test("the winner is told by kicks where the score is level, and by nothing before the end", () => {
  assert.equal(winner(over("finished", { home_score: 2, away_score: 1 })), "home");
  assert.equal(winner(over("finished", { home_score: 3, away_score: 3, shootout: { home: 2, away: 4 } })), "away");
  assert.equal(winner(over("finished", { home_score: 1, away_score: 1 })), null);
  assert.equal(winner(match({ home_score: 5, away_score: 0 })), null);
  assert.equal(winner(over("finished", { home_score: null, away_score: null })), null);
});

test("a minute with and without stoppage", () => {
  assert.deepEqual(
    [minuteText(45, 2), minuteText(45, null), minuteText(45, 0), minuteText(null, null)],
    ["45+2'", "45'", "45'", ""],
  );
  assert.equal(running(match({ status: "half_time", phase: "break" }), NOW), null);
});
