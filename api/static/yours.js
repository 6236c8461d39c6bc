/**
 * What the page is to one reader: pinned favourites, alerts, and a tab that keeps its title true. What the first view
 * does not need is loaded when it is used.
 */

import { FollowButtons } from "./follow_buttons.js";
import { bells, favourites, storage } from "./marks.js";
import { loadWords, locale, t } from "./words.js";

const OFFLINE_WORDS = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" });

customElements.define("follow-buttons", FollowButtons);

const button = /** @type {HTMLButtonElement | null} */ (document.querySelector("button.yours"));
button?.addEventListener("click", () => openSheet());

// Kept until somebody wants to; without this the browser asks who has just come.
/** @type {(Event & {prompt: () => void}) | null} */
let installing = null;
window.addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  installing = /** @type {any} */ (event);
});

/** @param {import("./sheet.js").Opening} [opening] */
async function openSheet(opening = {}) {
  const { Sheet } = await import("./sheet.js");
  await Sheet.open({ ...opening, install: installing && (() => installing?.prompt()) });
}

/**
 * What an address asks for behind its hash; the account's token is taken out of it at once. A link of somebody else's
 * can open the sheet, and change nothing.
 */
async function heedHash() {
  const [word, value] = location.hash.slice(1).split("=");
  if (!["why", "mute", "join"].includes(word)) return;
  history.replaceState(history.state, "", location.pathname + location.search);
  await loadWords();
  if (word === "why") openSheet({ why: value ?? true });
  if (word === "mute") openSheet({ message: t("The match could not be muted from the notification. Try it here.") });
  if (word === "join") openSheet({ join: value });
}

/** Only for who has marked something: nobody else loads a worker or keeps files. Pins work without it. */
async function startWorker() {
  if (!("serviceWorker" in navigator) || !(favourites.all.length || bells.all.length)) return;
  // Once: the browser looks for a newer one by itself.
  for (const end of endStart) end();
  const { Alerts } = await import("./alerts.js");
  const alerts = new Alerts();
  const started = await alerts.env.registration().catch(() => null);
  if (started) await alerts.renew().catch(() => null);
}

/** The worker's words to its pages. */
function heedWorker(/** @type {MessageEvent} */ { data }) {
  if (data.open) location.assign(data.open);
  if (data.muted) import("./alerts.js").then(({ Alerts }) => new Alerts().refresh());
  if (data.kept_at) tellAge(new Date(data.kept_at));
}

/** A board from before, and from when, until the network is back. */
function tellAge(/** @type {Date} */ at) {
  const note = document.querySelector(".kept-note") ?? document.createElement("p");
  note.className = "kept-note";
  note.setAttribute("role", "status");
  note.textContent = t("Offline: scores as of {time}.", { time: OFFLINE_WORDS.format(at) });
  document.body.append(note);
  window.addEventListener("online", () => note.remove(), { once: true });
}

/** A tab that nobody looks at. */
async function heedHiding() {
  if (!document.hidden || !location.pathname.startsWith("/match/")) return;
  const { keepTitle } = await import("./hidden_title.js");
  keepTitle();
}

/** A sound for goals, where it was switched on. */
async function startSound() {
  if (storage()?.getItem("goal-sound") !== "on") return;
  const { listen } = await import("./goal_sound.js");
  listen();
}

const endStart = [favourites.heed(startWorker), bells.heed(startWorker)];
navigator.serviceWorker?.addEventListener("message", heedWorker);
document.addEventListener("visibilitychange", heedHiding);
window.addEventListener("hashchange", heedHash);
heedHash();
heedHiding();
startWorker();
startSound();
