/** One match: its score, its clock and its timeline. */

import { About, roundOf } from "./about.js";
import { badge, setBadge } from "./badge.js";
import { bdi, isolate } from "./bidi.js";
import { kickOffLong, name, scoreText, statusText, winner } from "./clock.js";
import { h, setAttribute, setText } from "./dom.js";
import { scored } from "./goals.js";
import { Meetings } from "./meetings.js";
import { pathOf } from "./places.js";
import { Failure, read } from "./read.js";
import { followMatch } from "./scores.js";
import { redCards, sentOff, setRedCards } from "./scoreline.js";
import { arrange, kickRow, moment, scorers } from "./timeline.js";
import { t } from "./words.js";

// As long as the highlight of style.css takes.
const HIGHLIGHT_MS = 6_000;
// The timeline is a cached document of its own and may be a moment behind the score.
const AGAIN_MS = 1_500;
const AGAIN_MOST = 4;

/** @typedef {import("./bodies.js").MatchScore} Score */
/** @typedef {import("./bodies.js").TimelineEvent} Event */

/** @type {import("./bodies.js").Side[]} */
const SIDES = ["home", "away"];

export class MatchPage {
  /** @type {HTMLElement} */ heading;
  /** @type {HTMLElement} */ element;
  /** @type {HTMLElement} */ competition;
  /** @type {Record<import("./bodies.js").Side, ReturnType<typeof side>>} */ sides;
  /** @type {HTMLElement} */ score;
  /** @type {HTMLElement} */ kicks;
  /** @type {HTMLElement} */ status;
  /** @type {HTMLElement} */ facts;
  /** @type {HTMLElement} */ marks;
  /** @type {HTMLElement} */ head;
  /** @type {HTMLElement} */ shootout;
  /** @type {HTMLElement} */ timeline;
  /** @type {HTMLElement} */ quiet;
  /** @type {About} */ about;
  /** @type {Meetings} */ meetings;
  /** @type {HTMLElement} */ body;
  /** @type {HTMLElement} */ notice;
  /** Set by the first body; what a body leads to runs after that. @type {Score} */ match;
  /** @type {import("./bodies.js").Metadata | undefined} */ metadata;
  /** Entries of the timeline as shown. @type {Map<string, {text: string, element: HTMLElement}> | undefined} */ told;
  /** Whether the timeline is being read. */ loading = false;
  /** The version of the timeline that is shown. */ eventsVersion = 0;
  /** @type {number | undefined} */ timer;
  /** @type {() => void} */ settle;

  /**
   * @param {string} id
   * @param {import("./app.js").Shell} shell
   */
  constructor(id, shell) {
    this.shell = shell;
    this.title = t("Match");
    this.id = id;
    this.leaving = new AbortController();
    /** Kept once there is something to scroll through. @type {Promise<void>} */
    this.ready = new Promise((resolve) => (this.settle = resolve));
    this.#build();
    this.feed = followMatch(this.id, { onChange: (body) => this.#score(body), onState: (state) => this.#state(state) });
    this.metadataRead = this.#loadMetadata();
  }

  close() {
    this.leaving.abort();
    this.feed.close();
    clearTimeout(this.timer);
  }

  tick() {
    if (this.match?.phase === "live") this.#clock();
  }

  #build() {
    this.heading = h("h1", { tabindex: "-1", class: "hidden" }, t("Match"));
    this.competition = h("p", { class: "competition" });
    this.sides = { home: side(), away: side() };
    this.score = h("p", { class: "big-score" });
    this.kicks = h("p", { class: "kicks-line" });
    this.status = h("p", { class: "status" });
    this.facts = h("dl", { class: "facts" });
    const middle = h("div", { class: "middle" }, this.score, this.kicks, this.status);
    this.marks = h("follow-buttons", { subject: "matches", "subject-id": this.id });
    this.head = h(
      "header",
      { class: "match-head" },
      this.competition,
      h("div", { class: "versus" }, this.sides.home.element, middle, this.sides.away.element),
      this.marks,
    );
    this.shootout = h("section", { class: "shootout", "aria-label": t("Penalty shoot-out"), hidden: true });
    this.timeline = h("ol", { class: "timeline" });
    this.quiet = h("p", { class: "quiet", hidden: true }, t("Nothing to tell yet"));
    const story = h(
      "section",
      { class: "story", "aria-labelledby": "story-title" },
      h("h2", { id: "story-title" }, t("Timeline")),
      this.timeline,
      this.quiet,
    );
    this.about = new About(this.id, this.leaving.signal);
    this.meetings = new Meetings(this.id, this.leaving.signal);
    this.meetingsRead = this.meetings.refresh();
    const parts = [this.head, this.shootout, story, this.about.element, this.meetings.element, this.facts];
    this.body = h("div", { class: "match-body", hidden: true }, ...parts);
    this.notice = h("div", { class: "notice" }, h("p", { class: "loading" }, t("Loading")));
    this.element = h("article", { class: "match" }, this.heading, this.notice, this.body);
  }

  /** @param {import("./scores.js").State} state */
  #state(state) {
    this.shell.indicate(state, this.feed);
    if (this.match) return;
    if (state === "missing") this.#unknown();
    if (state === "reconnecting" || state === "offline") this.#unreachable();
  }

