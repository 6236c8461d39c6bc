/** What a newer body of a match tells that is worth a highlight, and the words for it. Pure. */

import { isolate } from "./bidi.js";
import { name, scoreText } from "./clock.js";
import { t } from "./words.js";

// Sports in which a score is an event. A basketball game has two hundred: its figures change, nobody is called.
const RARE = new Set(["football", "ice_hockey", "futsal"]);

/** @typedef {import("./bodies.js").Summary} Summary */

/**
 * `side` is null where both changed; `text` is "" where nothing should be announced.
 *
 * @typedef {{kind: "goal" | "correction" | "points", side: import("./bodies.js").Side | null, text: string}} News
 */

/**
 * @param {Summary | undefined} before
 * @param {Summary} after
 * @returns {News | null}
 */
export function scored(before, after) {
  if (!before || after.home_score === null || after.away_score === null) return null;
  const home = after.home_score - (before.home_score ?? 0);
  const away = after.away_score - (before.away_score ?? 0);
  if (!home && !away) return null;
  const side = home && away ? null : home ? "home" : "away";
  if (!RARE.has(after.sport)) return { kind: "points", side, text: "" };
  const kind = home < 0 || away < 0 ? "correction" : "goal";
  return { kind, side, text: words(kind, side, after) };
}

/**
 * @param {News["kind"]} kind
 * @param {News["side"]} side
 * @param {Summary} match
 */
function words(kind, side, match) {
  const [home, away] = [match.home_team, match.away_team].map((team) => isolate(name(team)));
  const score = `${home} ${scoreText({ ...match, shootout: null })} ${away}`;
  if (kind === "correction") return t("Score corrected: {score}.", { score });
  if (!side) return t("Goals: {score}.", { score });
  return t("Goal for {team}. {score}.", { team: side === "home" ? home : away, score });
}
