/**
 * Tables, knock-out rounds, top scorers, and a team's form, as the server has written them (api/pages/tables.py). They
 * are read again when a score is seen to change, for the table moves with it.
 */

import { h } from "./dom.js";
import { Failure, read } from "./read.js";
import { form, place, rounds, standings, topScorers } from "./table_parts.js";

// A Saturday's league scores every minute, in ten matches. The table is purged by the goal, and read by many.
const AGAIN_MS = 3_000;
// What could not be read is asked for later, as a list is (board.js).
const FAILED_MS = 15_000;
const SCORERS_MOST = 10;
const STANDINGS_MOST = 2;

/** @typedef {import("./bodies.js").CompetitionTable} CompetitionTable */
/** @typedef {import("./bodies.js").TableRowBody} TableRow */
/** @typedef {import("./bodies.js").TeamPage} TeamPage */

/** The part of a page that shows them: hidden while there is nothing, or nothing can be had. */
export class Tables {
  element = h("div", { class: "tables", hidden: true });
  #shown = "";
  /** @type {number | null} */ #timer = null;

  /**
   * @param {"team" | "competition"} kind
   * @param {string} id
   * @param {AbortSignal} signal ends it when the view is left
   */
  constructor(kind, id, signal) {
    this.parts = kind === "team" ? () => ofTeam(id, signal) : () => ofCompetition(id, signal);
    this.signal = signal;
    /** Kept once they are there, or cannot be had. */
    this.ready = this.#load();
  }

  /**
   * A score has changed: soon they are read anew, and by their many readers not at once.
   *
   * @param {number} [ms]
   */
  stir(ms = AGAIN_MS) {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = null;
        if (!this.signal.aborted) this.#load();
      },
      ms * (0.5 + Math.random()),
    );
  }

  async #load() {
    try {
      const parts = await this.parts();
      this.#show(parts);
    } catch (error) {
      if (this.signal.aborted) return;
      if (!(error instanceof Failure)) throw error;
      // What is shown stays: the page is of more use than a word about its table.
      if (error.status !== 404) this.stir(FAILED_MS);
    }
  }

  /**
   * Only a change is put in. Who had gone to a link is there still.
   *
   * @param {HTMLElement[]} parts
   */
  #show(parts) {
    const text = parts.map((part) => part.outerHTML).join("");
    if (text === this.#shown) return;
    this.#shown = text;
    const focused = this.element.contains(document.activeElement) && document.activeElement?.getAttribute("href");
    this.element.replaceChildren(...parts);
    this.element.hidden = !parts.length;
    const links = /** @type {NodeListOf<HTMLAnchorElement>} */ (this.element.querySelectorAll("a[href]"));
    if (focused) [...links].find((link) => link.getAttribute("href") === focused)?.focus({ preventScroll: true });
  }
}

/**
 * @param {string} id
 * @param {AbortSignal} signal
 */
async function ofCompetition(id, signal) {
  const path = `/api/competitions/${encodeURIComponent(id)}`;
  const [table, scorers] = await Promise.all([
    optional(read(`${path}/table`, signal)),
    optional(read(`${path}/scorers`, signal)),
  ]);
  return [
    ...(table?.groups.length ? [standings(table)] : []),
    ...(table?.rounds.length ? [rounds(table)] : []),
    ...(scorers?.scorers.length ? [topScorers(scorers.scorers.slice(0, SCORERS_MOST))] : []),
  ];
}

/**
 * @param {string} id
 * @param {AbortSignal} signal
 */
async function ofTeam(id, signal) {
  /** @type {TeamPage} */
  const team = await read(`/api/teams/${encodeURIComponent(id)}`, signal);
  const paths = competitionsOf(team).map((competition) => `/api/competitions/${encodeURIComponent(competition)}/table`);
  /** @type {(CompetitionTable | null)[]} */
  const tables = await Promise.all(paths.map((path) => optional(read(path, signal))));
  const places = tables.flatMap((table) => {
    const row = table && rowOf(table, team.team.id);
    return row ? [place(table.competition, row)] : [];
  });
  return team.form.length || places.length ? [form(team.form, places)] : [];
}

/**
 * What is told of a competition may be half there: a cup has no scorers, a feed no table.
 *
 * @template T
 * @param {Promise<T>} answer
 * @returns {Promise<T | null>}
 */
async function optional(answer) {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Failure && error.status === 404) return null;
    throw error;
  }
}

/**
 * Those in which it played last or plays next.
 *
 * @param {Pick<TeamPage, "live" | "results" | "fixtures">} team
 */
export function competitionsOf({ live, results, fixtures }) {
  const ids = [...live, ...results, ...fixtures].flatMap(({ competition }) => (competition ? [competition.id] : []));
  return [...new Set(ids)].slice(0, STANDINGS_MOST);
}

/**
 * Its row, of the group that it plays in last.
 *
 * @param {Pick<CompetitionTable, "groups">} table
 * @param {string} teamId
 * @returns {TableRow | undefined}
 */
export function rowOf({ groups }, teamId) {
  return groups
    .flatMap(({ rows }) => rows)
    .filter(({ team }) => team.id === teamId)
    .at(-1);
}
