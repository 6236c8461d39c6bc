/**
 * How a match's clock and score are written: pure functions of the match as the API tells it and a moment.
 * The words are those of score apps: 90+4', HT, FT, AET, Pens, 3–3 (4–2 p), – for a score not known.
 *
 * @module
 */

import { locale, t } from "./words.js";

/** @typedef {import("./bodies.js").Summary} Summary */

/** @typedef {[list: string, page: string]} Words in a list, and on the match's own page */

/** @typedef {0 | 1} Form which of the two */

// Football's periods by status: the minute each begins after, and the one at which stoppage time starts.
/** @type {Record<string, [begins: number, stoppage: number]>} */
const PERIODS = { first_half: [0, 45], second_half: [45, 90], et_first: [90, 105], et_second: [105, 120] };

// A clock that nobody has confirmed for this long is not run on: the feed has gone quiet, and 45+37' would be a guess.
const TICK_MOST_MIN = 15;

/** @type {Record<string, Words>} */
const WORDS = {
  scheduled: ["", "Not started"],
  time_tbd: ["TBD", "Time to be decided"],
  delayed: ["Delayed", "Delayed"],
  live: ["Live", "Live"],
  pause: ["Break", "Break"],
  first_half: ["1st", "First half"],
  half_time: ["HT", "Half-time"],
  second_half: ["2nd", "Second half"],
  break_before_et: ["ET next", "Extra time next"],
  et_first: ["ET", "Extra time, first half"],
  et_half_time: ["ET HT", "Half-time of extra time"],
  et_second: ["ET", "Extra time, second half"],
  break_before_pens: ["Pens next", "Penalty shoot-out next"],
  shootout: ["Pens", "Penalty shoot-out"],
  interrupted: ["Int.", "Interrupted"],
  suspended: ["Susp.", "Suspended"],
  ended: ["FT", "Full time"],
  finished: ["FT", "Full time"],
  postponed: ["Postp.", "Postponed"],
  cancelled: ["Canc.", "Cancelled"],
  abandoned: ["Aband.", "Abandoned"],
  awarded: ["Awd.", "Awarded"],
  walkover: ["W/O", "Walkover"],
  removed: ["Removed", "Removed"],
  replaced: ["Moved", "Replaced by another match"],
};
/** @type {Record<string, Words>} */
const ENDINGS = { extra_time: ["AET", "After extra time"], penalties: ["Pens", "After penalties"] };
/** @type {Record<string, Words>} */
const ENDINGS_ELSEWHERE = {
  extra_time: ["Final/OT", "Final, after overtime"],
  penalties: ["Final/SO", "Final, after shoot-out"],
};
/** @type {Record<string, string>} */
const PERIOD_LETTERS = { basketball: "Q", american_football: "Q", ice_hockey: "P" };

const LIST = 0;
const PAGE = 1;

/**
 * The clock or the state, short, as a row of the board shows it: 67', HT, Q3 4:12, 20:45.
 *
 * @param {Summary} match
 * @param {number} now ms since the epoch
 */
export function clockText(match, now) {
  if (match.phase === "scheduled" && match.status === "scheduled") return kickOff(match);
  return running(match, now) ?? word(match, LIST);
}

/**
 * The same for the match's own page, in words where there is no clock to show.
 *
 * @param {Summary} match
 * @param {number} now ms since the epoch
 */
export function statusText(match, now) {
  return running(match, now) ?? word(match, PAGE);
}

/**
 * The displayed minute of a football match in play, or the clock of another sport; null where none runs.
 *
 * @param {Summary} match
 * @param {number} now ms since the epoch
 */
export function running(match, now) {
  if (match.phase !== "live") return null;
  if (match.sport !== "football") return otherClock(match);
  const { minute } = match;
  if (minute === null || match.status === "shootout") return null;
  const period = PERIODS[match.status] ?? Object.values(PERIODS)[Number(match.period) - 1];
  return period ? minuteText(...tick(minute, match, period, now)) : minuteText(minute, match.added_minute);
}

/**
 * A minute is told as displayed, so it begins when it was told. A period's start is told as the minute it begins
 * after, with the stoppage of the one before at worst: 0' is shown as 1', the 45+2' of a kick-off as 46'.
 *
 * @param {number} minute
 * @param {Summary} match
 * @param {[number, number]} period
 * @param {number} now ms since the epoch
 * @returns {[minute: number, added: number | null]}
 */
