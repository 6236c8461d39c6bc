/**
 * The page: which view an address shows, the connection light, the announcer, the ticking second.
 *
 * The server has written the view of the address already. It stays until the modules have the same, so that nothing
 * flickers and nothing jumps.
 */

import { Announcer } from "./announcer.js";
import { isolate } from "./bidi.js";
import { Board } from "./board.js";
import { setText } from "./dom.js";
import { MatchPage } from "./match.js";
import { placeOf } from "./places.js";
import { search } from "./search.js";
import { loadWords, offerLanguages, t, translateShell } from "./words.js";

const TICK_MS = 1_000;

/** @typedef {import("./scores.js").State | "connecting"} Light */
/** @typedef {{poll_after_ms: number, phase?: string}} Body what the light reads of one */

/** What views may ask of the page around them. */
export class Shell {
  #main = /** @type {HTMLElement} */ (document.querySelector("main"));
  #light = /** @type {HTMLElement} */ (document.querySelector(".connection"));
  #announcer = new Announcer(/** @type {HTMLElement} */ (document.querySelector("#announcer")));
  /** @type {Board | MatchPage | null} */ #view = null;
  /** @type {Map<number, number>} */ #scrolls = new Map();
  #key = 0;

  constructor() {
    translateShell();
    search(/** @type {HTMLFormElement} */ (document.querySelector("form.search")));
    offerLanguages(/** @type {HTMLElement} */ (document.querySelector(".languages")));
    history.scrollRestoration = "manual";
    document.addEventListener("click", (event) => this.#follow(event));
    document.addEventListener("keydown", (event) => slash(event));
    // An entry without a state is a jump within the page: the browser's own.
    window.addEventListener("popstate", ({ state }) => state && this.#back());
    document.addEventListener("visibilitychange", () => document.hidden || this.#view?.tick());
    setInterval(() => document.hidden || this.#view?.tick(), TICK_MS);
    history.replaceState({ key: this.#key }, "");
    this.#open({ focus: false });
  }

  /**
   * Go to an address of ours without loading the page again.
   *
   * @param {string} address
   * @param {{replace?: boolean}} [how]
   */
  go(address, { replace = false } = {}) {
    this.#scrolls.set(this.#key, window.scrollY);
    if (!replace) this.#key = Math.max(...this.#scrolls.keys()) + 1;
    history[replace ? "replaceState" : "pushState"]({ key: this.#key }, "", address);
    this.#open();
  }

  /** @param {string} title */
  retitle(title) {
    const site = t("Live scores");
    document.title = title === site ? title : `${title} · ${site}`;
  }

  /**
   * Say it to those who listen instead of looking.
   *
   * @param {string} text
   * @param {boolean} [isMine] of what the reader has opened or pinned, or of the page itself
   */
  announce(text, isMine = true) {
    this.#announcer.say(text, isMine);
  }

  /**
   * The connection light: what the feed of this view knows of its own freshness.
   *
   * @param {Light} state
   * @param {{body: Body | null}} [feed] none before the view has one
   */
  indicate(state, feed) {
    const before = this.#light.dataset.state;
    this.#light.dataset.state = state;
    setText(/** @type {HTMLElement} */ (this.#light.querySelector("span")), said(state, feed?.body));
    if (state === "offline" || (state === "reconnecting" && before !== "offline" && before !== "connecting"))
      this.announce(t("Connection lost."));
    if ((before === "offline" || before === "reconnecting") && (state === "live" || state === "polling"))
      this.announce(t("Connected again."));
  }

  /** Back or forward: to where one was reading, once it is there again. */
  async #back() {
    this.#scrolls.set(this.#key, window.scrollY);
    this.#key = history.state?.key ?? 0;
    const view = this.#open();
    await view?.ready;
    if (view === this.#view) window.scrollTo(0, this.#scrolls.get(this.#key) ?? 0);
  }

  /**
   * @param {{focus?: boolean}} [how] the first load takes no focus
   * @returns {Board | MatchPage | null} the view of the address, null where it has none
   */
  #open({ focus = true } = {}) {
    this.#view?.close();
    const place = placeOf(new URL(location.href));
    // What the server wrote is there on the first load alone.
    const served = focus ? null : this.#main.querySelector("[data-served]");
    if (!place || served?.getAttribute("data-served") === "stays") return this.#leave(served);
    this.#light.hidden = false;
    this.indicate("connecting");
    const view = place.kind === "match" ? new MatchPage(place.id, this) : new Board(place, this);
    this.#view = view;
    if (served) {
      view.ready.then(() => view === this.#view && this.#takeOver(view));
      return view;
    }
    this.#main.replaceChildren(view.element);
    this.retitle(view.title);
    window.scrollTo(0, 0);
    if (focus) view.heading.focus({ preventScroll: true });
    return view;
  }

  /**
   * The modules' view in place of the server's, which is the same. Who had gone to a link is there still.
   *
   * @param {Board | MatchPage} view
   */
  #takeOver(view) {
    const focused = this.#main.contains(document.activeElement) && document.activeElement?.getAttribute("href");
    this.#main.replaceChildren(view.element);
    // The server's is in English; a match has told its own.
    if (view instanceof Board) this.retitle(isolate(view.title));
    const links = /** @type {NodeListOf<HTMLAnchorElement>} */ (this.#main.querySelectorAll("a[href]"));
    if (focused) [...links].find((link) => link.getAttribute("href") === focused)?.focus({ preventScroll: true });
  }

  /**
   * A page that is no view: what the server wrote stays, and another one is the browser's to load.
   *
   * @param {Element | null} served
   */
  #leave(served) {
    this.#view = null;
    this.#light.hidden = true;
    if (!served) location.reload();
    return null;
  }

  /**
   * A plain link of ours is followed here; with a modifier, or elsewhere, it stays the browser's.
   *
   * @param {MouseEvent} event
   */
  #follow(event) {
    /** @type {HTMLAnchorElement | null | undefined} */
    const link = /** @type {Element} */ (event.target).closest?.("a[href]");
    if (
      !link ||
      event.defaultPrevented ||
      event.button ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !placeOf(url) || url.hash)
      return;
    event.preventDefault();
    this.go(url.pathname + url.search);
  }
}

/**
 * @param {Light} state
 * @param {Body | null | undefined} body
 */
function said(state, body) {
  const over = body?.phase === "finished" || body?.phase === "off";
  const words = {
    connecting: "Connecting",
    live: over ? "Up to date" : "Live",
    polling: "Every {n} s",
    reconnecting: "Reconnecting",
    offline: "Offline",
    paused: "Paused",
    missing: "No match",
  };
  return t(words[state], { n: Math.round((body?.poll_after_ms ?? 15_000) / 1_000) });
}

/**
 * "/" goes to the search box, unless one is typing already.
 *
 * @param {KeyboardEvent} event
 */
function slash(event) {
  const target = /** @type {Element} */ (event.target);
  if (event.key !== "/" || target.closest("input, textarea, select") || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  /** @type {HTMLInputElement} */ (document.querySelector("form.search input")).focus();
}

await loadWords();
new Shell();
