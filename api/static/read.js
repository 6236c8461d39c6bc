/** Reading lists and single documents of the API. */

export class Failure extends Error {
  /**
   * @param {number} status 0 where nothing was heard
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// A list is answered in milliseconds; past this the network has lost it.
const TIMEOUT_MS = 15_000;
// A hundred matches a page: more than the busiest day of football has.
const PAGES_MOST = 20;

/**
 * The body of an answer: which type it has, the caller knows by its path.
 *
 * @param {string} path
 * @param {AbortSignal} signal ends the request when the view is left
 * @returns {Promise<any>}
 */
export async function read(path, signal) {
  // Not AbortSignal.any, which Safari has since 17.4 only.
  const aborter = new AbortController();
  const abort = () => aborter.abort();
  const timer = setTimeout(abort, TIMEOUT_MS);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    // Asked again each time: browsers too serve what is stale while they revalidate, and the edge is near enough.
    const response = await fetch(path, { cache: "no-cache", signal: aborter.signal });
    const body = await response.json();
    if (response.ok) return body;
    throw new Failure(response.status, body.error?.message ?? response.statusText);
  } catch (error) {
    if (error instanceof Failure || signal.aborted) throw error;
    throw new Failure(0, "The server cannot be reached.");
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

/**
 * Every page of a list of matches.
 *
 * @param {Record<string, string>} query
 * @param {AbortSignal} signal
 */
export async function readMatches(query, signal) {
  /** @type {import("./bodies.js").Summary[]} */
  const matches = [];
  /** @type {string | null} */
  let path = `/api/matches?${new URLSearchParams({ limit: "100", ...query })}`;
  for (let page = 0; path && page < PAGES_MOST; page += 1) {
    /** @type {import("./bodies.js").MatchList} */
    const body = await read(path, signal);
    matches.push(...body.matches);
    path = body.next;
  }
  return matches;
}
