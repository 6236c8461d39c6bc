/** Tables, knock-out rounds, scorers and form as elements: what api/templates/tables.html has. */

import { badge } from "./badge.js";
import { bdi } from "./bidi.js";
import { name, sentence } from "./clock.js";
import { written } from "./days.js";
import { h } from "./dom.js";
import { pathOf } from "./places.js";
import { t } from "./words.js";

/** @typedef {import("./bodies.js").CompetitionTable} CompetitionTable */
/** @typedef {import("./bodies.js").TeamPage} TeamPage */
/** @typedef {import("./bodies.js").TableRowBody} TableRow */
/** @typedef {import("./bodies.js").TieBody} Tie */
/** @typedef {import("./bodies.js").ScorerBody} Scorer */
/** @typedef {import("./bodies.js").LegBody} Leg */

/**
 * What a row calls it, its heading, the heading in full, and whether a phone has no room for it.
 *
 * @returns {[keyof import("./bodies.js").BalanceBody, string, string, boolean][]}
 */
const columns = () => [
  ["played", t("P"), t("Played"), false],
  ["won", t("W"), t("Won"), true],
  ["drawn", t("D"), t("Drawn"), true],
  ["lost", t("L"), t("Lost"), true],
  ["goals_for", t("GF"), t("Goals for"), true],
  ["goals_against", t("GA"), t("Goals against"), true],
  ["goal_difference", t("GD"), t("Goal difference"), false],
  ["points", t("Pts"), t("Points"), false],
];

/** @param {{stage: string | null, group: string | null}} group */
export function groupTitle({ stage, group }) {
  return [stage && sentence(stage), group && t("Group {name}", { name: group })].filter(Boolean).join(", ");
}

/** @param {number} number */
export function signed(number) {
  return number > 0 ? `+${number}` : String(number).replace("-", "−");
}

/**
 * The score of a leg with the tie's first team before the other; "" where it is not known yet.
 *
 * @param {Pick<Leg, "home_team" | "home_score" | "away_score" | "shootout">} match
 * @param {string | null} firstId
 */
export function leg({ home_team: home, home_score: scored, away_score: conceded, shootout }, firstId) {
  if (scored === null || conceded === null) return "";
  const turn = (/** @type {number} */ one, /** @type {number} */ other) =>
    home.id === firstId ? `${one}–${other}` : `${other}–${one}`;
  const kicks = shootout ? ` (${turn(shootout.home, shootout.away)} ${t("p")})` : "";
  return turn(scored, conceded) + kicks;
}

/**
 * @param {string} id
 * @param {string} kind
 * @param {(Node | string)[]} heading
 * @param {...HTMLElement} panels
 */
function section(id, kind, heading, ...panels) {
  return h(
    "section",
    { class: kind, "aria-labelledby": id },
    h("h2", { id }, ...heading),
    ...panels.map((panel) => h("div", { class: "panel" }, panel)),
  );
}

/** @param {CompetitionTable} table */
export function standings(table) {
  const provisional = table.provisional ? [" ", h("span", { class: "provisional" }, t("Provisional"))] : [];
  const heading = [t("Table"), " ", h("span", { class: "count" }, table.season), ...provisional];
  const tables = table.groups.map((group) => {
    const title = groupTitle(group);
    return h(
      "table",
      {},
      h("caption", { class: title ? null : "hidden" }, bdi(title || table.competition.name)),
      h("thead", {}, headings(t("Team"), columns().map(([, short, long, isWide]) => ({ short, long, isWide })))),
      h("tbody", {}, ...group.rows.map(tableRow)),
    );
  });
  return section("table-title", "section standings", heading, ...tables);
}

/**
 * @param {string} who
 * @param {{short: string, long?: string, isWide: boolean}[]} others
 */
function headings(who, others) {
  return h(
    "tr",
    {},
    h("th", { scope: "col" }, h("abbr", { title: t("Position") }, "#")),
    h("th", { scope: "col", class: "wordy" }, who),
    ...others.map(({ short, long, isWide }) =>
      h("th", { scope: "col", class: isWide ? "wide" : null }, long ? h("abbr", { title: long }, short) : short),
    ),
  );
}

