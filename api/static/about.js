/** What else is told of a match: its round, line-ups and statistics. What nobody tells is not shown. */

import { bdi } from "./bidi.js";
import { h } from "./dom.js";
import { Failure, read } from "./read.js";
import { t } from "./words.js";

/** @typedef {import("./bodies.js").LineupsBody} Lineups */
/** @typedef {import("./bodies.js").StatsBody} Stats */
/** @typedef {import("./bodies.js").TeamLineupBody} TeamLineup */
/** @typedef {{home: string, away: string}} Names */

// Figures in play change with every touch; nobody watches a match for them.
const AGAIN_MS = 60_000;

/** In this order; other figures follow by name. @type {Record<string, string>} */
const FIGURES = {
  possession: "Possession (%)",
  shots: "Shots",
  shots_on_target: "Shots on target",
  shots_off_target: "Shots off target",
  shots_blocked: "Shots blocked",
  corners: "Corners",
  fouls: "Fouls",
  offsides: "Offsides",
  yellow_cards: "Yellow cards",
  red_cards: "Red cards",
  saves: "Saves",
  passes: "Passes",
};

/**
 * `Group Stage, 2`; of a second leg `semifinal, leg 2`.
 *
 * @param {import("./bodies.js").Metadata | null | undefined} metadata
 */
export function roundOf(metadata) {
  const leg = metadata?.leg ? t("leg {n}", { n: metadata.leg }) : null;
  const words = [metadata?.stage, metadata?.round].map((word) => word?.replaceAll("_", " "));
  return [...words, leg].filter(Boolean).join(", ");
}

/** Line-ups and statistics of one match, read beside its score. */
export class About {
  /**
   * @param {string} id
   * @param {AbortSignal} leaving
   */
  constructor(id, leaving) {
    this.id = id;
    this.leaving = leaving;
    this.readAt = 0;
    /** @type {string | null} */
    this.phase = null;
    this.lineups = section("lineups", t("Line-ups"));
    this.stats = section("stats", t("Statistics"));
    this.element = h("div", { class: "about" }, this.stats, this.lineups);
  }

  /**
   * @param {string} phase of the match
   * @param {Names} names
   */
  async refresh(phase, names) {
    const isDue = phase === "live" && Date.now() - this.readAt > AGAIN_MS;
    if (phase === this.phase && !isDue) return;
    this.phase = phase;
    this.readAt = Date.now();
    const path = `/api/matches/${encodeURIComponent(this.id)}`;
    try {
      const [lineups, stats] = await Promise.all([
        read(`${path}/lineups`, this.leaving),
        read(`${path}/stats`, this.leaving),
      ]);
      this.#squads(lineups, names);
      this.#figures(stats, names);
    } catch (error) {
      if (!(error instanceof Failure) && !this.leaving.aborted) throw error;
    }
  }

  /**
   * @param {Lineups} lineups
   * @param {Names} names
   */
  #squads(lineups, names) {
    this.lineups.hidden = !lineups.home && !lineups.away;
    const title = t(lineups.confirmed ? "Line-ups" : "Expected line-ups");
    this.lineups.replaceChildren(
      h("h2", { id: "lineups-title" }, title),
      h("div", { class: "squads" }, squad(lineups.home, names.home), squad(lineups.away, names.away)),
    );
  }

  /**
   * @param {Stats} stats
   * @param {Names} names
   */
  #figures(stats, names) {
    const rows = figuresOf(stats);
    this.stats.hidden = !rows.length;
    const head = h("tr", {}, ...[names.home, "", names.away].map((text) => h("th", { scope: "col" }, bdi(text))));
    const body = rows.map(([label, home, away]) =>
      h("tr", {}, h("td", {}, home), h("th", { scope: "row" }, label), h("td", {}, away)),
    );
    this.stats.replaceChildren(
      h("h2", { id: "stats-title" }, t("Statistics")),
      h("table", {}, h("thead", {}, head), h("tbody", {}, ...body)),
    );
  }
}

/**
 * Label and both figures, as text; those of no side are left out.
 *
 * @param {Stats} stats
 * @returns {[string, string, string][]}
 */
export function figuresOf({ home, away }) {
  const others = Object.keys({ ...home, ...away })
    .filter((name) => !(name in FIGURES))
    .sort();
  return [...Object.keys(FIGURES), ...others]
    .filter((name) => name in home || name in away)
    .map((name) => [label(name), String(home[name] ?? "–"), String(away[name] ?? "–")]);
}

/** @param {string} name */
function label(name) {
  const words = name.replaceAll("_", " ");
  return (FIGURES[name] && t(FIGURES[name])) || words[0].toUpperCase() + words.slice(1);
}

/**
 * @param {TeamLineup | null} lineup
 * @param {string} name
 */
function squad(lineup, name) {
  if (!lineup) return null;
  const players = (/** @type {boolean} */ starter) =>
    lineup.players
      .filter((player) => player.starter === starter)
      .map((player) =>
        h(
          "li",
          {},
          h("span", { class: "shirt" }, player.number === null ? "" : String(player.number)),
          bdi(player.name),
          player.captain ? " (c)" : null,
        ),
      );
  const bench = players(false);
  return h(
    "div",
    { class: "squad" },
    h("h3", {}, bdi(name), lineup.formation ? ` ${lineup.formation}` : null),
    h("ol", {}, ...players(true)),
    bench.length ? h("h4", {}, t("Bench")) : null,
    bench.length ? h("ol", { class: "bench" }, ...bench) : null,
    lineup.coach ? h("p", { class: "small" }, `${t("Coach")}: `, bdi(lineup.coach.name)) : null,
  );
}

/**
 * @param {string} name
 * @param {string} title
 */
function section(name, title) {
  return h("section", { class: name, "aria-labelledby": `${name}-title`, hidden: true }, h("h2", {}, title));
}
