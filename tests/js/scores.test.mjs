import assert from "node:assert/strict";
import { test } from "node:test";

import { followBoard, followMatch, followMatches } from "../../api/static/scores.js";
import { settled, World } from "./world.mjs";

const SCORE = "/api/score/final";
// After so long a request that is not answered counts as held.
const OPEN_MS = 1_000;
const wait = (version, slot = 0) => `${SCORE}/wait/${version}.${slot}`;
const body = (version, more = {}) => ({ version, phase: "live", next: wait(version), poll_after_ms: 2_000, ...more });

/** A followed match, what it said, and the world around it. */
async function follow(options) {
  const world = new World(options);
  const said = { bodies: [], states: [] };
  const feed = followMatch("final", {
    env: world.env,
    onChange: ({ version }) => said.bodies.push(version),
    onState: (state) => said.states.push(state),
  });
  await settled();
  return { world, feed, ...said, last: () => said.states.at(-1) };
}

/** The same, with its first hold open. */
async function held(options) {
  const followed = await follow(options);
  await followed.world.answer(body(1));
  await followed.world.advance(OPEN_MS);
  return followed;
}

test("reads once, then holds where the body says", async () => {
  const { world, bodies, states } = await held();
  assert.deepEqual(world.paths, [SCORE, wait(1)]);
  assert.equal(world.requests[1].init.cache, "no-store");
  assert.deepEqual(bodies, [1]);
  assert.deepEqual(states, ["live"]);
});

test("the first wait comes some time within what the server says, and the next ones as ever", async () => {
  for (const [spread, rest] of [
    [5_000, 2_500],
    [86_400_000, 30_000],
  ]) {
    const { world, states } = await follow({ random: 0.5 });
    await world.answer(body(1, { phase: "scheduled", spread_ms: spread }));
    await world.advance(rest - 1);
    assert.equal(world.open.length, 0);
    assert.deepEqual(states, []);
    await world.advance(1 + OPEN_MS);
    assert.equal(world.asked.path, wait(1));
    assert.deepEqual(states, ["live"]);
    await world.answer(body(2, { held: "changed", spread_ms: spread }));
    await world.advance(100);
    assert.equal(world.asked.path, wait(2));
  }
});

test("without a spread, or with an odd one, the first wait comes at once", async () => {
  for (const spread_ms of [0, -5, null, "soon"]) {
    const { world } = await follow({ random: 1 });
    await world.answer(body(1, { spread_ms }));
    assert.equal(world.asked.path, wait(1));
  }
});

test("live is said once a hold is open, and not before", async () => {
  const { world, states } = await follow();
  await world.answer(body(1));
  await world.advance(OPEN_MS - 1);
  assert.deepEqual(states, []);
  await world.advance(1);
  assert.deepEqual(states, ["live"]);
});

test("beyond four holds to a host of HTTP/1.1 the others poll, and take the place of one that ends", async () => {
  const world = new World({ random: 0 });
  world.env.isShared = () => false;
  const states = {};
  const feeds = [];
  for (const id of ["a", "b", "c", "d", "e"]) {
    feeds.push(followMatch(id, { env: world.env, base: "https://one", onState: (state) => (states[id] = state) }));
    await settled();
    await world.answer(body(1, { next: `/wait/${id}` }), { of: `https://one/api/score/${id}` });
  }
  await world.advance(OPEN_MS);
  assert.deepEqual(states, { a: "live", b: "live", c: "live", d: "live", e: "polling" });
  feeds[0].close();
  await world.advance(1_000);
  assert.equal(world.open.at(-1).path, "https://one/wait/e");
  await world.advance(OPEN_MS);
  assert.equal(states.e, "live");
  for (const feed of feeds) feed.close();
});

test("a change is told at once and the next hold follows within 200 ms", async () => {
  const { world, bodies } = await held({ random: 1 });
  await world.answer(body(2, { held: "changed" }));
  assert.deepEqual(bodies, [1, 2]);
  await world.advance(199);
  assert.equal(world.open.length, 0);
  await world.advance(1);
  assert.equal(world.asked.path, wait(2));
});