  /** @param {Score} match */
  #score(match) {
    const news = scored(this.match, match);
    this.match = match;
    this.notice.replaceChildren();
    this.body.hidden = false;
    const won = winner(match);
    for (const at of SIDES) {
      const parts = this.sides[at];
      setText(parts.name, name(match[`${at}_team`]));
      setAttribute(
        parts.name,
        "href",
        match[`${at}_team`].id ? pathOf("team", String(match[`${at}_team`].id)) : null,
      );
      setBadge(parts.badge, match[`${at}_team`].name);
      setRedCards(parts.redCards, sentOff(match.cards, at));
      setAttribute(parts.element, "data-lost", won && won !== at ? "" : null);
    }
    setText(this.score, scoreText({ ...match, shootout: null }));
    setText(this.kicks, match.shootout ? `(${match.shootout.home}–${match.shootout.away} ${t("p")})` : "");
    setAttribute(this.head, "data-phase", match.phase);
    setText(this.heading, this.#between("–"));
    setAttribute(this.marks, "name", this.#between("–"));
    this.#league();
    this.#clock();
    this.#facts();
    const about = this.about.refresh(match.phase, { home: name(match.home_team), away: name(match.away_team) });
    if (news) this.#highlight(news);
    if (news) setTimeout(() => this.meetings.refresh(), AGAIN_MS * (0.5 + Math.random()));
    // The light says otherwise of a match that is over, whose state is the same.
    if (this.feed?.state) this.shell.indicate(this.feed.state, this.feed);
    const story = this.#loadEvents();
    Promise.all([about, story, this.metadataRead, this.meetingsRead]).then(() => this.told && this.settle());
  }

  #league() {
    const { competition } = this.match;
    const link =
      competition && h("a", { href: pathOf("competition", competition.id) }, bdi(competition.name));
    if (this.competition.textContent !== (competition?.name ?? ""))
      this.competition.replaceChildren(...(link ? [link] : []));
  }

  #clock() {
    const now = this.feed.now();
    const text = statusText(this.match, now);
    if (this.status.textContent === text) return;
    this.status.textContent = text;
    const score = this.match.home_score === null ? "–" : scoreText({ ...this.match, shootout: null });
    this.shell.retitle(this.#between(score));
  }

