/**
 * <follow-buttons subject="teams" subject-id="argentina" name="Argentina">: a star that pins it in this browser, and a
 * bell for alerts. yours.css keeps their room from the first paint on.
 */

import { h } from "./dom.js";
import { bells, favourites } from "./marks.js";
import { t } from "./words.js";

export class FollowButtons extends HTMLElement {
  static observedAttributes = ["subject", "subject-id", "name"];

  #star = h("button", { type: "button", class: "star", click: () => this.#pin() });
  #bell = h("button", { type: "button", class: "bell", click: () => this.#ring() });
  /** @type {(() => void)[]} */ #ends = [];
  #isBusy = false;

  connectedCallback() {
    this.replaceChildren(this.#star, this.#bell);
    this.#ends = [favourites.heed(() => this.#show()), bells.heed(() => this.#show())];
    this.#show();
  }

  disconnectedCallback() {
    for (const end of this.#ends) end();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#show();
  }

  /** @returns {import("./marks.js").Mark} */
  get mark() {
    return {
      subject: /** @type {import("./marks.js").Subject} */ (this.getAttribute("subject")),
      id: this.getAttribute("subject-id") ?? "",
      name: this.getAttribute("name") ?? "",
    };
  }

  #show() {
    const { subject, id, name } = this.mark;
    const called = name || { matches: t("this match"), teams: t("this team"), competitions: t("this competition") }[subject];
    state(this.#star, favourites.has(subject, id), t("Pin {name}", { name: called }));
    state(this.#bell, bells.has(subject, id), t("Alerts for {name}", { name: called }));
  }

  #pin() {
    const { mark } = this;
    if (favourites.has(mark.subject, mark.id)) favourites.remove(mark);
    else favourites.add(mark);
  }

  /** The sheet says what is possible, and what went wrong. */
  async #ring() {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#bell.setAttribute("aria-busy", "true");
    const { mark } = this;
    try {
      if (!bells.has(mark.subject, mark.id)) await askPermission();
      const { Sheet } = await import("./sheet.js");
      await Sheet.ring(mark);
    } finally {
      this.#bell.removeAttribute("aria-busy");
      this.#isBusy = false;
    }
  }
}

/** Browsers ask only while a touch is fresh, so this comes before anything is loaded. */
export async function askPermission() {
  if (globalThis.Notification?.permission === "default") await Notification.requestPermission();
}

/**
 * @param {HTMLButtonElement} button
 * @param {boolean} isOn
 * @param {string} label
 */
function state(button, isOn, label) {
  button.setAttribute("aria-pressed", String(isOn));
  button.setAttribute("aria-label", label);
  button.title = label;
}
