/**
 * Keeps one match, or the live board, current. Reads it once, then holds one request at a time that the server answers
 * when something changes; polls where it cannot hold. No dependency; the protocol is told in docs/client.md.
 *
 *     import { followMatch } from "./scores.js";
 *     const feed = followMatch("argentina-france", {
 *       onChange: (score) => show(score.home_score, score.away_score),
 *       onState: (state) => indicate(state),
 *     });
 *     feed.close();
 *
 * @module
 */

/**
 * live: a change shows as it happens (or none is to be expected: the match is over).
 * polling: the server holds no request of ours just now; a change shows after `poll_after_ms`.
 * reconnecting: the last request failed, another follows. offline: the same, and the browser says it has no network.
 * paused: the tab is hidden, nothing is asked. missing: the server knows no such match (asked again once a minute).
 *
 * @typedef {"live" | "polling" | "reconnecting" | "offline" | "paused" | "missing"} State
 */

/**
 * What a feed reads of a body of `/api/score/{match_id}` or `/api/live`. All their fields: bodies.js.
 *
 * @typedef {object} Body
 * @property {string} [match_id] of a score
 * @property {number} [version] only grows
 * @property {string | null} [next] the path to wait at for what comes after this
 * @property {number} [poll_after_ms] when to ask again instead
 * @property {string} [phase]
 * @property {Held} [held] of an answer to a wait: why it ended
 */

/** @typedef {"changed" | "timeout" | "behind" | "ahead" | "full" | "draining"} Held */

/**
 * @template {Body} B
 * @typedef {object} Options
 * @property {(body: B) => void} [onChange] each newer body, the first one included
 * @property {(state: State) => void} [onState] each change of state
 * @property {string} [base] origin of the server, such as `https://scores.example`; that of the page unless given
 * @property {typeof browser} [env] what stands in for the browser in a test
 */

// After an answer, how long until the next request: a random part of this, so that those released together do not
// return together. What changed may change again at once (a goal, then its scorer); a timeout may wait.
/** @type {Partial<Record<Held, number>> & {timeout: number}} */
const JITTER_MS = { changed: 200, behind: 200, timeout: 1_000, draining: 1_000, ahead: 1_000 };

// The server holds for 20 s, Heroku's router and most edges give up at 30 s: past 35 s nobody will answer.
const TIMEOUT_MS = 35_000;

// Full-jitter backoff, 1 s doubling to 32 s. The first second also spreads the reconnect after a server's restart.
const BACKOFF_MS = 1_000;
const BACKOFF_MOST_MS = 32_000;

// A Retry-After longer than this is a mistake of somebody's, and a page should outlive it.
const RETRY_AFTER_MOST_MS = 300_000;

// Two holds lost in a row are no accident: something between here and there does not bear them. Poll, and try again
// after one to two times this.
const HOLDS_LOST_MOST = 2;
const HOLD_AGAIN_MS = 20_000;

// Where a body does not say, or says something absurd.
const POLL_MS = 15_000;
const POLL_LEAST_MS = 1_000;
const POLL_MOST_MS = 300_000;
const MISSING_MS = 60_000;

const AT_REST = new Set(["finished", "off"]);

/** What a feed needs of the browser. */
export const browser = {
  fetch: (/** @type {string} */ url, /** @type {RequestInit} */ init) => globalThis.fetch(url, init),
  now: () => Date.now(),
  random: () => Math.random(),
  setTimeout: (/** @type {() => void} */ then, /** @type {number} */ ms) => globalThis.setTimeout(then, ms),
  clearTimeout: (/** @type {any} */ timer) => globalThis.clearTimeout(timer),
  isHidden: () => globalThis.document?.visibilityState === "hidden",
  isOnline: () => globalThis.navigator?.onLine !== false,

  /** Calls `heard` after anything that may change what a feed should do; returns how to stop that. */
  listen(/** @type {(event: string) => void} */ heard) {
    const { document, window } = globalThis;
    if (!window || !document) return () => {};
    const handler = (/** @type {Event} */ event) => heard(event.type);
    document.addEventListener("visibilitychange", handler);
    for (const name of ["online", "offline", "focus"]) window.addEventListener(name, handler);
    return () => {
      document.removeEventListener("visibilitychange", handler);
      for (const name of ["online", "offline", "focus"]) window.removeEventListener(name, handler);
    };
  },
};

/**
 * Follow one match.
 *
 * @param {string} matchId
 * @param {Options<import("./bodies.js").MatchScore>} [options]
 * @returns {Feed<import("./bodies.js").MatchScore>}
 */