test("a hold that timed out moves one slot on, after up to a second, and tells nothing", async () => {
  const { world, bodies, states } = await held({ random: 1 });
  await world.answer(body(1, { held: "timeout", next: wait(1, 1) }));
  await world.advance(999);
  assert.equal(world.open.length, 0);
  await world.advance(1);
  assert.equal(world.asked.path, wait(1, 1));
  assert.deepEqual([bodies, states], [[1], ["live"]]);
});

test("a draining process is left within a second, without a word to the reader", async () => {
  const { world, states } = await held();
  await world.answer(body(1, { held: "draining" }));
  await world.advance(500);
  assert.equal(world.asked.path, wait(1));
  assert.deepEqual(states, ["live"]);
});

test("a server out of holds is polled at its pace, and asked for a hold again later", async () => {
  const { world, last } = await held({ random: 0 });
  await world.answer(body(1, { held: "full" }));
  assert.equal(last(), "polling");
  await world.advance(2_000);
  assert.equal(world.asked.path, SCORE);
  for (let polls = 0; polls < 20 && world.asked.path === SCORE; polls += 1) {
    await world.answer(body(1));
    await world.advance(2_000);
  }
  assert.equal(world.asked.path, wait(1));
  assert.ok(world.time >= 1_800_000_000_000 + 20_000);
  await world.answer(body(2, { held: "changed" }));
  assert.equal(last(), "live");
});

test("an answer whose next is the path just asked is not asked again at once", async () => {
  const { world, last } = await held();
  await world.answer(body(1, { held: "timeout" }));
  assert.equal(last(), "polling");
  await world.advance(1_900);
  assert.equal(world.open.length, 0);
});

test("without holds on the server it polls, and says so", async () => {
  const { world, last } = await follow({ random: 0 });
  await world.answer(body(1, { next: null }));
  assert.equal(last(), "polling");
  await world.advance(2_000);
  assert.deepEqual(world.paths, [SCORE, SCORE]);
});

test("two lost holds in a row end holding for a while", async () => {
  const { world, last } = await held();
  for (const status of [404, 503]) {
    assert.equal(world.asked.path, wait(1));
    await world.answer({}, { status });
    assert.equal(last(), "reconnecting");
    await world.advance(500);
    await world.answer(body(1));
    await world.advance(0);
  }
  assert.equal(last(), "polling");
  await world.advance(2_100);
  assert.equal(world.asked.path, SCORE);
});

test("one lost hold is followed by a read and another hold", async () => {
  const { world, last } = await held();
  await world.fail();
  await world.advance(500);
  assert.equal(world.asked.path, SCORE);
  await world.answer(body(1));
  await world.advance(OPEN_MS);
  assert.equal(world.asked.path, wait(1));
  assert.equal(last(), "live");
});

test("a body older than the one held is ignored, without a spin", async () => {
  const { world, bodies, last } = await held({ random: 1 });
  await world.answer(body(5, { held: "changed" }));
  await world.advance(200);
  await world.answer(body(3, { held: "ahead" }));
  assert.equal(last(), "reconnecting");
  const rests = [];
  for (let reads = 0; reads < 4; reads += 1) {
    rests.push(world.rest);
    await world.advance(world.rest);
    assert.equal(world.asked.path, SCORE);
    await world.answer(body(4));
  }
  assert.deepEqual(rests, [1_000, 2_000, 4_000, 8_000]);
  assert.deepEqual(bodies, [1, 5]);
  await world.advance(world.rest);
  await world.answer(body(6));
  await world.advance(OPEN_MS);
  assert.deepEqual([bodies.at(-1), last()], [6, "live"]);
});

test("failures back off with full jitter, from one second to 32", async () => {
  const { world, states } = await follow({ random: 1 });
  const rests = [];
  for (let tries = 0; tries < 7; tries += 1) {
    await world.fail();
    rests.push(world.rest);
    await world.advance(world.rest);
  }
  assert.deepEqual(rests, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 32_000]);
  assert.deepEqual(states, ["reconnecting"]);
});

