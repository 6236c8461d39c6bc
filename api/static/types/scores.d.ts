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
export type State = "live" | "polling" | "reconnecting" | "offline" | "paused" | "missing";
export type Body = {
    /**
     * of a score
     */
    match_id?: string;
    /**
     * only grows
     */
    version?: number;
    /**
     * the path to wait at for what comes after this
     */
    next?: string | null;
    /**
     * of a board: the same for what changes on it
     */
    changes?: string | null;
    /**
     * when to ask again instead
     */
    poll_after_ms?: number;
    /**
     * of which a random part passes before the first wait
     */
    spread_ms?: number;
    phase?: string;
    /**
     * of an answer to a wait: why it ended
     */
    held?: Held;
};
export type Held = "changed" | "timeout" | "behind" | "ahead" | "full" | "draining";
export type Difference = {
    /**
     * new, changed, and those that ended, for the last time
     */
    changed: import("./bodies.js").Summary[];
    /**
     * ids of matches that are not on the board any more
     */
    gone: string[];
};
export type Options<B extends Body> = {
    /**
     * each newer body, the first one included; of a board
     * with what changed, where that is known
     */
    onChange?: (body: B, difference?: Difference) => void;
    /**
     * each change of state
     */
    onState?: (state: State) => void;
    /**
     * origin of the server, such as `https://scores.example`; that of the page unless given
     */
    base?: string;
    /**
     * what stands in for the browser in a test
     */
    env?: typeof browser;
};
/** What a feed needs of the browser. */
export declare const browser: {
    fetch: (/** @type {string} */ url: string, /** @type {RequestInit} */ init: RequestInit) => Promise<Response>;
    now: () => number;
    random: () => number;
    setTimeout: (/** @type {() => void} */ then: () => void, /** @type {number} */ ms: number) => number;
    clearTimeout: (/** @type {any} */ timer: any) => void;
    /** Whether the last answer from there came over a connection that many requests share. */
    isShared(/** @type {string} */ url: string): boolean;
    isHidden: () => boolean;
    isOnline: () => boolean;
    /** Calls `heard` after anything that may change what a feed should do; returns how to stop that. */
    listen(/** @type {(event: string) => void} */ heard: (event: string) => void): () => void;
};
/**
 * Follow one match.
 *
 * @param {string} matchId
 * @param {Options<import("./bodies.js").MatchScore>} [options]
 * @returns {Feed<import("./bodies.js").MatchScore>}
 */
export declare function followMatch(matchId: string, options?: Options<import("./bodies.js").MatchScore>): Feed<import("./bodies.js").MatchScore>;
/**
 * Follow all matches in play. Only what changes is sent.
 *
 * competition: the id of the only one wanted; that board is polled.
 *
 * @param {Options<import("./bodies.js").LiveBoard> & {competition?: string}} [options]
 * @returns {Feed<import("./bodies.js").LiveBoard>}
 */
export declare function followBoard({ competition, ...options }?: Options<import("./bodies.js").LiveBoard> & {
    competition?: string;
}): Feed<import("./bodies.js").LiveBoard>;
/**
 * Follow several matches over one connection: those in play by what changes on the board, the others by reading one
 * after the other, now and then.
 *
 * @param {Iterable<string>} matchIds
 * @param {MatchesOptions} [options]
 */
export declare function followMatches(matchIds: Iterable<string>, options?: MatchesOptions): Matches;
/**
 * One followed document. It asks from its construction until `close`.
 *
 * @template {Body} [B=Body]
 */
export declare class Feed<B extends Body = Body> {
    #private;
    /**
     * @param {string} path
     * @param {Options<B>} options
     * @param {(body: B, answer: any) => B} [put] the body that follows from the one before and the answer to a wait
     */
    constructor(path: string, { onChange, onState, base, env }?: Options<B>, put?: (body: B, answer: any) => B);
    /** The newest body heard, null before the first. */
    get body(): B | null;
    get state(): State | null;
    /** Now by the server's clock (ms since the epoch), for a running match clock on a device whose own clock is off. */
    now(): number;
    /** Ask again at once. */
    refresh(): void;
    /** End every request, timer and listener. No callback follows. */
    close(): void;
}
export type MatchesOptions = {
    /**
     * each newer state of each match
     */
    onChange?: (match: import("./bodies.js").Summary) => void;
    /**
     * as of a feed
     */
    onState?: (state: State) => void;
    /**
     * each time that the server says it knows no such match
     */
    onMissing?: (matchId: string) => void;
    /**
     * as of a feed
     */
    base?: string;
    /**
     * as of a feed
     */
    env?: typeof browser;
};
/**
 * @typedef {object} MatchesOptions
 * @property {(match: import("./bodies.js").Summary) => void} [onChange] each newer state of each match
 * @property {(state: State) => void} [onState] as of a feed
 * @property {(matchId: string) => void} [onMissing] each time that the server says it knows no such match
 * @property {string} [base] as of a feed
 * @property {typeof browser} [env] as of a feed
 */
/** Several followed matches, from construction until `close`. */
export declare class Matches {
    #private;
    /**
     * @param {Iterable<string>} matchIds
     * @param {MatchesOptions} options
     */
    constructor(matchIds: Iterable<string>, { onChange, onState, onMissing, base, env }: MatchesOptions);
    /** The newest heard of each match that is known, by its id. */
    get matches(): Map<string, import("./bodies.js").Summary | null>;
    get state(): State | null;
    /** As of a feed. */
    now(): number;
    /** End every request, timer and listener. No callback follows. */
    close(): void;
}
