/** The demo's two phones: their lock screens, as the emulators of Apple's and Google's services hold them. */

import { bdi } from "./bidi.js";
import { h, setText } from "./dom.js";

const POLL_MS = 1_000;
const AGAIN_MS = 5_000;
// Who listens instead of looking hears of goals from the board already: here a word now and then is enough.
const QUIET_MS = 15_000;

/** "now", "3 min. ago", in the phone's language. @param {number} seconds */
export function ago(seconds, locale) {
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "narrow" });
  if (seconds < 60) return format.format(0, "second");
  return seconds < 3_600 ? format.format(-Math.floor(seconds / 60), "minute") : hourOf(seconds, format);
}

function hourOf(seconds, format) {
  const hours = Math.floor(seconds / 3_600);
  return hours < 24 ? format.format(-hours, "hour") : format.format(-Math.floor(hours / 24), "day");
}

/** What came to a phone since it was last looked at, newest first. */
export function arrived(before, screen) {
  const known = new Map(before.map(({ id, at }) => [id, at]));
  return screen.filter(({ id, at }) => known.get(id) !== at);
}

class Notification {
  constructor() {
    this.app = h("span", { class: "from" }, "Live scores");
    this.time = h("time");
    this.title = h("b");
    this.body = h("p");
    this.element = h("li", { class: "push" }, h("i", { "aria-hidden": "true" }), this.app, this.time, this.title, this.body);
  }

  show({ at, title, body }, isNew) {
    setText(this.title, title);
    setText(this.body, body);
    this.at = at;
    if (!isNew) return;
    this.element.classList.remove("new");
    void this.element.offsetWidth; // the animation begins again only for a box that was laid out without it
    this.element.classList.add("new");
  }

  tick(now, locale) {
    setText(this.time, ago(now - this.at, locale));
  }
}

/** A match from kick-off to an hour after its end, above the notifications. */
class LiveActivity {
  constructor() {
    this.competition = bdi("");
    this.home = h("span", { dir: "auto" });
    this.score = h("b");
    this.away = h("span", { dir: "auto" });
    this.element = h("section", { class: "activity" }, h("small", {}, this.competition), this.home, this.score, this.away);
  }

  show({ attributes, state, ended }) {
    setText(this.competition, attributes.competition ?? "");
    setText(this.home, attributes.home_team);
    setText(this.score, state.home_score === null ? "–" : `${state.home_score}–${state.away_score}`);
    setText(this.away, attributes.away_team);
    this.element.classList.toggle("ended", ended);
  }
}

class Phone {
  constructor({ name, platform, locale, about }) {
    this.name = name;
    this.locale = locale;
    this.shown = new Map();
    this.running = new Map();
    this.screen = null;
    this.count = h("span", { class: "count" });
    this.clock = h("p", { class: "hour" });
    this.date = h("p", { class: "date" });
    this.list = h("ul", { tabindex: "0", lang: locale, "aria-label": `Notifications on the ${name}` });
    this.activities = h("div", { class: "activities", lang: locale, role: "group", "aria-label": `Live Activities on the ${name}` });
    this.none = h("p", { class: "none" }, "Nothing yet");
    const glass = h("div", { class: "glass" }, h("div", { class: "head", lang: locale, "aria-hidden": "true" }, this.clock, this.date), this.activities, this.list, this.none);
    const heading = h("h3", {}, name, h("small", {}, about), this.count);
    this.element = h("article", { class: "phone", "data-platform": platform }, heading, glass);
  }

  /** @returns {object[]} what is new, nothing the first time */
  show({ pushes, screen, activities }, now) {
    const first = this.screen === null;
    const fresh = arrived(this.screen ?? [], screen);
    this.screen = screen;
    setText(this.count, `${pushes} ${pushes === 1 ? "push" : "pushes"}`);
    this.none.hidden = screen.length > 0 || activities.length > 0;
    this.#follow(activities);
    if (fresh.length || this.shown.size !== screen.length) this.#arrange(fresh, !first);
    this.tick(now);
    return first ? [] : fresh;
  }

  /** The newest on top; one that replaces another is the same card. */
  #arrange(fresh, animated) {
    const before = this.shown;
    this.shown = new Map(this.screen.map((push) => [push.id, before.get(push.id) ?? new Notification()]));
    this.list.replaceChildren(...[...this.shown.values()].map(({ element }) => element));
    for (const push of this.screen) if (fresh.includes(push)) this.shown.get(push.id).show(push, animated);
    if (animated && fresh.length) this.list.scrollTop = 0;
  }

  #follow(activities) {
    const before = this.running;
    this.running = new Map(activities.map(({ id }) => [id, before.get(id) ?? new LiveActivity()]));
    const changed = [...this.running.keys()].join("\n") !== [...before.keys()].join("\n");
    if (changed) this.activities.replaceChildren(...[...this.running.values()].map(({ element }) => element));
    this.activities.hidden = activities.length === 0;
    for (const one of activities) this.running.get(one.id).show(one);
  }

  tick(now) {
    const date = new Date(now * 1_000);
    setText(this.clock, date.toLocaleTimeString(this.locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }));
    setText(this.date, date.toLocaleDateString(this.locale, { weekday: "long", day: "numeric", month: "long" }));
    for (const one of this.shown.values()) one.tick(now, this.locale);
  }
}

/** The panel, brought up to date while somebody can see it. */
class Panel {
  constructor(element) {
    this.source = element.dataset.source;
    this.table = element.querySelector(".table");
    this.notice = element.querySelector(".notice");
    this.announcer = element.querySelector("[role=status]");
    const link = document.querySelector(".to-phones");
    this.sum = link.querySelector("span");
    // The way there is of no use once one is there, and would lie on what one came for.
    new IntersectionObserver(([{ isIntersecting }]) => (link.hidden = isIntersecting)).observe(this.table);
    this.phones = [];
    this.saidAt = 0;
    document.addEventListener("visibilitychange", () => document.hidden || this.#poll());
    this.#poll();
  }

  async #poll() {
    clearTimeout(this.timer);
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    let rest = POLL_MS;
    try {
      const response = await fetch(this.source, { signal: AbortSignal.any([asking.signal, AbortSignal.timeout(5_000)]) });
      if (!response.ok) throw new Error(`${response.status}`);
      this.#show(await response.json());
      this.notice.hidden = true;
    } catch {
      if (asking.signal.aborted) return;
      this.notice.hidden = false;
      rest = AGAIN_MS;
    }
    if (!document.hidden) this.timer = setTimeout(() => this.#poll(), rest);
  }

  #show({ now, phones }) {
    if (phones.length !== this.phones.length) {
      this.phones = phones.map((phone) => new Phone(phone));
      this.table.replaceChildren(...this.phones.map(({ element }) => element));
    }
    const fresh = this.phones.flatMap((phone, n) => phone.show(phones[n], now).map(({ title }) => `${phone.name}: ${title}.`));
    setText(this.sum, `${phones.reduce((sum, { pushes }) => sum + pushes, 0)}`);
    this.#announce(fresh);
  }

  #announce(fresh) {
    if (!fresh.length || Date.now() - this.saidAt < QUIET_MS) return;
    this.saidAt = Date.now();
    setText(this.announcer, fresh[0]);
  }
}

const place = globalThis.document?.querySelector(".phones");
if (place) new Panel(place);
