/**
 * Keeps one match, several, or the live board current. Reads it once, then holds one request at a time that the server
 * answers when something changes; polls where it cannot hold. No dependency; the protocol is told in docs/client.md.
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
 * live: a request of ours is held, and a change shows as it happens (or none is to be expected: the match is over).
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
 * @property {string | null} [changes] of a board: the same for what changes on it
 * @property {number} [poll_after_ms] when to ask again instead
 * @property {number} [spread_ms] of which a random part passes before the first wait
 * @property {string} [phase]
 * @property {Held} [held] of an answer to a wait: why it ended
 */

/** @typedef {"changed" | "timeout" | "behind" | "ahead" | "full" | "draining"} Held */

/**
 * What changed on a board since the body before.
 *
 * @typedef {object} Difference
 * @property {import("./bodies.js").Summary[]} changed new, changed, and those that ended, for the last time
 * @property {string[]} gone ids of matches that are not on the board any more
 */

/**
 * @template {Body} B
 * @typedef {object} Options
 * @property {(body: B, difference?: Difference) => void} [onChange] each newer body, the first one included; of a board
 *   with what changed, where that is known
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

// A request that has been out for so long and is not answered is held.
const OPEN_MS = 1_000;

// A browser opens six connections to a host that speaks HTTP/1.1, for all its tabs: what is held beyond that would keep
// everything else waiting. A host that speaks HTTP/2 has one for all.
const HOLDS_MOST = 4;
/** @type {Map<string, number>} feeds that hold, by origin */
const holders = new Map();

// Where a body does not say, or says something absurd.
const POLL_MS = 15_000;
const POLL_LEAST_MS = 1_000;
const POLL_MOST_MS = 300_000;
const SPREAD_MOST_MS = 60_000;
const MISSING_MS = 60_000;

const AT_REST = new Set(["finished", "off"]);

