/** The board: what is live now and one day's matches; or all matches of a team or a competition around today. */

import { bdi, isolate } from "./bidi.js";
import { name } from "./clock.js";
import { dayOf, dayPicker, longName, plus, today, zone } from "./days.js";
import { h } from "./dom.js";
import { Lists, Section } from "./lists.js";
import { favourites } from "./marks.js";
import { pathOf } from "./places.js";
import { read, readMatches } from "./read.js";
import { Row } from "./row.js";
import { followBoard } from "./scores.js";
import { Tables } from "./tables.js";
import { t } from "./words.js";

// Kick-offs move and results are confirmed by the minute, not by the second: those come by the live feed.
const AGAIN_MS = 60_000;
// A match that has left the live list is asked for by itself, soon, and by its many readers not at once; more than a
// few of them are quicker read with their day's list.
const LEFT_MS = 500;
const LEFT_MOST = 8;
// A team's or competition's list: what people call recent, and what is coming.
const BACK_DAYS = 14;
const NEXT_MOST = 5;

/** @typedef {import("./bodies.js").Summary} Summary */
/** @typedef {import("./read.js").Failure} Failure */

const GONE = new Set(["removed", "replaced"]);
const IN_PLAY = new Set(["live", "break"]);

export class Board {
  /** @type {Lists} */ lists;
  /** @type {HTMLElement} */ heading;
  /** @type {HTMLElement} */ element;
  /** @type {HTMLElement} */ notice;
  /** @type {HTMLElement} */ skeleton;
  /** @type {HTMLElement} */ body;
  /** The ids of the live list, once it was read. @type {Set<string> | undefined} */ liveIds;
  /** Whether the day's list was read. */ loaded = false;
  /** Why it could not be. @type {Failure | null} */ failure = null;
  /** What comes after a day without matches. @type {Summary[]} */ nextMatches = [];
  /** @type {number | undefined} */ timer;
  /** @type {number | null} */ leftTimer = null;
  /** @type {() => void} */ settle;
  /** @type {import("./scores.js").Feed<import("./bodies.js").LiveBoard> | null} */ feed = null;

  /**
   * @param {import("./places.js").Place} place
   * @param {import("./app.js").Shell} shell
   */
  constructor(place, shell) {
    this.shell = shell;
    this.leaving = new AbortController();
    this.day = place.day ?? today();
    this.team = place.kind === "team" ? place.id : null;
    this.competition = place.kind === "competition" ? place.id : null;
    this.ofDay = place.kind === "day";
    this.isToday = this.ofDay && this.day === today();
    this.title = this.isToday ? t("Live scores") : this.ofDay ? longName(this.day) : (served() ?? t("Matches"));
    /** Kept once there is something to scroll through. @type {Promise<void>} */
    this.ready = new Promise((resolve) => (this.settle = resolve));
    const subject = this.team ?? this.competition;
    /** Of a team or a competition. */
    this.tables = subject === null ? null : new Tables(this.team ? "team" : "competition", subject, this.leaving.signal);
    this.#build();
    this.forget = favourites.heed(() => this.lists.arrange());
    if (this.isToday) this.#follow();
    this.#load();
  }

  close() {
    this.leaving.abort();
    this.forget();
    this.feed?.close();
    clearTimeout(this.timer);
    clearTimeout(this.leftTimer ?? undefined);
  }