test("those cut off by one restart come back spread over a second", async () => {
  const returns = await Promise.all(
    [0.001, 0.25, 0.5, 0.999].map(async (random) => {
      const { world } = await held({ random });
      await world.fail();
      return world.rest;
    }),
  );
  assert.deepEqual(returns, [1, 250, 500, 999]);
});

test("it waits for a random part on top of Retry-After, in seconds or as a date, of which it believes five minutes", async () => {
  for (const [said, rest] of [
    ["7", 7_500],
    [new Date(1_800_000_009_000).toUTCString(), 9_500],
    ["86400", 300_500],
    ["soon", 500],
  ]) {
    const { world } = await follow();
    await world.answer({}, { status: 503, headers: { "Retry-After": said } });
    assert.equal(world.rest, rest, said);
  }
});

test("a hold that nobody answers is given up after 35 s", async () => {
  const { world, last } = await held();
  await world.advance(34_999 - OPEN_MS);
  assert.equal(world.asked.path, wait(1));
  await world.advance(1);
  assert.equal(last(), "reconnecting");
});

test("an answer that is no JSON is a failure", async () => {
  const { world, last } = await follow();
  await world.answer("<html>Sign in to this Wi-Fi</html>");
  assert.equal(last(), "reconnecting");
});

test("a hidden tab asks nothing; shown again it reads at once", async () => {
  const { world, last } = await held();
  await world.event("visibilitychange", { hidden: true });
  assert.equal(last(), "paused");
  assert.equal(world.open.length, 0);
  await world.advance(3_600_000);
  assert.equal(world.requests.length, 2);
  await world.event("visibilitychange", { hidden: false });
  assert.equal(world.asked.path, SCORE);
  await world.answer(body(9));
  await world.advance(OPEN_MS);
  assert.equal(last(), "live");
});

test("a tab opened in the background asks nothing before it is shown", async () => {
  const world = new World();
  world.hidden = true;
  followMatch("final", { env: world.env });
  await settled();
  assert.equal(world.requests.length, 0);
  await world.event("visibilitychange", { hidden: false });
  assert.deepEqual(world.paths, [SCORE]);
});

test("offline cuts the hold and is said; online asks at once", async () => {
  const { world, last } = await held({ random: 1 });
  await world.event("offline", { online: false });
  assert.equal(last(), "offline");
  assert.equal(world.open.length, 0);
  await world.event("online", { online: true });
  assert.equal(world.asked.path, SCORE);
  await world.answer(body(2));
  await world.advance(OPEN_MS);
  assert.equal(last(), "live");
});

test("a browser that calls itself offline beside a local server is served all the same", async () => {
  const { world, last } = await held({ random: 1 });
  await world.event("offline", { online: false });
  await world.advance(1_000);
  await world.answer(body(2));
  await world.advance(OPEN_MS);
  assert.equal(last(), "live");
});

test("focus cuts a backoff short and leaves a good hold alone", async () => {
  const { world } = await held({ random: 1 });
  await world.event("focus");
  assert.equal(world.asked.path, wait(1));
  await world.fail();
  await world.event("focus");
  assert.equal(world.asked.path, SCORE);
});

test("a finished match is polled at its own pace and never held", async () => {
  for (const phase of ["finished", "off"]) {
    const { world, last } = await follow({ random: 0 });
    await world.answer(body(1, { phase, poll_after_ms: 60_000 }));
    assert.equal(last(), "live");
    await world.advance(59_999);
    assert.equal(world.open.length, 0);
    await world.advance(1);
    assert.equal(world.asked.path, SCORE);
  }
});

test("a match that ends while held is not held again", async () => {
  const { world } = await held();
  await world.answer(body(2, { held: "changed", phase: "finished", poll_after_ms: 60_000 }));
  await world.advance(50_000);
  assert.equal(world.open.length, 0);
});

