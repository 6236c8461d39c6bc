/** Addresses of the pages, and which page an address is of. */

import { parseDay } from "./days.js";

/**
 * `id` is the match, team or competition; `day` is null on today's board.
 *
 * @typedef {{kind: "match" | "team" | "competition" | "day", id: string, day: string | null}} Place
 */

/** @typedef {"match" | "team" | "competition"} Kind */

const OF_ONE = /^\/(match|team|competition)\/([^/]+)$/;

/**
 * Null where it is of none of the pages that are views. Days, teams and competitions once were parameters of the board.
 *
 * @param {URL} url
 * @returns {Place | null}
 */
export function placeOf({ pathname, searchParams }) {
  const one = OF_ONE.exec(pathname);
  if (one) return { kind: /** @type {Kind} */ (one[1]), id: decodeURIComponent(one[2]), day: null };
  if (pathname.startsWith("/day/")) return { kind: "day", id: "", day: parseDay(pathname.slice(5)) };
  if (pathname !== "/") return null;
  for (const kind of /** @type {Kind[]} */ (["team", "competition"])) {
    const id = searchParams.get(kind);
    if (id) return { kind, id, day: null };
  }
  return { kind: "day", id: "", day: parseDay(searchParams.get("date")) };
}

/**
 * @param {Kind} kind
 * @param {string} id
 */
export function pathOf(kind, id) {
  return `/${kind}/${encodeURIComponent(id)}`;
}