export function followMatch(matchId, options = {}) {
  return new Feed(`/api/score/${encodeURIComponent(matchId)}`, options);
}

/**
 * Follow all matches in play.
 *
 * competition: the id of the only one wanted.
 *
 * @param {Options<import("./bodies.js").LiveBoard> & {competition?: string}} [options]
 * @returns {Feed<import("./bodies.js").LiveBoard>}
 */
export function followBoard({ competition, ...options } = {}) {
  return new Feed(competition ? `/api/live?competition=${encodeURIComponent(competition)}` : "/api/live", options);
}

/**
 * One followed document. It asks from its construction until `close`.
 *
 * @template {Body} [B=Body]
 */
export class Feed {
  #path;
  #base;
  #env;
  #onChange;
  #onState;
  #closed = false;
  /** @type {State | null} */ #state = null;
  /** @type {B | null} the newest heard */ #body = null;
  /** Whether the body was confirmed since the last failure or pause: only then a hold says anything. */
  #current = false;
  #failures = 0;
  #holdsLost = 0;
  #holdAgainAt = 0;
  #skewMs = 0;
  /** @type {((reason: string) => void) | null} ends the request in flight */ #cut = null;
  /** @type {(() => void) | null} ends the rest between two requests */ #wake = null;
  #unlisten;

  /**
   * @param {string} path
   * @param {Options<B>} options
   */
  constructor(path, { onChange = () => {}, onState = () => {}, base = "", env = browser } = {}) {
    this.#path = path;
    this.#base = base.replace(/\/$/, "");
    this.#env = env;
    this.#onChange = onChange;
    this.#onState = onState;
    this.#unlisten = env.listen((event) => this.#heed(event));
    this.#run();
  }

  /** The newest body heard, null before the first. */
  get body() {
    return this.#body;
  }

  get state() {
    return this.#state;
  }

  /** Now by the server's clock (ms since the epoch), for a running match clock on a device whose own clock is off. */
  now() {
    return this.#env.now() + this.#skewMs;
  }

  /** Ask again at once. */
  refresh() {
    this.#failures = 0;
    this.#current = false;
    this.#cut?.("refresh");
    this.#wake?.();
  }

  /** End every request, timer and listener. No callback follows. */
  close() {
    this.#closed = true;
    this.#unlisten();
    this.#cut?.("closed");
    this.#wake?.();
  }

