/** Names of what is marked: a mark that came from another device has none yet. */

import { name as teamName } from "./clock.js";
import { bells, favourites } from "./marks.js";
import { Failure, read } from "./read.js";

/** @typedef {import("./marks.js").Mark} Mark */

/** @type {Map<string, Promise<string>>} */
const asked = new Map();

/**
 * Its id where nobody can say.
 *
 * @param {Mark} mark
 */
export function nameOf(mark) {
  if (mark.name) return Promise.resolve(mark.name);
  const key = `${mark.subject}/${mark.id}`;
  const marked = [...favourites.all, ...bells.all].find(
    (other) => `${other.subject}/${other.id}` === key && other.name,
  );
  if (marked) return Promise.resolve(marked.name);
  const answer = asked.get(key) ?? ask(mark);
  asked.set(key, answer);
  return answer;
}

/** @param {Mark} mark */
async function ask({ subject, id }) {
  const { signal } = new AbortController();
  const sent = encodeURIComponent(id);
  try {
    if (subject === "matches") {
      const match = await read(`/api/matches/${sent}`, signal);
      return `${teamName(match.home_team)} – ${teamName(match.away_team)}`;
    }
    const query = subject === "teams" ? "team" : "competition";
    const { matches } = await read(`/api/matches?${query}=${sent}&limit=1`, signal);
    return nameIn(matches[0], subject, id) ?? id;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return id;
  }
}

/**
 * What a match calls one of its teams, or its competition.
 *
 * @param {Pick<import("./bodies.js").Summary, "home_team" | "away_team" | "competition"> | undefined} match
 * @param {import("./marks.js").Subject} subject
 * @param {string} id
 */
export function nameIn(match, subject, id) {
  if (subject === "competitions") return match?.competition?.name ?? null;
  return [match?.home_team, match?.away_team].find((team) => team?.id === id)?.name ?? null;
}