test("an unknown match is said to be missing, and looked for once a minute", async () => {
  const { world, bodies, last } = await follow({ random: 0 });
  await world.answer({ error: { code: "unknown_match" } }, { status: 404 });
  assert.equal(last(), "missing");
  await world.advance(59_999);
  assert.equal(world.open.length, 0);
  await world.advance(1);
  await world.answer(body(1));
  await world.advance(OPEN_MS);
  assert.deepEqual([bodies, last()], [[1], "live"]);
});

test("an absurd pace is kept within bounds", async () => {
  for (const [said, rest] of [
    [0, 1_000],
    [1e12, 300_000],
    [undefined, 15_000],
    ["x", 15_000],
  ]) {
    const { world } = await follow({ random: 0 });
    await world.answer(body(1, { next: null, poll_after_ms: said }));
    assert.equal(world.rest, rest, String(said));
  }
});

test("a next that leads to another server is not followed", async () => {
  const { world, last } = await follow();
  await world.answer(body(1, { next: "https://elsewhere.example/wait" }));
  assert.equal(last(), "polling");
});

test("closed, it leaves no request, timer or listener, and says nothing more", async () => {
  const { world, feed, bodies, states } = await held();
  feed.close();
  await settled();
  assert.equal(world.open.length, 0);
  assert.equal(world.timers.size, 0);
  assert.equal(world.heard.size, 0);
  await world.advance(100_000);
  assert.deepEqual([bodies, states, world.requests.length], [[1], ["live"], 2]);
});

test("closed while it rests, it leaves nothing either", async () => {
  const { world, feed } = await follow();
  await world.fail();
  feed.close();
  await settled();
  assert.deepEqual([world.timers.size, world.heard.size, world.open.length], [0, 0, 0]);
});

test("refresh asks at once", async () => {
  const { world, feed } = await follow({ random: 1 });
  await world.fail();
  feed.refresh();
  await world.advance(0);
  assert.equal(world.requests.length, 2);
  assert.equal(world.asked.path, SCORE);
});

test("the server's clock is read from Date and Age", async () => {
  const { world, feed } = await follow();
  const date = new Date(world.time + 3_600_000).toUTCString();
  await world.answer(body(1), { headers: { Date: date, Age: "4" } });
  assert.equal(feed.now() - world.time, 3_604_500);
});

test("the board is read, told and held the same way, and polled where it has no version", async () => {
  const world = new World({ random: 0 });
  const seen = [];
  followBoard({
    env: world.env,
    base: "https://scores.example/",
    competition: "ligue 1",
    onChange: (board) => seen.push(board.matches),
  });
  await settled();
  assert.equal(world.asked.path, "https://scores.example/api/live?competition=ligue%201");
  await world.answer({ matches: ["a"], poll_after_ms: 2_000 });
  await world.advance(2_000);
  await world.answer({ matches: ["b"], poll_after_ms: 2_000, version: 7, next: "/api/live/wait/7.0" });
  await world.advance(0);
  assert.equal(world.asked.path, "https://scores.example/api/live/wait/7.0");
  assert.deepEqual(seen, [["a"], ["b"]]);
});

const summary = (id, version, more = {}) => ({ match_id: id, version, start_time: null, phase: "live", ...more });
const changes = (version) => `/api/live/changes/${version}.0`;
const LIVE = {
  version: 5,
  matches: [summary("b", 1), summary("a", 2)],
  next: "/api/live/wait/5.0",
  changes: changes(4),
};

test("a board is put together from what changes on it", async () => {
  const world = new World({ random: 0 });
  const told = [];
  const feed = followBoard({
    env: world.env,
    onChange: ({ matches, version }, difference) =>
      told.push([version, matches.map((match) => `${match.match_id}${match.version}`).join(" "), difference?.gone]),
  });
  await settled();
  await world.answer(LIVE);
  await world.advance(0);
  assert.equal(world.asked.path, changes(4));
  // Nothing new, of an older version than the board's; then a late copy of a match, a new one, and the end of another.
  const nothing = { version: 4, changed: [], gone: [], changes: "/api/live/changes/4.1", held: "timeout" };
  await world.answer(nothing);
  await world.advance(0);
  assert.equal(world.asked.path, "/api/live/changes/4.1");
  const changed = [summary("a", 1), summary("c", 3, { start_time: "2026" }), summary("b", 9, { phase: "finished" })];
  await world.answer({ version: 9, changed, gone: ["b"], changes: changes(9), held: "changed" });
  await world.advance(0);
  assert.equal(world.asked.path, changes(9));
  await world.answer({ whole: true, version: 12, matches: [summary("d", 1)], changes: changes(12), held: "behind" });
  assert.deepEqual(told, [
    [5, "b1 a2", undefined],
    [9, "a2 c3", ["b"]],
    [12, "d1", undefined],
  ]);
  feed.close();
});

