/** The demo's phones: their lock screens, as the emulators of the push services hold them. */

import { h, setText } from "./dom.js";
import { LiveActivity } from "./live_activity.js";

const POLL_MS = 1_000;
const AGAIN_MS = 5_000;
// Who listens instead of looking hears of goals from the board already: here a word now and then is enough.
const QUIET_MS = 15_000;
const RIGHT_TO_LEFT = /^(ar|fa|he|ur)\b/;

/**
 * A notification on a lock screen.
 *
 * @typedef {object} Push
 * @property {string} id
 * @property {number} at seconds since the epoch
 * @property {string} title
 * @property {string} body
 * @property {boolean} silent
 * @property {boolean} replaced it took the place of an older one
 * @property {string[]} shape what it asks of the phone, in the service's terms
 */

/** @typedef {import("./live_activity.js").Activity} Activity */

/**
 * A phone as `/api/demo/phones` tells it.
 *
 * @typedef {object} PhoneBody
 * @property {string} name
 * @property {string} platform
 * @property {string} locale
 * @property {string} about
 * @property {string} silence why nothing comes, "" where something does
 * @property {number} pushes how many it was sent
 * @property {Push[]} screen newest first
 * @property {Activity[]} activities
 */

/**
 * "now", "3 min. ago", in the phone's language.
 *
 * @param {number} seconds
 * @param {string} locale
 */
export function ago(seconds, locale) {
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "narrow" });
  if (seconds < 60) return format.format(0, "second");
  return seconds < 3_600 ? format.format(-Math.floor(seconds / 60), "minute") : hourOf(seconds, format);
}

/**
 * @param {number} seconds
 * @param {Intl.RelativeTimeFormat} format
 */
function hourOf(seconds, format) {
  const hours = Math.floor(seconds / 3_600);
  return hours < 24 ? format.format(-hours, "hour") : format.format(-Math.floor(hours / 24), "day");
}

/**
 * What came to a phone since it was last looked at, newest first.
 *
 * @param {Push[]} before
 * @param {Push[]} screen
 */
export function arrived(before, screen) {
  const known = new Map(before.map(({ id, at }) => [id, at]));
  return screen.filter(({ id, at }) => known.get(id) !== at);
}

class Notification {
  at = 0;

  constructor() {
    this.app = h("span", { class: "from" }, "Live scores");
    this.time = h("time");
    this.title = h("b");
    this.body = h("p");
    this.shape = h("small", { lang: "en", dir: "ltr" });
    const icon = h("i", { "aria-hidden": "true" });
    this.element = h("li", { class: "push" }, icon, this.app, this.time, this.title, this.body, this.shape);
  }

  /**
   * @param {Push} push
   * @param {boolean} isNew
   */
  show({ at, title, body, shape, silent, replaced }, isNew) {
    setText(this.title, title);
    setText(this.body, body);
    const more = [...(silent ? ["no sound"] : []), ...(replaced ? ["in place of an older one"] : [])];
    setText(this.shape, [...shape, ...more].join(" · "));
    this.at = at;
    if (!isNew) return;
    this.element.classList.remove("new");
    void this.element.offsetWidth; // the animation begins again only for a box that was laid out without it
    this.element.classList.add("new");
  }

  /**
   * @param {number} now seconds since the epoch
   * @param {string} locale
   */
  tick(now, locale) {
    setText(this.time, ago(now - this.at, locale));
  }
}

class Phone {
  /** @param {PhoneBody} phone */
  constructor({ name, platform, locale, about, silence }) {
    this.name = name;
    this.locale = locale;
    /** @type {Map<string, Notification>} */
    this.shown = new Map();
    /** @type {Map<string, LiveActivity>} */
    this.running = new Map();
    /** @type {Push[] | null} */
    this.screen = null;
    this.count = h("span", { class: "count" });
    this.clock = h("p", { class: "hour" });
    this.date = h("p", { class: "date" });
    this.list = h("ul", { tabindex: "0", lang: locale, "aria-label": `Notifications on the ${name}` });
    const label = `${platform === "ios" ? "Live Activities" : "Live Updates"} on the ${name}`;
    this.activities = h("div", { class: "activities", lang: locale, role: "group", "aria-label": label });
    this.none = h("p", { class: "none" }, silence || "Nothing yet");
    const head = h("div", { class: "head", lang: locale, "aria-hidden": "true" }, this.clock, this.date);
    const dir = RIGHT_TO_LEFT.test(locale) ? "rtl" : "ltr";
    const glass = h("div", { class: "glass", dir }, head, this.activities, this.list, this.none);
    const heading = h("h3", {}, name, h("small", {}, about), this.count);
    this.element = h("article", { class: "phone", "data-platform": platform, "data-name": name }, heading, glass);
  }

