/** Of the match that is open: why its alerts come, or do not, and the way to silence them. */

import { h } from "./dom.js";
import { nameIn } from "./names.js";
import { because, decides } from "./reasons.js";
import { read } from "./read.js";
import { t } from "./words.js";

/** The id in the page's address; null elsewhere. */
function matchInView() {
  const [, place, id] = location.pathname.split("/");
  return place === "match" && id ? decodeURIComponent(id) : null;
}

/**
 * Null where no match is open, or it cannot be read.
 *
 * @param {import("./sheet.js").Sheet} sheet
 * @param {string | true} [why] an alert is asked about: its kind, where it is known
 */
export async function thisMatch(sheet, why) {
  const id = matchInView();
  /** @type {import("./bodies.js").Metadata | undefined} */
  let match;
  if (id)
    await sheet.attempt(async () => {
      match = await read(`/api/matches/${encodeURIComponent(id)}`, new AbortController().signal);
    }, sheet.said);
  const { me } = sheet.alerts;
  if (!match || !me) return null;
  const known = match;
  const words = because(
    me.follows,
    known,
    typeof why === "string" ? why : null,
    (subject, of) => nameIn(known, subject, of) ?? of,
  );
  const isMuted = Boolean(me.follows.matches.find((follow) => follow.id === known.match_id)?.muted);
  const silence = async () => {
    const mark = { subject: /** @type {const} */ ("matches"), id: known.match_id };
    const change = () => (isMuted ? sheet.alerts.turnOff(mark) : sheet.alerts.wish(mark, { muted: true }));
    if (await sheet.attempt(change, isMuted ? t("On again.") : t("Muted."))) await sheet.rebuild();
  };
  const button = h("button", { type: "button", click: silence }, isMuted ? t("Unmute this match") : t("Mute this match"));
  return h(
    "section",
    { class: "why" },
    h("h3", { tabindex: "-1" }, why ? t("Why did I get this alert?") : t("Alerts of this match")),
    h("p", {}, words),
    decides(me.follows, known, null) ? button : null,
  );
}
