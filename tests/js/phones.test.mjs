import assert from "node:assert/strict";
import { test } from "node:test";

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