  /** The live list, from when something on this page may be in play: a page of the past costs nobody anything. */
  #follow() {
    this.feed ??= followBoard({
      onChange: (body, difference) => this.#live(body, difference),
      onState: (state) => this.shell.indicate(state, this.feed ?? undefined),
    });
  }

  /** By the server's clock, where it is known. */
  #now() {
    return this.feed?.now() ?? Date.now();
  }

  tick() {
    const now = this.#now();
    for (const row of this.lists.running()) row.tick(now);
    // Midnight has passed: today's board is another day's.
    if (this.isToday && this.day !== today()) this.shell.go("/", { replace: true });
  }

  #build() {
    /** @type {Record<string, Section>} */
    const sections = this.isToday
      ? {
          yours: new Section("yours", t("Pinned")),
          live: new Section("live", t("Live now")),
          next: new Section("next", t("Upcoming")),
          done: new Section("done", t("Finished")),
          off: new Section("off", t("Postponed and cancelled")),
        }
      : this.ofDay
        ? { all: new Section("all", longName(this.day)) }
        : { next: new Section("next", t("Now and next")), done: new Section("done", t("Results")) };
    this.lists = new Lists(sections, (match) => this.#place(match));
    this.heading = h("h1", { tabindex: "-1", class: this.isToday ? "hidden" : "" }, bdi(this.title));
    this.notice = h("div", { class: "notice" });
    this.skeleton = skeleton();
    const { yours, ...unpinned } = sections;
    const [first, ...others] = Object.values(unpinned).map((section) => section.element);
    // A day's one list has the day's name above it already.
    if (this.ofDay && !this.isToday) /** @type {HTMLElement} */ (first.querySelector("h2")).classList.add("hidden");
    const days = this.ofDay ? dayPicker(this.day, (address) => this.shell.go(address)) : null;
    const lead = h("div", { class: "lead" }, this.skeleton, yours?.element ?? null, this.notice, first);
    this.body = h(
      "div",
      { class: this.isToday ? "columns" : "column" },
      lead,
      this.tables?.element ?? null,
      ...others,
    );
    this.element = h("div", { class: "board" }, this.heading, this.#marks(), days, this.body);
    this.tables?.ready.then(() => this.#arrange());
    this.element.setAttribute("aria-busy", "true");
  }

  /** Where there are tables, they stand beside the matches. */
  #arrange() {
    if (this.tables?.element.hidden === false) this.body.className = "columns subject";
  }

  /** Of a team's or a competition's list: star and bell. */
  #marks() {
    if (this.ofDay) return null;
    const [subject, id] = this.team ? ["teams", this.team] : ["competitions", this.competition];
    return h("follow-buttons", { subject, "subject-id": id });
  }

  /**
   * @param {Summary} match
   * @returns {import("./lists.js").Place | null}
   */
  #place(match) {
    if (GONE.has(match.status)) return null;
    const { competition } = match;
    if (!this.ofDay) return placeByDay(match);
    const title = competition?.name ?? t("Other matches");
    const href = competition ? pathOf("competition", competition.id) : null;
    const key = `${title} ${competition?.id}`;
    const section = !this.isToday ? "all" : favourites.touches(match) ? "yours" : sectionOf(match);
    return { section, key, order: key, title, href };
  }

  /**
   * The live list. It adds rows only to today's board; elsewhere it brings those listed up to date.
   *
   * @param {import("./bodies.js").LiveBoard} body
   * @param {import("./scores.js").Difference} [difference]
   */
  #live(body, difference) {
    const now = this.#now();
    this.liveIds = new Set(body.matches.map((match) => match.match_id));
    // One that ended is told of for the last time.
    for (const match of [...body.matches, ...(difference?.changed ?? [])]) {
      if (this.isToday || this.lists.rows.has(match.match_id)) this.#put(match, now);
    }
    this.#show();
    if (this.#left().length) this.#askAfterLeft();
  }

  /** Rows said to be in play that the live list no longer has: over, and their own documents say how. */
  #left() {
    const { liveIds } = this;
    if (!liveIds) return [];
    const inPlay = [...this.lists.rows.values()].filter(({ match }) => IN_PLAY.has(match.phase));
    return inPlay.filter(({ match }) => !liveIds.has(match.match_id));
  }

  /**
   * @param {Summary} match
   * @param {number} now ms since the epoch
   */
  #put(match, now) {
    const phase = this.lists.rows.get(match.match_id)?.match.phase;
    const news = this.lists.put(match, now);
    if (news?.text) this.shell.announce(news.text, favourites.touches(match));
    // Kick-off and final whistle move a table as well.
    if (news || (phase && phase !== match.phase)) this.tables?.stir();
  }

  /** Once at a time; what still seems to be in play after that is left to the day's list. */
  #askAfterLeft() {
    this.leftTimer ??= setTimeout(async () => {
      const left = this.#left();
      if (left.length <= LEFT_MOST) await this.#readEach(left);
      this.leftTimer = null;
      this.#show();
      if (this.#left().length) this.#loadAfter(LEFT_MS);
    }, Math.random() * LEFT_MS);
  }

  /** @param {Row[]} rows */
  async #readEach(rows) {
    const reads = rows.map(({ match }) => read(`/api/score/${match.match_id}`, this.leaving.signal));
    for (const answer of await Promise.allSettled(reads))
      if (answer.status === "fulfilled") this.#put(answer.value, this.#now());
  }

  async #load() {
    try {
      const matches = await readMatches(this.#query(), this.leaving.signal);
      const listed = new Set(matches.map((match) => match.match_id));
      for (const match of matches) this.#put(match, this.#now());
      if (matches.some((match) => IN_PLAY.has(match.phase))) this.#follow();
      for (const { match } of this.#left()) if (!listed.has(match.match_id)) this.lists.remove(match.match_id);
      this.loaded = true;
      this.failure = null;
      // The day as the service worker has kept it: nothing that is live comes now.
      if (!navigator.onLine) this.settle();
      if (!this.feed) this.shell.indicate("polling", { body: { poll_after_ms: AGAIN_MS } });
      this.#name(matches);
      if (this.isToday && !this.liveIds?.size && !this.#upcoming()) await this.#loadNext();
      this.#loadAfter(AGAIN_MS);
    } catch (error) {
      if (this.leaving.signal.aborted) return;
      this.failure = /** @type {Failure} */ (error);
      if (!this.feed) this.shell.indicate("reconnecting");
      this.#loadAfter(AGAIN_MS / 4);
    }
    this.#show();
  }

  /** @param {number} ms */
  #loadAfter(ms) {
    if (this.leaving.signal.aborted) return;
    clearTimeout(this.timer);
    // In a hidden tab nobody looks: the first moment somebody does is soon enough.
    this.timer = setTimeout(() => (document.hidden ? this.#loadAfter(ms) : this.#load()), ms * (1 + Math.random() / 4));
  }

  /** @returns {Record<string, string>} */
  #query() {
    if (this.ofDay) return { date: this.day, tz: zone };
    const from = `${plus(today(), -BACK_DAYS)}T00:00:00Z`;
    return this.team ? { team: this.team, from } : { competition: String(this.competition), from };
  }

  /**
   * A team's page is named by what its matches call it.
   *
   * @param {Summary[]} matches
   */
  #name(matches) {
    if (this.ofDay || !matches.length) return;
    const { home_team: home, away_team: away, competition } = matches[0];
    const team = home.id === this.team ? home : away;
    this.title = this.team ? name(team) : (competition?.name ?? this.title);
    this.heading.replaceChildren(bdi(this.title));
    this.element.querySelector("follow-buttons")?.setAttribute("name", this.title);
    this.shell.retitle(isolate(this.title));
  }

  #upcoming() {
    return [...this.lists.rows.values()].some(({ match }) => match.phase === "scheduled");
  }

  /** Nothing today: what comes after it. */
  async #loadNext() {
    const query = { status: "scheduled", from: new Date(this.#now()).toISOString(), limit: String(NEXT_MOST) };
    const response = await fetch(`/api/matches?${new URLSearchParams(query)}`, { signal: this.leaving.signal });
    this.nextMatches = response.ok ? (await response.json()).matches : [];
  }

  /** Skeleton, notice and lists, by what is known. */
  #show() {
    const known = this.lists.rows.size > 0;
    const waiting = !this.loaded && !this.failure && !known;
    this.skeleton.hidden = !waiting;
    this.element.setAttribute("aria-busy", String(waiting));
    const notice = this.failure && !known ? this.#error(this.failure) : waiting ? null : this.#empty();
    this.notice.replaceChildren(...(notice ? [notice] : []));
    // Without the day's list, what is live is still worth more than a page that does not move.
    const isComplete = this.loaded || (this.failure && known);
    if (isComplete && (this.liveIds || !this.feed)) (this.tables?.ready ?? Promise.resolve()).then(this.settle);
  }

  /** @param {Failure} failure */
  #error(failure) {
    const retry = () => {
      this.feed?.refresh();
      this.#load();
    };
    const said = failure.status === 400 ? failure.message : t("The scores cannot be reached just now.");
    return h(
      "div",
      { class: "empty", role: "alert" },
      h("p", {}, said),
      h("button", { type: "button", click: retry }, t("Try again")),
    );
  }

  #empty() {
    if (!this.isToday)
      return this.lists.rows.size
        ? null
        : h("div", { class: "empty" }, h("p", {}, t(this.ofDay ? "No matches on this day" : "No matches around today")));
    if (this.liveIds === undefined || this.liveIds.size || this.#left().length) return null;
    const next = this.nextMatches;
    const rows = next.map((match) => new Row(match, this.#now()).element);
    const coming = next.length
      ? [
          h("h3", {}, `${t("Next kick-offs")}, ${longName(dayOf(new Date(next[0].start_time ?? 0)))}`),
          h("ul", { class: "rows" }, ...rows),
        ]
      : [];
    return h("div", { class: "empty" }, h("p", {}, t("No matches right now")), ...coming);
  }
}

/** @param {Summary} match */
function sectionOf({ status, phase }) {
  if (IN_PLAY.has(phase)) return "live";
  if (phase === "finished" || status === "abandoned") return "done";
  return phase === "off" ? "off" : "next";
}

/** What the server has called this team or competition, which may have no match around today. */
function served() {
  return document.querySelector("[data-served] h1")?.textContent;
}

/**
 * What is coming in order of days, what is over with the latest day first.
 *
 * @param {Summary} match
 * @returns {import("./lists.js").Place}
 */
function placeByDay(match) {
  const day = match.start_time ? dayOf(new Date(match.start_time)) : null;
  const section = sectionOf(match) === "done" ? "done" : "next";
  const at = day ? Date.parse(day) : Infinity;
  return {
    section,
    key: `${day}`,
    order: section === "done" ? -at : at,
    title: day ? longName(day) : t("To be decided"),
    href: null,
  };
}

function skeleton() {
  const row = () =>
    h(
      "li",
      { class: "row" },
      h("span", { class: "clock" }),
      h("span", { class: "bar" }),
      h("span", { class: "bar short" }),
    );
  const rows = Array.from({ length: 6 }, row);
  return h(
    "div",
    { class: "skeleton", hidden: true },
    h("p", { class: "hidden" }, t("Loading")),
    h("ul", { class: "rows", "aria-hidden": "true" }, ...rows),
  );
}
