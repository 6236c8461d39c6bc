import assert from "node:assert/strict";
import { test } from "node:test";

import { followBoard, followMatch } from "../../api/static/scores.js";
import { settled, World } from "./world.mjs";

const SCORE = "/api/score/final";
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
  await followed.world.advance(0);
  return followed;
}

test("reads once, then holds where the body says", async () => {
  const { world, bodies, states } = await held();
  assert.deepEqual(world.paths, [SCORE, wait(1)]);
  assert.equal(world.requests[1].init.cache, "no-store");
  assert.deepEqual(bodies, [1]);
  assert.deepEqual(states, ["live"]);
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
  await world.advance(0);
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

test("Retry-After is the least it waits, in seconds or as a date, and five minutes the most it believes", async () => {
  for (const [said, rest] of [
    ["7", 7_000],
    [new Date(1_800_000_009_000).toUTCString(), 9_000],
    ["86400", 300_000],
    ["soon", 500],
  ]) {
    const { world } = await follow();
    await world.answer({}, { status: 503, headers: { "Retry-After": said } });
    assert.equal(world.rest, rest, said);
  }
});

test("a hold that nobody answers is given up after 35 s", async () => {
  const { world, last } = await held();
  await world.advance(34_999);
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
  assert.equal(last(), "live");
});

test("a browser that calls itself offline beside a local server is served all the same", async () => {
  const { world, last } = await held({ random: 1 });
  await world.event("offline", { online: false });
  await world.advance(1_000);
  await world.answer(body(2));
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
