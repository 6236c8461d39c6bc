/** A short sound at a goal of one's own: of the match that is open, or of what is pinned. No file is loaded. */

import { storage } from "./marks.js";

// Hz and s: a rising fifth, as short as a nod.
const TONES = [
  [523.25, 0],
  [783.99, 0.12],
];
const LOUDNESS = 0.2;
const LASTS_S = 0.35;
// Goals of one moment are one sound.
const GAP_MS = 1_500;

/** @type {AudioContext | undefined} */
let audio;
let playedAt = -Infinity;
let isListening = false;

/** From now on. Browsers let a page sound only after a touch or a key. */
export function listen() {
  if (isListening) return;
  isListening = true;
  for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, wake, { once: true });
  document.addEventListener("hidden-goal", () => goal());
  new MutationObserver(heed).observe(document.body, {
    subtree: true,
    attributes: true,
    attributeFilter: ["data-scored"],
  });
}

function goal(now = Date.now()) {
  if (!isOn() || now - playedAt < GAP_MS) return;
  playedAt = now;
  play();
}

function play() {
  for (const [pitch, after] of TONES) tone(wake(), pitch, after);
}

export function isOn() {
  return storage()?.getItem("goal-sound") === "on";
}

/**
 * One hears at once what it will be.
 *
 * @param {boolean} isChosen
 */
export function turn(isChosen) {
  if (!isChosen) return storage()?.removeItem("goal-sound");
  storage()?.setItem("goal-sound", "on");
  listen();
  return play();
}

function wake() {
  audio ??= new AudioContext();
  audio.resume();
  return audio;
}

/** @param {MutationRecord[]} records */
function heed(records) {
  const goals = records.filter(({ target }) => /** @type {HTMLElement} */ (target).dataset.scored === "goal");
  if (goals.some(({ target }) => /** @type {Element} */ (target).closest(".match-head, .section.yours"))) goal();
}

/**
 * @param {AudioContext} context
 * @param {number} pitch Hz
 * @param {number} after s
 */
function tone(context, pitch, after) {
  const from = context.currentTime + after;
  const gain = new GainNode(context, { gain: 0 });
  const oscillator = new OscillatorNode(context, { type: "sine", frequency: pitch });
  gain.gain.setValueAtTime(0, from);
  gain.gain.linearRampToValueAtTime(LOUDNESS, from + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.001, from + LASTS_S);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(from);
  oscillator.stop(from + LASTS_S);
}
