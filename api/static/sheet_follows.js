/** The sheet's list of what rings: mute, kinds, unfollow. */

import { bdi } from "./bidi.js";
import { h } from "./dom.js";
import { addressOf, SUBJECTS } from "./marks.js";
import { nameOf } from "./names.js";
import { KINDS, wordOf } from "./reasons.js";
import { t } from "./words.js";

/** @typedef {import("./marks.js").Subject} Subject */
/** @typedef {import("./account.js").Follow} Follow */

/** @param {Subject} subject */
const wordFor = (subject) => ({ matches: t("match"), teams: t("team"), competitions: t("competition") })[subject];

export class FollowList {
  /** @param {import("./sheet.js").Sheet} sheet */
  constructor(sheet) {
    this.sheet = sheet;
    const { me } = sheet.alerts;
    const rows = me
      ? SUBJECTS.flatMap((subject) => me.follows[subject].map((follow) => this.#row(subject, follow)))
      : [];
    const none = h("li", { class: "soft" }, t("No bell is on yet: use the one of a match, a team or a competition."));
    const list = h("ul", { class: "marks" }, ...(rows.length ? rows : [none]));
    this.element = h("section", {}, h("h3", {}, t("Alerts")), list);
  }

  /**
   * @param {Subject} subject
   * @param {Follow} follow
   */
  #row(subject, follow) {
    const mark = { subject, id: follow.id, name: "" };
    const label = h("a", { href: addressOf(mark) }, bdi(follow.id));
    const mute = h(
      "button",
      { type: "button", click: () => this.#mute(mark, !follow.muted) },
      follow.muted ? t("Unmute") : t("Mute"),
    );
    const remove = h("button", { type: "button", click: () => this.#remove(mark) }, t("Unfollow"));
    const kinds = h("details", {}, h("summary", {}, t("Kinds")), this.#kinds(mark, follow));
    nameOf(mark).then((name) => {
      label.replaceChildren(bdi(name));
      for (const button of [mute, remove]) button.setAttribute("aria-label", `${button.textContent} ${name}`);
      kinds.firstElementChild?.replaceChildren(`${t("Kinds")} `, h("span", { class: "hidden" }, t("of {name}", { name })));
    });
    const about = h("small", {}, follow.muted ? t("{subject}, muted", { subject: wordFor(subject) }) : wordFor(subject));
    return h("li", {}, h("span", { class: "marked" }, label, " ", about), mute, remove, follow.muted ? null : kinds);
  }

  /**
   * Each box is one wish; all of them are sent, because a follow's wishes are replaced as a whole.
   *
   * @param {{subject: Subject, id: string}} mark
   * @param {Follow} follow
   */
  #kinds(mark, follow) {
    const wishes = { ...follow.notification_prefs };
    const boxes = Object.keys(wishes)
      .sort((one, other) => place(one) - place(other))
      .map((kind) => {
        const box = h("input", { type: "checkbox", checked: wishes[kind] });
        box.addEventListener("change", async () => {
          wishes[kind] = box.checked;
          const isDone = await this.sheet.attempt(() => this.sheet.alerts.wish(mark, { notification_prefs: wishes }));
          if (isDone) return;
          wishes[kind] = !box.checked;
          box.checked = !box.checked;
        });
        return h("li", {}, h("label", {}, box, " ", wordOf(kind)));
      });
    return h("ul", { class: "kinds" }, ...boxes);
  }

  /**
   * @param {{subject: Subject, id: string}} mark
   * @param {boolean} muted
   */
  async #mute(mark, muted) {
    if (
      !(await this.sheet.attempt(
        () => this.sheet.alerts.wish(mark, { muted }),
        muted ? t("Muted.") : t("On again, with the usual kinds."),
      ))
    )
      return;
    await this.sheet.rebuild();
  }

  /** @param {{subject: Subject, id: string}} mark */
  async #remove(mark) {
    if (!(await this.sheet.attempt(() => this.sheet.alerts.turnOff(mark), t("No more alerts of that.")))) return;
    await this.sheet.rebuild();
  }
}

/** @param {string} kind */
function place(kind) {
  const at = Object.keys(KINDS).indexOf(kind);
  return at < 0 ? Infinity : at;
}
