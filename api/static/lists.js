/** Lists of rows, grouped under headings and kept in order while rows come, move and go. */

import { bdi } from "./bidi.js";
import { h } from "./dom.js";
import { Row } from "./row.js";

/**
 * Where a match is listed; groups stand in the order of `order`.
 *
 * @typedef {{section: string, key: string, order: string | number, title: string, href: string | null}} Place
 */

/** @typedef {import("./bodies.js").Summary} Summary */

/** All rows by match id, each in one group of one section. */
export class Lists {
  /** @type {Map<string, Row>} */ rows = new Map();

  /**
   * @param {Record<string, Section>} sections
   * @param {(match: Summary) => Place | null} placeOf null hides a match
   */
  constructor(sections, placeOf) {
    this.sections = sections;
    this.placeOf = placeOf;
  }

  /**
   * Takes a body from anywhere; the newest version wins. Returns what was scored, null if nothing.
   *
   * @param {Summary} match
   * @param {number} now ms since the epoch
   */
  put(match, now) {
    const row = this.rows.get(match.match_id);
    if (!row) {
      const made = new Row(match, now);
      this.rows.set(match.match_id, made);
      this.#settle(made);
      return null;
    }
    const before = row.match;
    const news = row.update(match, now);
    if (row.match !== before) this.#settle(row);
    return news;
  }

  /** @param {string} matchId */
  remove(matchId) {
    const row = this.rows.get(matchId);
    if (row) row.group?.remove(row);
    this.rows.delete(matchId);
  }

  /** Each row where it belongs by now. */
  arrange() {
    for (const row of this.rows.values()) this.#settle(row);
  }

  /** Rows whose clock may run. */
  *running() {
    for (const row of this.rows.values()) if (row.match.phase === "live") yield row;
  }

  /** @param {Row} row */
  #settle(row) {
    const place = this.placeOf(row.match);
    const group = place ? this.sections[place.section].group(place) : null;
    if (row.group && row.group !== group) row.group.remove(row);
    group?.put(row);
    row.group = group;
  }
}

/** A heading with groups under it; hidden while it has none. */
export class Section {
  /** @type {Map<string, Group>} */ groups = new Map();

  /**
   * @param {string} id
   * @param {string} title
   */
  constructor(id, title) {
    this.count = h("span", { class: "count" });
    this.body = h("div", { class: "groups" });
    const heading = h("h2", { id: `${id}-title` }, title, " ", this.count);
    this.element = h(
      "section",
      { class: `section ${id}`, "aria-labelledby": `${id}-title`, hidden: true },
      heading,
      this.body,
    );
  }

  /** @param {Place} place */
  group(place) {
    const before = this.groups.get(place.key);
    if (before) return before;
    const group = new Group(this, place);
    this.groups.set(place.key, group);
    const next = [...this.groups.values()]
      .filter((other) => other.order > group.order)
      .sort((a, b) => (a.order < b.order ? -1 : 1))[0];
    this.body.insertBefore(group.element, next?.element ?? null);
    return group;
  }

  /**
   * After a row came or went.
   *
   * @param {Group} group
   */
  changed(group) {
    // Groups out of sight are not laid out (style.css); this is what the scrollbar takes them for.
    group.element.style.setProperty("--rows", String(group.rows.length));
    if (!group.rows.length) {
      group.element.remove();
      this.groups.delete(group.key);
    }
    let size = 0;
    for (const one of this.groups.values()) size += one.rows.length;
    this.element.hidden = !size;
    this.count.textContent = size ? String(size) : "";
  }
}

/** The rows under one competition or day, by kick-off. */
export class Group {
  /** @type {Row[]} */ rows = [];

  /**
   * @param {Section} section
   * @param {Place} place
   */
  constructor(section, { key, order, title, href }) {
    this.section = section;
    this.key = key;
    this.order = order;
    this.list = h("ul", { class: "rows" });
    const name = bdi(title);
    this.element = h("div", { class: "group" }, h("h3", {}, href ? h("a", { href }, name) : name), this.list);
  }

  /** @param {Row} row */
  put(row) {
    const order = orderOf(row);
    if (row.group === this && row.order === order) return;
    if (row.group === this) this.rows.splice(this.rows.indexOf(row), 1);
    row.order = order;
    const at = place(this.rows, order);
    this.list.insertBefore(row.element, this.rows[at]?.element ?? null);
    this.rows.splice(at, 0, row);
    this.section.changed(this);
  }

  /** @param {Row} row */
  remove(row) {
    this.rows.splice(this.rows.indexOf(row), 1);
    row.element.remove();
    this.section.changed(this);
  }
}

/** @param {Row} row */
function orderOf({ match }) {
  return `${match.start_time ?? "~"} ${match.match_id}`;
}

/**
 * Where it belongs, by halving.
 *
 * @param {Row[]} rows
 * @param {string} order
 */
function place(rows, order) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].order < order) low = middle + 1;
    else high = middle;
  }
  return low;
}