  /**
   * @param {PhoneBody} phone
   * @param {number} now seconds since the epoch
   * @returns {Push[]} what is new, nothing the first time
   */
  show({ pushes, screen, activities }, now) {
    const first = this.screen === null;
    const fresh = arrived(this.screen ?? [], screen);
    this.screen = screen;
    setText(this.count, `${pushes} ${pushes === 1 ? "push" : "pushes"}`);
    this.none.hidden = screen.length > 0 || activities.length > 0;
    this.#follow(activities);
    if (fresh.length || this.shown.size !== screen.length) this.#arrange(screen, fresh, !first);
    this.tick(now);
    return first ? [] : fresh;
  }

  /**
   * The newest on top; one that replaces another is the same card.
   *
   * @param {Push[]} screen
   * @param {Push[]} fresh those of them that are new
   * @param {boolean} animated
   */
  #arrange(screen, fresh, animated) {
    const before = this.shown;
    this.shown = new Map(screen.map((push) => [push.id, before.get(push.id) ?? new Notification()]));
    this.list.replaceChildren(...[...this.shown.values()].map(({ element }) => element));
    for (const push of screen) if (fresh.includes(push)) this.shown.get(push.id)?.show(push, animated);
    if (animated && fresh.length) this.list.scrollTop = 0;
  }

  /** @param {Activity[]} activities */
  #follow(activities) {
    const before = this.running;
    this.running = new Map(activities.map(({ id }) => [id, before.get(id) ?? new LiveActivity()]));
    const changed = [...this.running.keys()].join("\n") !== [...before.keys()].join("\n");
    if (changed) this.activities.replaceChildren(...[...this.running.values()].map(({ element }) => element));
    this.activities.hidden = activities.length === 0;
    for (const one of activities) this.running.get(one.id)?.show(one);
  }

  /** @param {number} now seconds since the epoch */
  tick(now) {
    const date = new Date(now * 1_000);
    setText(this.clock, date.toLocaleTimeString(this.locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }));
    setText(this.date, date.toLocaleDateString(this.locale, { weekday: "long", day: "numeric", month: "long" }));
    for (const one of this.shown.values()) one.tick(now, this.locale);
  }
}

/** The panel, brought up to date while somebody can see it. */
class Panel {
  /** @type {number | undefined} */ timer;
  /** The request in flight. @type {AbortController | undefined} */ asking;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.source = String(element.dataset.source);
    this.table = /** @type {HTMLElement} */ (element.querySelector(".table"));
    this.notice = /** @type {HTMLElement} */ (element.querySelector(".notice"));
    this.announcer = /** @type {HTMLElement} */ (element.querySelector("[role=status]"));
    const link = /** @type {HTMLElement} */ (document.querySelector(".to-phones"));
    this.sum = /** @type {HTMLElement} */ (link.querySelector("span"));
    // The way there is of no use once one is there, and would lie on what one came for.
    new IntersectionObserver(([{ isIntersecting }]) => (link.hidden = isIntersecting)).observe(this.table);
    /** @type {Phone[]} */
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
      const signal = AbortSignal.any([asking.signal, AbortSignal.timeout(5_000)]);
      const response = await fetch(this.source, { signal });
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

  /** @param {{now: number, phones: PhoneBody[]}} body */
  #show({ now, phones }) {
    if (phones.length !== this.phones.length) {
      this.phones = phones.map((phone) => new Phone(phone));
      this.table.replaceChildren(...this.phones.map(({ element }) => element));
    }
    const fresh = this.phones.flatMap((phone, n) =>
      phone.show(phones[n], now).map(({ title }) => `${phone.name}: ${title}.`),
    );
    setText(this.sum, `${phones.reduce((sum, { pushes }) => sum + pushes, 0)}`);
    this.#announce(fresh);
  }

  /** @param {string[]} fresh */
  #announce(fresh) {
    if (!fresh.length || Date.now() - this.saidAt < QUIET_MS) return;
    this.saidAt = Date.now();
    setText(this.announcer, fresh[0]);
  }
}

/** @type {HTMLElement | null | undefined} */
const place = globalThis.document?.querySelector(".phones");
if (place) new Panel(place);