  async #run() {
    while (!this.#closed) {
      if (this.#env.isHidden()) {
        this.#current = false;
        this.#tell("paused");
        await this.#rest(Infinity);
      } else {
        await this.#rest(await this.#step());
      }
    }
  }

  /** One request; returns how long to rest after it (ms). */
  async #step() {
    const holding = this.#mayHold();
    const path = holding ? String(this.#body?.next) : this.#path;
    const answer = await this.#ask(path, holding);
    if (this.#closed || answer.cut) return 0;
    if (!answer.body) return this.#failed(holding, answer);
    if (isOlder(answer.body, this.#body)) return this.#failed(holding, { status: 200, retryAfterMs: 0 });
    return this.#heard(answer.body, holding ? path : null);
  }

  #mayHold() {
    const body = this.#body;
    if (!this.#current || !body?.next?.startsWith("/")) return false;
    if (AT_REST.has(body.phase ?? "") && !isReplaced(body)) return false;
    return this.#env.now() >= this.#holdAgainAt;
  }

  /**
   * @param {string} path
   * @param {boolean} holding
   * @returns {Promise<{body?: B, cut?: boolean, status: number, retryAfterMs: number}>}
   */
  async #ask(path, holding) {
    const aborter = new AbortController();
    let cut = false;
    this.#cut = (reason) => {
      cut = reason !== "offline";
      aborter.abort();
    };
    const timer = this.#env.setTimeout(() => aborter.abort(), TIMEOUT_MS);
    let status = 0;
    let retryAfterMs = 0;
    try {
      const response = await this.#env.fetch(this.#base + path, { cache: "no-store", signal: aborter.signal });
      status = response.status;
      retryAfterMs = retryAfter(response.headers.get("Retry-After"), this.#env.now());
      if (!response.ok) return { cut, status, retryAfterMs };
      const body = await response.json();
      if (!holding) this.#readClock(response.headers);
      return { body, cut, status, retryAfterMs };
    } catch {
      // No network, an abort, or a body that is no JSON: the same to us, nothing was heard.
      return { cut, status, retryAfterMs };
    } finally {
      this.#env.clearTimeout(timer);
      this.#cut = null;
    }
  }

  /**
   * @param {B} body
   * @param {string | null} heldAt the path of the hold it answers, null for a plain read
   */
  #heard(body, heldAt) {
    const isNew = body.version === undefined || body.version !== this.#body?.version;
    this.#body = body;
    this.#current = true;
    this.#failures = 0;
    if (heldAt) {
      this.#holdsLost = 0;
      // Full: the server is out of holds. The same path again would spin on a cached answer, save where the process
      // is going away and another will take it up.
      if (body.held === "full" || (body.next === heldAt && body.held !== "draining")) this.#holdLater();
    }
    if (isNew) this.#call(this.#onChange, body);
    const rests = AT_REST.has(body.phase ?? "");
    this.#tell(rests || this.#mayHold() ? "live" : "polling");
    if (!this.#mayHold()) return pollAfter(body) * (1 + this.#env.random() / 10);
    return heldAt ? this.#env.random() * (JITTER_MS[body.held ?? "timeout"] ?? JITTER_MS.timeout) : 0;
  }

  /**
   * @param {boolean} holding
   * @param {{status: number, retryAfterMs: number}} answer
   */
  #failed(holding, { status, retryAfterMs }) {
    this.#current = false;
    if (holding && ++this.#holdsLost >= HOLDS_LOST_MOST) this.#holdLater();
    if (!holding && status === 404) {
      this.#tell("missing");
      return Math.max(retryAfterMs, MISSING_MS * (1 + this.#env.random() / 10));
    }
    this.#tell(this.#env.isOnline() ? "reconnecting" : "offline");
    const most = Math.min(BACKOFF_MOST_MS, BACKOFF_MS * 2 ** this.#failures++);
    return Math.max(retryAfterMs, this.#env.random() * most);
  }

  #holdLater() {
    this.#holdAgainAt = this.#env.now() + HOLD_AGAIN_MS * (1 + this.#env.random());
  }

  /** @param {string} event */
  #heed(event) {
    if (event === "offline") {
      // A held request would not notice for half a minute. It fails now, and the next ones keep trying: a browser
      // also says offline beside a server on the same machine.
      this.#cut?.("offline");
    } else if (this.#env.isHidden()) {
      this.#cut?.("hidden");
      this.#wake?.();
    } else if (this.#state === "paused" || this.#failures > 0) {
      this.#failures = 0;
      this.#wake?.();
    }
  }

  /**
   * Until `ms` have passed or somebody wakes us.
   *
   * @param {number} ms
   * @returns {Promise<void>}
   */
  #rest(ms) {
    if (this.#closed || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = ms === Infinity ? null : this.#env.setTimeout(() => this.#wake?.(), ms);
      this.#wake = () => {
        this.#wake = null;
        if (timer !== null) this.#env.clearTimeout(timer);
        resolve();
      };
    });
  }

  /** @param {State} state */
  #tell(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#call(this.#onState, state);
  }

  /**
   * A bug in a callback is reported as an uncaught error and does not end the feed.
   *
   * @template T
   * @param {(said: T) => void} callback
   * @param {T} said
   */
  #call(callback, said) {
    if (this.#closed) return;
    try {
      callback(said);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  /** Date is cut to the second and counts from the origin, Age from there to us (RFC 9110, 6.6.1; RFC 9111, 5.1). */
  #readClock(/** @type {Headers} */ headers) {
    const date = Date.parse(headers.get("Date") ?? "");
    const ageMs = 1_000 * Number(headers.get("Age") ?? 0);
    if (Number.isFinite(date + ageMs)) this.#skewMs = date + 500 + ageMs - this.#env.now();
  }
}

/**
 * @param {Body} body
 * @param {Body | null} held
 */
function isOlder(body, held) {
  // Of another match: this one continues under another id.
  if (body.match_id !== held?.match_id) return false;
  return body.version !== undefined && held?.version !== undefined && body.version < held.version;
}

/**
 * Whether the match continues under another id, where its next wait then is.
 *
 * @param {Body} body
 */
function isReplaced({ match_id: id, next }) {
  return id !== undefined && !next?.startsWith(`/api/score/${id}/`);
}

/** @param {Body} body */
function pollAfter({ poll_after_ms: ms }) {
  return Number.isFinite(ms) ? Math.min(Math.max(Number(ms), POLL_LEAST_MS), POLL_MOST_MS) : POLL_MS;
}

/**
 * Seconds or a date (RFC 9110, 10.2.3), in ms from now.
 *
 * @param {string | null} text
 * @param {number} now
 */
function retryAfter(text, now) {
  if (!text) return 0;
  const ms = /^\d+$/.test(text) ? 1_000 * Number(text) : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), RETRY_AFTER_MOST_MS) : 0;
}
