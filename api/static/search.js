/** The search box: teams, competitions and their latest matches, as one types. */

import { bdi } from "./bidi.js";
import { clockText, name, scoreText } from "./clock.js";
import { h } from "./dom.js";
import { pathOf } from "./places.js";
import { Failure, read } from "./read.js";
import { locale, t } from "./words.js";

// A pause in typing, and the shortest text the API searches for.
const TYPING_MS = 200;
const LEAST = 2;

/** @type {Record<string, number>} */
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

const DAY = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });

/** @param {HTMLFormElement} form with an input, a status line and a panel for the results */
export function search(form) {
  const input = /** @type {HTMLInputElement} */ (form.querySelector("input"));
  const status = /** @type {HTMLElement} */ (form.querySelector("[role=status]"));
  const panel = /** @type {HTMLElement} */ (form.querySelector(".results"));
  /** @type {number | undefined} */
  let timer;
  let asking = new AbortController();

  const close = () => {
    clearTimeout(timer);
    asking.abort();
    panel.hidden = true;
    status.textContent = "";
    input.setAttribute("aria-expanded", "false");
  };

  const ask = async () => {
    asking.abort();
    asking = new AbortController();
    const words = input.value.trim();
    if (words.length < LEAST) return close();
    const { signal } = asking;
    try {
      show(await read(`/api/search?${new URLSearchParams({ q: words })}`, signal));
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof Failure)) throw error;
      fill([h("p", {}, error.status === 400 ? error.message : t("Search cannot be reached just now."))], t("Search failed"));
    }
    return undefined;
  };

  const show = (/** @type {import("./bodies.js").SearchResult} */ { teams, competitions, matches }) => {
    const parts = [
      ...part(
        t("Teams"),
        teams.map((team) => link(pathOf("team", team.id), bdi(team.name))),
      ),
      ...part(
        t("Competitions"),
        competitions.map((one) => link(pathOf("competition", one.id), bdi(one.name))),
      ),
      ...part(t("Matches"), matches.map(matchLink)),
    ];
    const found = teams.length + competitions.length + matches.length;
    fill(found ? parts : [h("p", {}, t("Nothing found"))], found === 1 ? t("1 result") : t("{n} results", { n: found }));
  };

  const fill = (/** @type {HTMLElement[]} */ parts, /** @type {string} */ said) => {
    panel.replaceChildren(...parts);
    panel.hidden = false;
    status.textContent = said;
    input.setAttribute("aria-expanded", "true");
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, TYPING_MS);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  form.addEventListener("keydown", (event) => walk(event, input, panel, close));
  form.addEventListener("focusout", (event) => {
    if (!form.contains(/** @type {Node | null} */ (event.relatedTarget))) close();
  });
  panel.addEventListener("click", (event) => {
    if (!(/** @type {Element} */ (event.target).closest("a"))) return;
    input.value = "";
    close();
  });
}

/**
 * Arrows walk the results, Escape leaves them.
 *
 * @param {KeyboardEvent} event
 * @param {HTMLElement} input
 * @param {HTMLElement} panel
 * @param {() => void} close
 */
function walk(event, input, panel, close) {
  if (event.key === "Escape") {
    close();
    input.focus();
  }
  const step = STEPS[event.key];
  if (!step || panel.hidden) return;
  event.preventDefault();
  const stops = [input, ...panel.querySelectorAll("a")];
  const current = /** @type {HTMLElement} */ (document.activeElement);
  stops[(stops.indexOf(current) + step + stops.length) % stops.length].focus();
}

/**
 * @param {string} title
 * @param {HTMLElement[]} links
 */
function part(title, links) {
  return links.length ? [h("h3", {}, title), h("ul", {}, ...links.map((one) => h("li", {}, one)))] : [];
}

/**
 * @param {string} href
 * @param {...(Node | string)} children
 */
function link(href, ...children) {
  return h("a", { href }, ...children);
}

/** @param {import("./bodies.js").Summary} match */
function matchLink(match) {
  const played = match.home_score !== null;
  const day = match.start_time ? DAY.format(new Date(match.start_time)) : "";
  const teams = [bdi(name(match.home_team)), " – ", bdi(name(match.away_team))];
  return link(
    pathOf("match", match.match_id),
    h("span", {}, ...teams),
    h("small", {}, played ? scoreText(match) : clockText(match, Date.now()), " ", day),
  );
}
