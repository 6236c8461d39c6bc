import assert from "node:assert/strict";
import { test } from "node:test";

import { marksOf } from "../../api/static/live_activity.js";
import { ago, arrived } from "../../api/static/phones.js";

test("how long ago is told in the phone's language", () => {
  assert.equal(ago(-0.3, "en"), "now");
  assert.equal(ago(59, "de"), "jetzt");
  assert.equal(ago(180, "en"), "3m ago");
  assert.equal(ago(59 * 60 + 59, "de"), "vor 59 m");
  assert.equal(ago(2 * 3_600, "en"), "2h ago");
  assert.equal(ago(3 * 86_400, "de"), "vor 3 Tagen");
});

test("what has come is what was not there, and what took another's place", () => {
  const before = [
    { id: "one", at: 1 },
    { id: "two", at: 2 },
  ];
  const screen = [
    { id: "one", at: 5 },
    { id: "three", at: 4 },
    { id: "two", at: 2 },
  ];
  assert.deepEqual(
    arrived(before, screen).map(({ id }) => id),
    ["one", "three"],
  );
  assert.deepEqual(arrived(screen, screen), []);
});

test("goals and red cards stand below the side they belong to", () => {
  const mark = { player: "Messi", minute: 45, added_minute: 2, event_type: "penalty_goal", team: "home" };
  const card = { player: null, minute: 60, added_minute: null, event_type: "red_card", team: "home" };
  const own = { player: "Varane", minute: null, added_minute: null, event_type: "own_goal", team: "away" };
  const state = { home_score: 1, away_score: 1, scorers: [mark, own], cards: [card] };
  assert.equal(marksOf(state, "home"), "Messi 45+2' (P)\n🟥 60'");
  assert.equal(marksOf(state, "away"), "Varane (OG)");
  assert.equal(marksOf({ home_score: 0, away_score: 0 }, "home"), "");
});