test("several matches are followed over one hold, and those that are not in play read one after the other", async () => {
  const world = new World({ random: 0 });
  const told = [];
  const missing = [];
  const feed = followMatches(["a", "later", "unknown"], {
    env: world.env,
    onChange: ({ match_id: id, version }) => told.push(id + version),
    onMissing: (id) => missing.push(id),
  });
  await settled();
  await world.answer(LIVE);
  await world.advance(0);
  assert.deepEqual(told, ["a2"]);
  assert.deepEqual(world.open.map(({ path }) => path).sort(), [changes(4), "/api/score/later"]);
  await world.answer(summary("later", 1, { phase: "scheduled", poll_after_ms: 60_000 }), { of: "/api/score/later" });
  await world.answer({ error: {} }, { status: 404, of: "/api/score/unknown" });
  assert.deepEqual([told, missing], [["a2", "later1"], ["unknown"]]);
  // It kicks off, and another ends.
  const changed = [summary("later", 6), summary("a", 7, { phase: "finished" })];
  await world.answer({ version: 7, changed, gone: ["a"], changes: changes(7), held: "changed" });
  assert.deepEqual(told.slice(2), ["later6", "a7"]);
  await world.advance(61_000);
  const paths = world.paths.slice(-3).filter((path) => path.startsWith("/api/score"));
  assert.ok(!paths.includes("/api/score/later"));
  feed.close();
  await settled();
  assert.deepEqual([world.timers.size, world.heard.size, world.open.length], [0, 0, 0]);
});

test("any order of answers, losses, pauses and restarts ends at the newest version, with no step backwards", async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = lcg(seed);
    const world = new World();
    world.env.random = random;
    const told = [];
    const feed = followMatch("final", { env: world.env, onChange: ({ version }) => told.push(version) });
    let version = 1;
    await settled();
    for (let step = 0; step < 40; step += 1) {
      if (random() < 0.4) version += 1;
      if (world.open.length) await act(world, version, random);
      await world.advance(Math.floor(random() * 3_000));
    }
    if (world.hidden) await world.event("visibilitychange", { hidden: false });
    for (let tries = 0; tries < 20 && told.at(-1) !== version; tries += 1) {
      await world.advance(32_000);
      if (world.open.length) await world.answer(body(version, { held: "changed" }));
    }
    assert.equal(told.at(-1), version, `seed ${seed}`);
    assert.deepEqual(
      told,
      [...told].sort((a, b) => a - b),
      `seed ${seed}`,
    );
    assert.equal(new Set(told).size, told.length, `seed ${seed}`);
    feed.close();
    await settled();
    assert.equal(world.timers.size + world.open.length, 0, `seed ${seed}`);
  }
});

/** One thing that happens to the request in flight. */
async function act(world, version, random) {
  const chance = random();
  if (chance < 0.15) await world.fail();
  else if (chance < 0.25) await world.answer({}, { status: 503 });
  else if (chance < 0.35) await world.event("visibilitychange", { hidden: true });
  else if (chance < 0.5) await world.answer(body(Math.max(1, version - 1), { held: "ahead" }));
  else if (chance < 0.6) await world.answer(body(version, { held: "full" }));
  else await world.answer(body(version, { held: "changed" }));
  if (world.hidden && random() < 0.7) await world.event("visibilitychange", { hidden: false });
}

/** Numbers from 0 to 1 that are the same in every run. */
function lcg(seed) {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