function tick(minute, { added_minute: added, minute_at: at }, [first, last], now) {
  const since = at === null ? 0 : Math.floor((now - Date.parse(at)) / 60_000);
  const passed = since > TICK_MOST_MIN ? 0 : Math.max(since, 0);
  const told = minute > first ? minute + (added ?? 0) : first + 1;
  return told + passed <= last ? [told + passed, null] : [last, told + passed - last];
}

/**
 * 23', 90+4'.
 *
 * @param {number | null | undefined} minute
 * @param {number | null | undefined} added
 */
export function minuteText(minute, added) {
  if (minute === null || minute === undefined) return "";
  return added ? `${minute}+${added}'` : `${minute}'`;
}

/** @param {Summary} match */
function otherClock({ sport, status, period, clock }) {
  if (period === null && clock === null) return null;
  // `Top 3`: the clock of baseball is the inning itself.
  if (sport === "baseball" && clock !== null) return clock;
  const overtime = sport in PERIOD_LETTERS && Number(period) > (sport === "ice_hockey" ? 3 : 4);
  const letter = PERIOD_LETTERS[sport] ?? "P";
  const shown = period === null ? "" : overtime ? "OT" : status === "shootout" ? "SO" : `${letter}${period}`;
  return [shown, clock].filter(Boolean).join(" ");
}

/**
 * @param {Summary} match
 * @param {Form} form
 */
function word(match, form) {
  const { status, decided_by: decided, sport } = match;
  if (status === "finished" || status === "ended") {
    if (sport !== "football") return t((ENDINGS_ELSEWHERE[String(decided)] ?? ["Final", "Final"])[form]);
    return t((ENDINGS[String(decided)] ?? WORDS[status])[form]);
  }
  if (status === "pause" && match.period !== null) return pauseWord(match, form);
  // A status newer than this page: the server's word, made readable.
  return t((WORDS[status] ?? [sentence(status), sentence(status)])[form]);
}

/**
 * @param {Summary} match
 * @param {Form} form
 */
function pauseWord({ sport, period }, form) {
  if (PERIOD_LETTERS[sport] === "Q" && period === 2) return t(WORDS.half_time[form]);
  return t("End {period}", { period: `${PERIOD_LETTERS[sport] ?? "P"}${period}` });
}

/**
 * `second_yellow` → `Second yellow`.
 *
 * @param {string} name
 */
export function sentence(name) {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * 3–1; – where a score is not known, for 0–0 would be a claim; 3–3 (4–2 p) after a shoot-out.
 *
 * @param {Pick<Summary, "home_score" | "away_score" | "shootout">} match
 */
export function scoreText({ home_score: home, away_score: away, shootout }) {
  if (home === null || away === null) return "–";
  const kicks = shootout ? ` (${shootout.home}–${shootout.away} ${t("p")})` : "";
  return `${home}–${away}${kicks}`;
}

/**
 * Who won a finished match, by kicks where the score is level; null if nobody did.
 *
 * @param {Summary} match
 * @returns {import("./bodies.js").Side | null}
 */
export function winner({ phase, home_score: home, away_score: away, shootout }) {
  if (phase !== "finished" || home === null || away === null) return null;
  const ahead = home - away || (shootout ? shootout.home - shootout.away : 0);
  return ahead > 0 ? "home" : ahead < 0 ? "away" : null;
}

/**
 * A team that nobody has named yet still plays.
 *
 * @param {import("./bodies.js").MaybeNamed | null | undefined} team
 */
export function name(team) {
  return team?.name ?? t("To be decided");
}

/**
 * The kick-off, 20:45 in the reader's zone and manner; TBD where it is not known.
 *
 * @param {Summary} match
 */
export function kickOff({ start_time: start }) {
  return start ? TIME.format(new Date(start)) : t("TBD");
}

/**
 * Wed 25 Nov 2026, 20:45.
 *
 * @param {Summary} match
 */
export function kickOffLong({ start_time: start }) {
  return start ? MOMENT.format(new Date(start)) : t("Time to be decided");
}

const TIME = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" });
const MOMENT = new Intl.DateTimeFormat(locale, {
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "numeric",
  minute: "2-digit",
});