  /**
   * Both names, home first whichever way they are read.
   *
   * @param {string} score
   */
  #between(score) {
    return `${isolate(name(this.match.home_team))} ${score} ${isolate(name(this.match.away_team))}`;
  }

  /** @param {import("./goals.js").News} news */
  #highlight(news) {
    if (news.text) this.shell.announce(news.text);
    clearTimeout(this.timer);
    this.head.dataset.scored = news.kind;
    this.timer = setTimeout(() => delete this.head.dataset.scored, HIGHLIGHT_MS);
    this.shell.retitle(this.#between(scoreText({ ...this.match, shootout: null })));
  }

  #facts() {
    /** @type {[string, string | null | undefined][]} */
    const rows = [
      [t("Kick-off"), kickOffLong(this.match)],
      [t("Competition"), this.match.competition?.name],
      [t("Round"), roundOf(this.metadata)],
      [t("Venue"), this.metadata?.venue],
    ];
    this.facts.replaceChildren(
      ...rows.flatMap(([term, value]) => (value ? [h("dt", {}, term), h("dd", {}, bdi(value))] : [])),
    );
  }

  async #loadMetadata() {
    /** @type {import("./bodies.js").Metadata} */
    let metadata;
    try {
      metadata = await read(`/api/matches/${encodeURIComponent(this.id)}`, this.leaving.signal);
    } catch (error) {
      // The score's own feed tells what is wrong, and tries again; a venue is not worth a second telling.
      if (error instanceof Failure || this.leaving.signal.aborted) return;
      throw error;
    }
    this.metadata = metadata;
    // A replaced match redirects to the one that took its place.
    if (metadata.match_id !== this.id) this.shell.go(pathOf("match", metadata.match_id), { replace: true });
    else if (this.match) this.#facts();
  }

  /** Reads until the timeline has the score's newest event; one reader at a time, and nothing where it has. */
  async #loadEvents() {
    if (this.loading || this.eventsVersion >= this.match.events_version) return;
    this.loading = true;
    try {
      for (let tries = 0; tries < AGAIN_MOST; tries += 1) {
        /** @type {import("./bodies.js").Timeline} */
        const body = await read(`/api/matches/${encodeURIComponent(this.id)}/events`, this.leaving.signal);
        this.#story(body.events);
        this.eventsVersion = body.version;
        if (body.version >= this.match.events_version) break;
        await pause(AGAIN_MS * (0.5 + Math.random()));
        if (this.leaving.signal.aborted) break;
      }
    } catch (error) {
      if (!(error instanceof Failure) && !this.leaving.signal.aborted) throw error;
    } finally {
      this.loading = false;
    }
  }

  /**
   * Entries that did not change keep their element, so that only the new one appears.
   *
   * @param {Event[]} events
   */
  #story(events) {
    const { moments, kicks } = arrange(events);
    const sides = { home: name(this.match.home_team), away: name(this.match.away_team) };
    const known = this.told ?? new Map();
    const shown = new Map();
    this.told = shown;
    const items = moments.map((event) => {
      const text = JSON.stringify(event);
      const kept = known.get(event.id);
      const element = kept?.text === text ? kept.element : moment(event, sides);
      if (!kept && known.size) element.classList.add("new");
      shown.set(event.id, { text, element });
      return element;
    });
    if (items.length !== this.timeline.children.length || items.some((item, i) => item !== this.timeline.children[i]))
      this.timeline.replaceChildren(...items);
    this.quiet.hidden = items.length > 0;
    this.shootout.hidden = !kicks.length;
    if (kicks.length)
      this.shootout.replaceChildren(
        h("h2", {}, t("Shoot-out")),
        h("ul", {}, kickRow(kicks, "home", sides.home), kickRow(kicks, "away", sides.away)),
      );
    for (const at of SIDES) {
      const parts = this.sides[at];
      const lines = scorers(events, at);
      if (parts.scorers.textContent !== lines.join(""))
        parts.scorers.replaceChildren(...lines.map((line) => h("li", {}, line)));
    }
  }

  #unknown() {
    this.title = t("There is no such match");
    this.shell.retitle(this.title);
    setText(this.heading, this.title);
    this.notice.replaceChildren(
      h(
        "div",
        { class: "empty" },
        h("p", {}, this.title),
        h("p", { class: "small" }, t("It may have been removed, or the link is mistyped.")),
        h("a", { class: "button", href: "/" }, t("All matches")),
      ),
    );
    this.settle();
  }

  #unreachable() {
    const retry = () => this.feed.refresh();
    this.notice.replaceChildren(
      h(
        "div",
        { class: "empty", role: "alert" },
        h("p", {}, t("This match cannot be reached just now.")),
        h("button", { type: "button", click: retry }, t("Try again")),
      ),
    );
  }
}

function side() {
  const name = h("a", { class: "name", dir: "auto" });
  const made = { badge: badge(null), name, redCards: redCards(), scorers: h("ul", { class: "scorers" }) };
  return { ...made, element: h("div", { class: "side" }, made.badge, made.name, made.redCards, made.scorers) };
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
