/** Calendar days in the reader's own zone, written 2026-11-25 as the API takes them. */

import { h } from "./dom.js";
import { locale, t } from "./words.js";

export const zone = knownZone(Intl.DateTimeFormat().resolvedOptions().timeZone);

const WEEKDAY = new Intl.DateTimeFormat(locale, { weekday: "short" });
const DAY = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const DATE = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric" });
const LONG = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });

// Days shown on either side of the chosen one.
const REACH = 3;

/** @param {string | undefined} name */
function knownZone(name) {
  return name && name !== "Etc/Unknown" ? name : "UTC";
}

/**
 * The day a moment lies in: a match that crosses midnight stays on the day of its kick-off.
 *
 * @param {Date} date
 */
export function dayOf(date) {
  const pad = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

export const today = () => dayOf(new Date());

/**
 * A date given in an address, or null where it is none.
 *
 * @param {string | null} text
 */
export function parseDay(text) {
  if (text === null || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  return dayOf(dateOf(text)) === text ? text : null;
}

// Noon: no clock change moves it into another day.
const dateOf = (/** @type {string} */ day) => new Date(`${day}T12:00`);

/**
 * @param {string} day
 * @param {number} days
 */
export function plus(day, days) {
  const date = dateOf(day);
  date.setDate(date.getDate() + days);
  return dayOf(date);
}

/**
 * Today, Yesterday, Tomorrow, or Wednesday, 25 November.
 *
 * @param {string} day
 */
export function longName(day) {
  /** @type {Record<string, string>} */
  const near = { [plus(today(), -1)]: t("Yesterday"), [today()]: t("Today"), [plus(today(), 1)]: t("Tomorrow") };
  return near[day] ?? LONG.format(dateOf(day));
}

/**
 * The date of a match of another day, 25 Nov 2026; "" where nobody has said when.
 *
 * @param {string | null} start
 */
export function written(start) {
  return start ? h("time", { datetime: start }, DATE.format(new Date(start))) : "";
}

/**
 * The strip of days with a calendar at its end.
 *
 * @param {string} chosen
 * @param {(address: string) => void} go what to do with the address of another day
 */
export function dayPicker(chosen, go) {
  const days = Array.from({ length: 2 * REACH + 1 }, (_, i) => plus(chosen, i - REACH));
  const input = h("input", { type: "date", value: chosen, "aria-label": t("Choose a day"), id: "day" });
  input.addEventListener("change", () => parseDay(input.value) && go(address(input.value)));
  const list = h("ol", {}, ...days.map((day) => strip(day, chosen)));
  // On a phone the strip is wider than the screen: the chosen day belongs in its middle, once it is on the page. The
  // first call may come before that. Days are as wide as their names, so the middle of the strip is not always the day.
  new ResizeObserver((_, observer) => {
    if (!list.clientWidth) return;
    const day = /** @type {Element} */ (list.querySelector("[aria-current]"));
    list.scrollBy(middle(day) - middle(list), 0);
    observer.disconnect();
  }).observe(list);
  return h("nav", { class: "days", "aria-label": t("Days") }, list, input);
}

/** @param {Element} element */
function middle(element) {
  const { left, width } = element.getBoundingClientRect();
  return left + width / 2;
}

/**
 * @param {string} day
 * @param {string} chosen
 */
function strip(day, chosen) {
  const name = day === today() ? t("Today") : WEEKDAY.format(dateOf(day));
  const link = h(
    "a",
    { href: address(day), "aria-current": day === chosen ? "date" : null },
    h("span", {}, name),
    h("b", {}, DAY.format(dateOf(day))),
  );
  return h("li", {}, link);
}

/** @param {string} day */
function address(day) {
  return day === today() ? "/" : `/day/${day}`;
}
