/** Why an alert came: which follow decided. Pure; the rules are those of docs/push.md, "Plan". */

import { t } from "./words.js";

/** @typedef {import("./account.js").Follows} Follows */
/** @typedef {import("./account.js").Follow} Follow */
/** @typedef {import("./marks.js").Subject} Subject */
/** @typedef {import("./marks.js").Match} Match */

/** Kinds of alerts in the order of a match, with the words for them. @type {Record<string, string>} */
export const KINDS = {
  reminder: "Kick-off in 15 minutes",
  lineups: "Line-ups",
  kickoff: "Kick-off",
  goal: "Goals",
  goal_cancelled: "Goals taken back",
  red_card: "Red cards",
  penalty: "Penalties awarded",
  penalty_missed: "Penalties missed",
  var_check: "VAR checks",
  half_time: "Half-time",
  second_half: "Second half",
  extra_time: "Extra time",
  shootout: "Penalty shoot-out",
  shootout_kick: "Kicks of a shoot-out",
  full_time: "Full-time",
  interrupted: "Interruptions",
  postponed: "Postponed, cancelled or moved",
};

/**
 * The follow that decides on alerts of a match: one of the match outweighs those of its teams, and those outweigh the
 * one of its competition. Of two followed teams, the one that wants the kind.
 *
 * @param {Follows} follows
 * @param {Match} match
 * @param {string | null} kind null where it was not told, as in a spoiler-free alert
 * @returns {{subject: Subject, follow: Follow} | null} null where nothing of the match is followed any more
 */
export function decides(follows, { match_id: id, home_team: home, away_team: away, competition }, kind) {
  /** @type {[Subject, (string | null | undefined)[]][]} */
  const ranks = [
    ["matches", [id]],
    ["teams", [home?.id, away?.id]],
    ["competitions", [competition?.id]],
  ];
  for (const [subject, ids] of ranks) {
    const followed = follows[subject].filter((follow) => ids.includes(follow.id));
    const wanting = followed.find((follow) => (kind ? follow.notification_prefs[kind] : !follow.muted));
    if (followed.length) return { subject, follow: wanting ?? followed[0] };
  }
  return null;
}

/**
 * One sentence for the reader.
 *
 * @param {Follows} follows
 * @param {Match} match
 * @param {string | null} kind
 * @param {(subject: Subject, id: string) => string} nameOf
 */
export function because(follows, match, kind, nameOf) {
  const decisive = decides(follows, match, kind);
  if (!decisive) return t("You follow nothing of this match.");
  const { subject, follow } = decisive;
  const what = {
    matches: t("this match"),
    teams: nameOf("teams", follow.id),
    competitions: nameOf("competitions", follow.id),
  };
  const name = what[subject];
  if (follow.muted) return t("You have muted {name}: the alert was under way before that.", { name });
  if (!kind) return t("You follow {name}.", { name });
  const values = { name, kind: wordOf(kind) };
  if (!follow.notification_prefs[kind])
    return t("You follow {name}, but not for “{kind}”: a correction of what was sent before.", values);
  return t("You follow {name}, and “{kind}” is on.", values);
}

/** @param {string} kind */
export function wordOf(kind) {
  return t(KINDS[kind] ?? kind);
}
