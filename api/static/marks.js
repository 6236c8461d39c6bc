/**
 * What the reader has marked, kept in this browser: pinned favourites, which nobody else learns of, and where the bell
 * is on.
 */

import { pathOf } from "./places.js";

// More than anybody reads; the oldest go.
const MOST = 500;

/** @typedef {"matches" | "teams" | "competitions"} Subject the words of the API */
/** @typedef {{subject: Subject, id: string, name: string}} Mark */
/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} Store */
/** @typedef {Pick<import("./bodies.js").Summary, "match_id" | "home_team" | "away_team" | "competition">} Match */

/** @type {Subject[]} */
export const SUBJECTS = ["matches", "teams", "competitions"];

export class Marks {
  #name;
  #store;
  /** @type {Map<string, Mark>} */ #marks;
  /** @type {Set<() => void>} */ #heard = new Set();

  /**
   * @param {string} name of the entry in the store
   * @param {Store | null} store null where storage is forbidden: marks then last as long as the page
   */
  constructor(name, store) {
    this.#name = name;
    this.#store = store;
    this.#marks = this.#read();
  }

  /** In the order in which they were made. */
  get all() {
    return [...this.#marks.values()];
  }

  /**
   * @param {Subject} subject
   * @param {string} id
   */
  has(subject, id) {
    return this.#marks.has(`${subject}/${id}`);
  }

  /**
   * Whether a match, one of its teams or its competition is marked.
   *
   * @param {Match} match
   */
  touches({ match_id: id, home_team: home, away_team: away, competition }) {
    if (!this.#marks.size) return false;
    const teams = [home?.id, away?.id].filter((team) => team !== null && team !== undefined);
    if (this.has("matches", id) || teams.some((team) => this.has("teams", team))) return true;
    return competition ? this.has("competitions", competition.id) : false;
  }

  /** @param {Mark} mark */
  add(mark) {
    this.replace([...this.all.filter((other) => keyOf(other) !== keyOf(mark)), mark]);
  }

  /** @param {{subject: Subject, id: string}} mark */
  remove({ subject, id }) {
    this.replace(this.all.filter((other) => other.subject !== subject || other.id !== id));
  }

  /** @param {Mark[]} marks */
  replace(marks) {
    this.#marks = new Map(marks.slice(-MOST).map((mark) => [keyOf(mark), mark]));
    this.#write();
    this.#tell();
  }

  /**
   * After each change, in this tab or another.
   *
   * @param {() => void} then
   * @returns {() => void} ends that
   */
  heed(then) {
    this.#heard.add(then);
    return () => this.#heard.delete(then);
  }

  /**
   * Another tab has written.
   *
   * @param {{key: string | null}} event of `storage`; null: everything was cleared
   */
  written({ key }) {
    if (key !== null && key !== this.#name) return;
    this.#marks = this.#read();
    this.#tell();
  }

  #tell() {
    for (const then of [...this.#heard]) then();
  }

  #read() {
    /** @type {unknown} */
    let kept = [];
    try {
      kept = JSON.parse(this.#store?.getItem(this.#name) ?? "[]");
    } catch {
      // Cut off, or written by hand.
    }
    const marks = Array.isArray(kept) ? kept.filter(isMark) : [];
    return new Map(marks.slice(-MOST).map((mark) => [keyOf(mark), mark]));
  }

  #write() {
    try {
      if (this.#marks.size) this.#store?.setItem(this.#name, JSON.stringify(this.all));
      else this.#store?.removeItem(this.#name);
    } catch {
      // Full, or forbidden meanwhile.
    }
  }
}

/** @param {{subject: Subject, id: string}} mark */
export function keyOf({ subject, id }) {
  return `${subject}/${id}`;
}

/**
 * Where a mark leads.
 *
 * @param {{subject: Subject, id: string}} mark
 */
export function addressOf({ subject, id }) {
  return pathOf(/** @type {const} */ ({ matches: "match", teams: "team", competitions: "competition" })[subject], id);
}

/**
 * @param {any} mark
 * @returns {mark is Mark}
 */
function isMark(mark) {
  return SUBJECTS.includes(mark?.subject) && typeof mark.id === "string" && typeof mark.name === "string";
}

/** @returns {Store | null} null where it is forbidden */
export function storage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

export const favourites = new Marks("favourites", storage());
export const bells = new Marks("bells", storage());
globalThis.window?.addEventListener("storage", (event) => {
  favourites.written(event);
  bells.written(event);
});