/** @param {TableRow} row */
function tableRow(row) {
  const { team } = row;
  const cells = columns().map(([column, , , isWide]) =>
    h(
      "td",
      { class: isWide ? "wide" : null },
      column === "goal_difference" ? signed(row[column]) : String(row[column]),
    ),
  );
  const who = h(
    "th",
    { scope: "row", class: "wordy" },
    h("a", { href: pathOf("team", team.id) }, bdi(team.name)),
    ...inPlay(row.live),
    ...(row.deducted ? [" ", h("small", {}, t("Points deducted: {n}", { n: row.deducted }))] : []),
  );
  return h("tr", { "data-live": row.live !== null }, h("td", {}, String(row.position)), who, ...cells);
}

/** @param {string | null} matchId */
function inPlay(matchId) {
  return matchId ? [" ", h("a", { class: "in-play", href: pathOf("match", matchId) }, t("Live"))] : [];
}

/** @param {CompetitionTable} table */
export function rounds({ rounds: played }) {
  const element = section("rounds-title", "section rounds", [t("Knock-out rounds")]);
  for (const { round, ties } of played)
    element.append(
      h("div", { class: "panel" }, h("h3", {}, bdi(sentence(round))), h("ul", {}, ...ties.map(tie))),
    );
  return element;
}

/** @param {Tie} pair */
function tie({ teams, aggregate, winner, matches }) {
  const sides = teams.map((team, at) =>
    h(
      "p",
      { "data-lost": winner !== null && winner !== team.id },
      badge(team.name),
      bdi(name(team)),
      winner !== null && winner === team.id ? h("span", { class: "hidden" }, t("Goes on")) : null,
      h("b", {}, aggregate ? String(aggregate[at]) : ""),
    ),
  );
  const legs = matches.map((match) =>
    h(
      "a",
      { href: pathOf("match", match.match_id), "data-phase": match.phase },
      written(match.start_time),
      " ",
      ...(match.phase === "live" || match.phase === "break" ? [h("span", { class: "in-play" }, t("Live")), " "] : []),
      h("span", {}, leg(match, teams[0].id)),
    ),
  );
  return h("li", { class: "tie" }, ...sides, h("p", { class: "legs" }, ...legs));
}

/** @param {Scorer[]} scorers */
export function topScorers(scorers) {
  const others = [
    { short: t("Goals"), isWide: false },
    { short: t("Penalties"), isWide: true },
    { short: t("Assists"), isWide: true },
  ];
  const rows = scorers.map(({ position, player, team, goals, penalties, assists }) =>
    h(
      "tr",
      {},
      h("td", {}, String(position)),
      h(
        "th",
        { scope: "row", class: "wordy" },
        bdi(player.name),
        " ",
        h("small", {}, h("a", { href: pathOf("team", team.id) }, bdi(team.name))),
      ),
      h("td", {}, String(goals)),
      h("td", { class: "wide" }, String(penalties)),
      h("td", { class: "wide" }, String(assists)),
    ),
  );
  const table = h(
    "table",
    {},
    h("caption", { class: "hidden" }, t("Top scorers")),
    h("thead", {}, headings(t("Player"), others)),
    h("tbody", {}, ...rows),
  );
  return section("scorers-title", "section top-scorers", [t("Top scorers")], table);
}

/**
 * @param {TeamPage["form"]} outcomes
 * @param {HTMLElement[]} places
 */
export function form(outcomes, places) {
  const told = { won: [t("W"), t("Won")], drawn: [t("D"), t("Drawn")], lost: [t("L"), t("Lost")] };
  const items = outcomes.map(({ match_id: id, outcome }) => {
    const [short, long] = told[outcome];
    return h("li", {}, h("a", { href: pathOf("match", id), "data-outcome": outcome, "aria-label": long }, short));
  });
  const element = section("form-title", "section form", [t("Form")], h("ol", { class: "outcomes" }, ...items));
  element.lastElementChild?.append(h("ul", { class: "places" }, ...places));
  return element;
}

/**
 * @param {import("./bodies.js").Named} competition
 * @param {TableRow} row
 */
export function place(competition, { position, points, live }) {
  const said = `${t("Position {n}", { n: position })} · ${t("Points: {n}", { n: points })}`;
  const link = h("a", { href: pathOf("competition", competition.id) }, bdi(competition.name));
  return h("li", {}, link, " ", h("span", {}, said), ...inPlay(live));
}
