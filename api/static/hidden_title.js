/** A match in a tab that nobody looks at: its feed rests there, and the title would tell an old score. */

import { isolate } from "./bidi.js";
import { name, scoreText } from "./clock.js";
import { scored } from "./goals.js";
import { Failure, read } from "./read.js";
import { t } from "./words.js";

// One read a minute and tab: a thousandth of what a reader who looks costs. Browsers wake hidden tabs no more often.
const EVERY_MS = 60_000;
const AT_REST = new Set(["finished", "off"]);

/** @typedef {import("./bodies.js").MatchScore} Score */

/** What it needs of the browser. */
export const browser = {
  isHidden: () => document.hidden,
  path: () => location.pathname,
  random: () => Math.random(),
  setTimeout: (/** @type {() => void} */ then, /** @type {number} */ ms) => globalThis.setTimeout(then, ms),
  read: (/** @type {string} */ path) => read(path, new AbortController().signal),
  retitle: (/** @type {string} */ title) => (document.title = title),
  goal: () => document.dispatchEvent(new CustomEvent("hidden-goal")),
};

let isRunning = false;

/** Until the tab is shown, leaves the match, or the match is over. */
export async function keepTitle(env = browser) {
  if (isRunning) return;
  isRunning = true;
  const path = env.path();
  /** @type {Score | undefined} */
  let before;
  let rests = false;
  while (!rests) {
    const wait = Math.max(EVERY_MS, before?.poll_after_ms ?? 0) * (1 + env.random() / 4);
    await new Promise((resolve) => env.setTimeout(() => resolve(null), wait));
    if (!env.isHidden() || env.path() !== path) break;
    const after = await newest(path, env);
    if (after && !(before && after.version < before.version)) {
      // Shown meanwhile: the page's own feed knows better.
      if (!env.isHidden()) break;
      env.retitle(titleOf(after));
      if (scored(before, after)?.kind === "goal") env.goal();
      before = after;
    }
    rests = AT_REST.has(before?.phase ?? "");
  }
  isRunning = false;
}

/**
 * Null where nothing was heard: the next try is in a minute.
 *
 * @param {string} path of the page
 * @param {typeof browser} env
 * @returns {Promise<Score | null>}
 */
async function newest(path, env) {
  try {
    return await env.read(`/api/score/${path.split("/")[2]}`);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return null;
  }
}

/**
 * As the page of a match titles itself.
 *
 * @param {Score} match
 */
export function titleOf(match) {
  const score = scoreText({ ...match, shootout: null });
  return `${isolate(name(match.home_team))} ${score} ${isolate(name(match.away_team))} · ${t("Live scores")}`;
}