/** What a feed needs of the browser. */
export const browser = {
  fetch: (/** @type {string} */ url, /** @type {RequestInit} */ init) => globalThis.fetch(url, init),
  now: () => Date.now(),
  random: () => Math.random(),
  setTimeout: (/** @type {() => void} */ then, /** @type {number} */ ms) => globalThis.setTimeout(then, ms),
  clearTimeout: (/** @type {any} */ timer) => globalThis.clearTimeout(timer),
  /** Whether the last answer from there came over a connection that many requests share. */
  isShared(/** @type {string} */ url) {
    const { performance, location } = globalThis;
    const entries = performance?.getEntriesByName?.(new URL(url, location?.href).href) ?? [];
    const last = /** @type {PerformanceResourceTiming | undefined} */ (entries[entries.length - 1]);
    return /^h[23]/.test(last?.nextHopProtocol ?? "");
  },
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
 * Follow all matches in play. Only what changes is sent.
 *
 * competition: the id of the only one wanted; that board is polled.
 *
 * @param {Options<import("./bodies.js").LiveBoard> & {competition?: string}} [options]
 * @returns {Feed<import("./bodies.js").LiveBoard>}
 */
export function followBoard({ competition, ...options } = {}) {
  const path = competition ? `/api/live?competition=${encodeURIComponent(competition)}` : "/api/live";
  return new Feed(path, options, changedBoard);
}

/**
 * Follow several matches over one connection: those in play by what changes on the board, the others by reading one
 * after the other, now and then.
 *
 * @param {Iterable<string>} matchIds
 * @param {MatchesOptions} [options]
 */
export function followMatches(matchIds, options = {}) {
  return new Matches(matchIds, options);
}

/**
 * A board and what was told of its changes.
 *
 * @param {import("./bodies.js").LiveBoard} board
 * @param {any} answer of `changes`
 * @returns {import("./bodies.js").LiveBoard}
 */
function changedBoard(board, answer) {
  if (!answer.changed) return answer;
  const matches = new Map(board.matches.map((match) => [match.match_id, match]));
  let isMoved = false;
  for (const match of answer.changed) {
    const known = matches.get(match.match_id);
    if (known && isOlder(match, known)) continue;
    matches.set(match.match_id, match);
    isMoved ||= known?.start_time !== match.start_time;
  }
  for (const matchId of answer.gone) matches.delete(matchId);
  const { changed, gone, ...rest } = answer;
  const version = Math.max(board.version, answer.version);
  const listed = [...matches.values()];
  return { ...rest, next: null, version, matches: isMoved ? listed.sort(byKickOff) : listed };
}

/**
 * As the server orders a board.
 *
 * @param {import("./bodies.js").Summary} one
 * @param {import("./bodies.js").Summary} other
 */
function byKickOff(one, other) {
  const [a, b] = [one, other].map((match) => `${match.start_time ?? ""} ${match.match_id}`);
  return a < b ? -1 : 1;
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
  #put;
  #holds = false;
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
   * @param {(body: B, answer: any) => B} [put] the body that follows from the one before and the answer to a wait
   */
  constructor(
    path,
    { onChange = () => {}, onState = () => {}, base = "", env = browser } = {},
    put = (_, answer) => answer,
  ) {
    this.#path = path;
    this.#put = put;
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
    this.#release();
    this.#unlisten();
    this.#cut?.("closed");
    this.#wake?.();
  }

  async #run() {
    while (!this.#closed) {
      if (this.#env.isHidden()) {
        this.#current = false;
        this.#release();
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
    const path = holding ? nextOf(this.#body) : this.#path;
    const answer = await this.#ask(path, holding);
    if (this.#closed || answer.cut) return 0;
    if (!answer.body) return this.#failed(holding, answer);
    const difference = holding && "changed" in answer.body ? /** @type {any} */ (answer.body) : undefined;
    const body = holding && this.#body ? this.#put(this.#body, answer.body) : answer.body;
    if (isOlder(body, this.#body)) return this.#failed(holding, { status: 200, retryAfterMs: 0 });
    return this.#heard(body, holding ? path : null, difference);
  }

  #mayHold() {
    const body = this.#body;
    const mayWait = !AT_REST.has(body?.phase ?? "") || (body !== null && isReplaced(body));
    const may = this.#current && nextOf(body).startsWith("/") && mayWait;
    if (may && this.#env.now() >= this.#holdAgainAt && this.#take()) return true;
    this.#release();
    return false;
  }

  /** One of the connections that may be held. */
  #take() {
    const others = holders.get(this.#base) ?? 0;
    if (this.#holds) return true;
    if (others >= HOLDS_MOST && !this.#env.isShared(this.#base + this.#path)) return false;
    holders.set(this.#base, others + 1);
    this.#holds = true;
    return true;
  }

  #release() {
    if (this.#holds) holders.set(this.#base, (holders.get(this.#base) ?? 1) - 1);
    this.#holds = false;
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
    const open = holding ? this.#env.setTimeout(() => this.#tell("live"), OPEN_MS) : null;
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
      if (open !== null) this.#env.clearTimeout(open);
      this.#cut = null;
    }
  }

  /**
   * @param {B} body
   * @param {string | null} heldAt the path of the hold it answers, null for a plain read
   * @param {Difference} [difference]
   */
  #heard(body, heldAt, difference) {
    const isTold = Boolean(difference?.changed.length || difference?.gone.length);
    const isNew = isTold || body.version === undefined || body.version !== this.#body?.version;
    this.#body = body;
    this.#current = true;
    this.#failures = 0;
    if (heldAt) {
      this.#holdsLost = 0;
      // Full: the server is out of holds. The same path again would spin on a cached answer, save where the process
      // is going away and another will take it up.
      if (body.held === "full" || (nextOf(body) === heldAt && body.held !== "draining")) this.#holdLater();
    }
    if (isNew) this.#call((told) => this.#onChange(told, difference), body);
    const rests = AT_REST.has(body.phase ?? "");
    const holds = this.#mayHold();
    const wasHeld = body.held === "changed" || body.held === "timeout";
    if (rests || (holds && wasHeld)) this.#tell("live");
    else if (!holds) this.#tell("polling");
    if (!holds) return pollAfter(body) * (1 + this.#env.random() / 10);
    return this.#env.random() * (heldAt ? (JITTER_MS[body.held ?? "timeout"] ?? JITTER_MS.timeout) : spreadOf(body));
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
      return Math.max(retryAfterMs, MISSING_MS) * (1 + this.#env.random() / 10);
    }
    this.#tell(this.#env.isOnline() ? "reconnecting" : "offline");
    const most = Math.min(BACKOFF_MOST_MS, BACKOFF_MS * 2 ** this.#failures++);
    return retryAfterMs + this.#env.random() * most;
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
 * @typedef {object} MatchesOptions
 * @property {(match: import("./bodies.js").Summary) => void} [onChange] each newer state of each match
 * @property {(state: State) => void} [onState] as of a feed
 * @property {(matchId: string) => void} [onMissing] each time that the server says it knows no such match
 * @property {string} [base] as of a feed
 * @property {typeof browser} [env] as of a feed
 */

/** Several followed matches, from construction until `close`. */
export class Matches {
  #board;
  #base;
  #env;
  #onChange;
  #onMissing;
  /** @type {Map<string, import("./bodies.js").Summary | null>} the newest heard of each */ #matches;
  /** @type {Map<string, number>} when each that is not on the board is read next */ #due = new Map();
  /** @type {Set<string>} */ #live = new Set();
  /** @type {any} */ #timer = null;
  #aborter = new AbortController();
  #reading = false;

  /**
   * @param {Iterable<string>} matchIds
   * @param {MatchesOptions} options
   */
  constructor(matchIds, { onChange = () => {}, onState, onMissing = () => {}, base = "", env = browser }) {
    this.#matches = new Map([...matchIds].map((matchId) => [matchId, null]));
    this.#base = base.replace(/\/$/, "");
    this.#env = env;
    this.#onChange = onChange;
    this.#onMissing = onMissing;
    this.#board = followBoard({
      base,
      env,
      onChange: (board, difference) => this.#hear(board, difference),
      onState: (state) => {
        onState?.(state);
        this.#read();
      },
    });
  }

  /** The newest heard of each match that is known, by its id. */
  get matches() {
    return new Map([...this.#matches].filter(([, match]) => match));
  }

  get state() {
    return this.#board.state;
  }

  /** As of a feed. */
  now() {
    return this.#board.now();
  }

  /** End every request, timer and listener. No callback follows. */
  close() {
    this.#matches.clear();
    this.#board.close();
    this.#aborter.abort();
    this.#env.clearTimeout(this.#timer);
  }

  /**
   * @param {import("./bodies.js").LiveBoard} board
   * @param {Difference} [difference]
   */
  #hear(board, difference) {
    this.#live = new Set(board.matches.map((match) => match.match_id));
    for (const match of difference?.changed ?? board.matches) this.#put(match);
    for (const matchId of this.#matches.keys()) {
      // One that ended was told of for the last time; a board that was read anew does not say how.
      if (this.#live.has(matchId)) this.#due.delete(matchId);
      else if (!this.#due.has(matchId)) this.#due.set(matchId, this.#env.now() + (difference ? MISSING_MS : 0));
    }
    this.#read();
  }

  /** @param {import("./bodies.js").Summary} match */
  #put(match) {
    const known = this.#matches.get(match.match_id);
    if (known === undefined || (known && match.version <= known.version)) return;
    this.#matches.set(match.match_id, match);
    try {
      this.#onChange(match);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  /** Those that are due, one after the other. */
  async #read() {
    if (this.#reading) return;
    this.#reading = true;
    this.#env.clearTimeout(this.#timer);
    for (;;) {
      const [matchId, at] = [...this.#due].sort(([, a], [, b]) => a - b)[0] ?? [];
      if (!matchId || !this.#matches.size || this.state === "paused") break;
      const left = Number(at) - this.#env.now();
      if (left > 0) {
        this.#timer = this.#env.setTimeout(() => this.#read(), left);
        break;
      }
      this.#due.set(matchId, this.#env.now() + (await this.#readOne(matchId)) * (1 + this.#env.random() / 10));
      if (this.#live.has(matchId)) this.#due.delete(matchId);
    }
    this.#reading = false;
  }

  /**
   * @param {string} matchId
   * @returns {Promise<number>} when to read it again (ms)
   */
  async #readOne(matchId) {
    const path = `${this.#base}/api/score/${encodeURIComponent(matchId)}`;
    const timer = this.#env.setTimeout(() => this.#aborter.abort(), TIMEOUT_MS);
    try {
      const response = await this.#env.fetch(path, { cache: "no-store", signal: this.#aborter.signal });
      if (response.ok) {
        const body = await response.json();
        this.#put(body);
        return pollAfter(body);
      }
      if (response.status === 404 && this.#matches.size) this.#onMissing(matchId);
      return Math.max(MISSING_MS, retryAfter(response.headers.get("Retry-After"), this.#env.now()));
    } catch {
      // As of a feed: nothing was heard.
      return POLL_MS;
    } finally {
      this.#env.clearTimeout(timer);
      if (this.#aborter.signal.aborted && this.#matches.size) this.#aborter = new AbortController();
    }
  }
}

/** @param {Body | null} body where to wait for what comes after it, "" for nowhere */
function nextOf(body) {
  return body?.changes ?? body?.next ?? "";
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

/** @param {Body} body */
function spreadOf({ spread_ms: ms }) {
  return Number.isFinite(ms) ? Math.min(Math.max(Number(ms), 0), SPREAD_MOST_MS) : 0;
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
