/** The sheet's settings: quiet hours, spoilers, language, sound; another device; the end of everything. */

import { choice as announced, choose } from "./announcer.js";
import { zone } from "./days.js";
import { h } from "./dom.js";
import { isOn, turn } from "./goal_sound.js";
import { LANGUAGES, languageOf } from "./languages.js";
import { favourites } from "./marks.js";
import { t } from "./words.js";

/** @typedef {import("./sheet.js").Sheet} Sheet */

const QUIET = { since: "22:30", until: "07:00" };

/** @param {Sheet} sheet */
export function settings(sheet) {
  const { me } = sheet.alerts;
  return h(
    "section",
    { class: "settings" },
    h("h3", {}, t("Settings")),
    ...(me ? [quietHours(sheet, me), spoilerFree(sheet, me), language(sheet, me)] : []),
    announcements(),
    choice(t("Sound at goals of what is yours, while the page is open"), isOn(), (isChosen) => turn(isChosen)),
  );
}

/**
 * @param {Sheet} sheet
 * @param {import("./account.js").Me} me
 */
function quietHours(sheet, me) {
  const since = time(me.quiet_hours?.since ?? QUIET.since);
  const until = time(me.quiet_hours?.until ?? QUIET.until);
  const span = h("span", { class: "span", hidden: !me.quiet_hours }, label(t("from"), since), label(t("to"), until));
  const save = async (/** @type {boolean} */ isChosen) => {
    // A time that is half typed is none yet.
    if (!since.value || !until.value) return true;
    const quiet = isChosen ? { since: since.value, until: until.value } : null;
    const isSaved = await sheet.attempt(() => sheet.alerts.change({ quiet_hours: quiet, time_zone: zone }), t("Saved."));
    if (isSaved) span.hidden = !isChosen;
    return isSaved;
  };
  for (const input of [since, until]) input.addEventListener("change", () => save(true));
  return h("div", {}, choice(t("Quiet hours, in the time of {zone}", { zone }), Boolean(me.quiet_hours), save), span);
}

/**
 * @param {Sheet} sheet
 * @param {import("./account.js").Me} me
 */
function spoilerFree(sheet, me) {
  return choice(t("Without spoilers: no score, and not what happened"), me.spoiler_free, (isChosen) =>
    sheet.attempt(() => sheet.alerts.change({ spoiler_free: isChosen }), t("Saved.")),
  );
}

/**
 * @param {Sheet} sheet
 * @param {import("./account.js").Me} me
 */
function language(sheet, me) {
  const chosen = languageOf(me.locale);
  const options = Object.entries(LANGUAGES).map(([value, words]) =>
    h("option", { value, lang: value, selected: value === chosen }, words),
  );
  const select = h("select", {}, ...options);
  select.addEventListener("change", () => sheet.attempt(() => sheet.alerts.change({ locale: select.value }), t("Saved.")));
  return label(t("Language of the alerts"), select);
}

function announcements() {
  const chosen = announced();
  /** @type {[import("./announcer.js").Choice, string][]} */
  const choices = [
    ["all", t("All matches")],
    ["mine", t("Only what is yours")],
    ["none", t("None")],
  ];
  const options = choices.map(([value, words]) => h("option", { value, selected: value === chosen }, words));
  const select = h("select", { name: "announcements" }, ...options);
  select.addEventListener("change", () => choose(/** @type {any} */ (select.value)));
  return label(t("Announcements for screen readers"), select);
}

/** @param {Sheet} sheet */
export function anotherDevice(sheet) {
  const field = h("input", { type: "text", readonly: true, hidden: true, "aria-label": t("Link for another device") });
  const show = async () => {
    const kept = await sheet.alerts.account.kept();
    if (!kept) return;
    field.value = `${location.origin}/#join=${kept.token}`;
    field.hidden = false;
    field.select();
    const copied = await navigator.clipboard?.writeText(field.value).then(
      () => true,
      () => false,
    );
    sheet.say(copied ? t("Copied. Open it on the other device.") : t("Copy the link, and open it on the other device."));
  };
  return h(
    "section",
    {},
    h("h3", {}, t("Another device")),
    h("p", {}, t("The same alerts there. Whoever has the link can read and change them: give it to nobody else.")),
    h("button", { type: "button", click: show }, t("Show the link")),
    field,
  );
}

/** @param {Sheet} sheet */
export function deletion(sheet) {
  const section = h("section", {}, h("h3", {}, t("Delete")));
  const sure = h("button", { type: "button", class: "danger", click: () => erase(sheet) }, t("Yes, delete it all"));
  const ask = () => {
    section.append(h("p", {}, t("Account, alerts on all devices, favourites: at once and for good.")), sure);
    start.remove();
    sure.focus();
  };
  const start = h("button", { type: "button", click: ask }, t("Delete everything"));
  section.append(start);
  return section;
}

/** @param {Sheet} sheet */
async function erase(sheet) {
  const isDone = await sheet.attempt(async () => {
    await sheet.alerts.delete();
    favourites.replace([]);
    turn(false);
    choose("all");
    for (const name of await caches.keys()) await caches.delete(name);
    await (await navigator.serviceWorker.getRegistration())?.unregister();
  }, t("Everything was deleted."));
  if (isDone) await sheet.rebuild();
}

/**
 * A box with its words.
 *
 * @param {string} words
 * @param {boolean} isChosen
 * @param {(isChosen: boolean) => Promise<boolean> | void | undefined} then false: it could not be saved
 */
function choice(words, isChosen, then) {
  const box = h("input", { type: "checkbox", checked: isChosen });
  box.addEventListener("change", async () => {
    if ((await then(box.checked)) === false) box.checked = !box.checked;
  });
  return h("label", { class: "choice" }, box, " ", words);
}

/**
 * @param {string} words
 * @param {HTMLElement} control
 */
function label(words, control) {
  return h("label", {}, `${words} `, control);
}

/** @param {string} value */
function time(value) {
  return h("input", { type: "time", value, required: true });
}
