/** The settings sheet: what is pinned, what rings, how and when, and the end of all of it. Loaded at its first use. */

import { Alerts, NoAlerts } from "./alerts.js";
import { bdi } from "./bidi.js";
import { h } from "./dom.js";
import { askPermission } from "./follow_buttons.js";
import { addressOf, bells, favourites } from "./marks.js";
import { nameOf } from "./names.js";
import { Failure } from "./read.js";
import { FollowList } from "./sheet_follows.js";
import { thisMatch } from "./sheet_match.js";
import { anotherDevice, deletion, settings } from "./sheet_settings.js";
import { loadWords, t } from "./words.js";

/** @typedef {import("./marks.js").Mark} Mark */

/**
 * What the sheet is opened for.
 *
 * @typedef {object} Opening
 * @property {string} [message] what went wrong
 * @property {string | true} [why] an alert of the match that is open is to be explained: its kind, where it was told
 * @property {string} [join] the token of an account that another device has
 * @property {(() => void) | null} [install] asks the browser to install the page
 */

const WHY_NOT = {
  denied: "Notifications of this site are not allowed. Allow them in the settings of the browser, then try again.",
  install: "On an iPhone or iPad: choose Share, then “Add to Home Screen”, and open the page from there.",
  unsupported: "This browser shows no alerts of a page, or the page was not opened over https.",
  off: "This server sends no alerts to browsers.",
};

/** @type {Sheet | null} */
let current = null;

export class Sheet {
  alerts = new Alerts();
  #title = h("h2", { id: "sheet-title", tabindex: "-1" }, t("Yours"));
  #message = h("p", { class: "message", role: "status" });
  #body = h("div", { class: "sheet-body" });
  #dialog = h(
    "dialog",
    { class: "sheet", "aria-labelledby": "sheet-title", close: () => this.#closed() },
    h(
      "header",
      {},
      this.#title,
      h("button", { type: "button", class: "close", "aria-label": t("Close"), click: () => this.#dialog.close() }),
    ),
    this.#message,
    this.#body,
  );

  /** @param {Opening} opening */
  static async open(opening = {}) {
    await loadWords();
    current ??= new Sheet();
    await current.#show(opening);
  }

  /**
   * The bell of a mark was touched.
   *
   * @param {Mark} mark
   */
  static async ring(mark) {
    const alerts = new Alerts();
    try {
      if (bells.has(mark.subject, mark.id)) await alerts.turnOff(mark);
      else await alerts.turnOn(mark);
    } catch (error) {
      await Sheet.open({ message: wordsFor(error) });
    }
  }

  /**
   * Do it, and say what went wrong. Whether it was done.
   *
   * @param {() => Promise<unknown>} action
   * @param {string} [done] said afterwards
   */
  async attempt(action, done = "") {
    try {
      await action();
      this.say(done);
      return true;
    } catch (error) {
      this.say(wordsFor(error));
      return false;
    }
  }

  /** @param {string} text */
  say(text) {
    this.#message.textContent = text;
  }

  get said() {
    return this.#message.textContent ?? "";
  }

  /**
   * The parts anew, after what is listed has changed.
   *
   * @param {Opening} [opening]
   */
  async build({ why, join, install } = {}) {
    const { me } = this.alerts;
    const parts = [
      join ? this.#joining(join) : null,
      me ? await thisMatch(this, why) : null,
      new FollowList(this).element,
      pinned(),
      settings(this),
      me ? anotherDevice(this) : null,
      me || favourites.all.length ? deletion(this) : null,
      install ? h("button", { type: "button", click: install }, t("Install as an app")) : null,
    ];
    this.#body.replaceChildren(...parts.filter((part) => part !== null));
  }

  /** The same where the button that was pressed goes with what was listed: its focus has to go somewhere. */
  async rebuild() {
    await this.build();
    this.#title.focus();
  }

  /** @param {Opening} opening */
  async #show(opening) {
    const { message = "" } = opening;
    this.say(message);
    if (!this.#dialog.isConnected) document.body.append(this.#dialog);
    if (!this.#dialog.open) this.#dialog.showModal();
    await this.attempt(() => this.alerts.refresh(), message);
    await this.build(opening);
  }

  #closed() {
    this.#dialog.remove();
    current = null;
  }

  /** @param {string} token */
  #joining(token) {
    const take = async () => {
      await askPermission();
      if (!(await this.attempt(() => this.alerts.join(token), t("The alerts of your other device come here as well."))))
        return;
      await this.rebuild();
    };
    return h(
      "section",
      {},
      h("h3", {}, t("Alerts of your other device")),
      h("p", {}, t("This browser then has the same alerts and settings; those that it had are left behind.")),
      h("button", { type: "button", click: take }, t("Use them here")),
    );
  }
}

/** @param {unknown} error */
function wordsFor(error) {
  if (error instanceof NoAlerts) return t(WHY_NOT[error.why]);
  if (error instanceof Failure) return error.message;
  // The browser's own: its push service is out of reach, or a private window forbids the subscription.
  if (error instanceof DOMException) {
    return t("The browser could not subscribe: {reason}", { reason: error.message });
  }
  throw error;
}

/** Favourites, with a way to each and out of the list. */
function pinned() {
  const list = h("ul", { class: "marks" });
  const show = () => {
    const items = favourites.all.map((mark) => {
      const remove = () => {
        favourites.remove(mark);
        show();
        heading.focus();
      };
      const label = h("a", { href: addressOf(mark) }, bdi(mark.name || mark.id));
      nameOf(mark).then((known) => label.replaceChildren(bdi(known)));
      return h(
        "li",
        {},
        label,
        h("button", { type: "button", click: remove, "aria-label": t("Unpin {name}", { name: mark.name }) }, t("Unpin")),
      );
    });
    list.replaceChildren(
      ...(items.length
        ? items
        : [h("li", { class: "soft" }, t("Nothing is pinned yet: use the star of a match, a team or a competition."))]),
    );
  };
  const heading = h("h3", { tabindex: "-1" }, t("Pinned"));
  show();
  return h("section", {}, heading, list);
}
