/**
 * Served as /service-worker.js, with `self.PAGE` before it: what the page of this release loads
 * (api/routes/installed.py). It shows alerts when no page is open, and the last board when there is no network. A
 * classic script, because not all browsers of the last three years take a module here.
 */

/** @typedef {{digest: string, files: string[], icon: string, badge: string}} Page */
/** @type {ServiceWorkerGlobalScope & {PAGE: Page}} */
const worker = /** @type {any} */ (self);
const { PAGE } = worker;

// The release's files, and the board's own address.
const FILES = `page-${PAGE.digest}`;
// Pages of days. A day with more than a hundred matches has several.
const DAYS = "days";
const DAYS_MOST = 6;
// Those of account.js.
const CACHE = "yours";
const ENTRY = "/yours/account";

/** What a notification offers, in the language of its alert. @type {Record<string, [mute: string, why: string]>} */
const ACTIONS = {
  ar: ["كتم هذه المباراة", "لماذا وصلني هذا؟"],
  de: ["Spiel stummschalten", "Warum?"],
  en: ["Mute this match", "Why this?"],
  es: ["Silenciar el partido", "¿Por qué?"],
  fr: ["Couper ce match", "Pourquoi ?"],
  it: ["Silenzia la partita", "Perché?"],
  nl: ["Wedstrijd dempen", "Waarom?"],
  pl: ["Wycisz mecz", "Dlaczego?"],
  pt: ["Silenciar o jogo", "Porquê?"],
  "pt-BR": ["Silenciar o jogo", "Por quê?"],
  tr: ["Maçı sessize al", "Neden?"],
};

/**
 * As notify/content/payload.py makes it. kind: not in a spoiler-free one.
 *
 * @typedef {object} Alert
 * @property {string} title
 * @property {string} body
 * @property {string} tag names the fact: of two alerts with one tag the newer is shown
 * @property {string} match_id
 * @property {number} version of the match
 * @property {string} link
 * @property {string} [kind]
 * @property {string} [lang] BCP 47
 * @property {boolean} [silent]
 */

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(activate()));
worker.addEventListener("push", (event) => event.waitUntil(show(event.data?.json())));
worker.addEventListener("notificationclick", (event) => event.waitUntil(clicked(event)));
worker.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(/** @type {any} */ (event))));
worker.addEventListener("fetch", (event) => {
  const answer = answerTo(event.request, event.preloadResponse);
  if (answer) event.respondWith(answer);
});

/** A file that cannot be had keeps nobody from alerts. */
async function install() {
  const cache = await caches.open(FILES);
  await Promise.allSettled(["/", ...PAGE.files].map((path) => cache.add(path)));
  await worker.skipWaiting();
}

async function activate() {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith("page-") && name !== FILES).map((name) => caches.delete(name)),
  );
  // Pages are asked for while the worker starts, and so come no later than without one.
  await worker.registration.navigationPreload?.enable();
  await worker.clients.claim();
}

/**
 * Pages, their files and lists of a day; what is live is the network's alone, and so is everything else.
 *
 * @param {Request} request
 * @param {Promise<Response | undefined>} preloaded of a page
 * @returns {Promise<Response> | null}
 */
function answerTo(request, preloaded) {
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== worker.location.origin) return null;
  if (request.mode === "navigate" && !url.pathname.startsWith("/api/")) return page(request, url, preloaded);
  if (url.pathname.startsWith("/static/")) return file(request);
  if (url.pathname === "/api/matches" && url.searchParams.has("date")) return day(request);
  return null;
}

/**
 * Without a network, the board as it came last: the page's modules see the address, and say what they cannot reach.
 *
 * @param {Request} request
 * @param {URL} url
 * @param {Promise<Response | undefined>} preloaded
 */
async function page(request, url, preloaded) {
  const cache = await caches.open(FILES);
  try {
    const response = (await preloaded) ?? (await fetch(request));
    if (response.ok && url.pathname === "/" && !url.search) await cache.put("/", response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match("/");
    if (!kept) throw error;
    return kept;
  }
}

/** @param {Request} request */
async function file(request) {
  return (await (await caches.open(FILES)).match(request)) ?? fetch(request);
}

/** @param {Request} request */
async function day(request) {
  const cache = await caches.open(DAYS);
  try {
    const response = await fetch(request);
    if (response.ok) await keep(cache, request, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(request);
    if (!kept) throw error;
    await tellPages({ kept_at: kept.headers.get("Date") });
    return kept;
  }
}

/**
 * @param {Cache} cache
 * @param {Request} request
 * @param {Response} response
 */
async function keep(cache, request, response) {
  await cache.put(request, response);
  const kept = await cache.keys();
  await Promise.all(kept.slice(0, -DAYS_MOST).map((oldest) => cache.delete(oldest)));
}

/**
 * Each push has to show something (W3C Push API, userVisibleOnly): where a newer one of the same fact has overtaken it,
 * that one again, without a sound.
 *
 * @param {Alert | undefined} alert
 */
async function show(alert) {
  if (!alert) return;
  const [shown] = await worker.registration.getNotifications({ tag: alert.tag });
  const isLate = shown?.data?.version > alert.version;
  const shownAgain = { ...shown?.data, silent: true };
  await notify(isLate ? shownAgain : alert);
}

/** @param {Alert} alert */
function notify(alert) {
  const { title, body, tag, lang = "en", silent = false } = alert;
  const [mute, why] = ACTIONS[lang] ?? ACTIONS[lang.split("-")[0]] ?? ACTIONS.en;
  /** @type {any} */
  const options = {
    body,
    tag,
    lang,
    silent,
    // A correction takes the place of what it corrects, and is to be heard.
    renotify: !silent,
    icon: PAGE.icon,
    badge: PAGE.badge,
    data: alert,
    actions: [
      { action: "mute", title: mute },
      { action: "why", title: why },
    ],
  };
  return worker.registration.showNotification(title, options);
}

/** @param {NotificationEvent} event */
async function clicked({ action, notification }) {
  notification.close();
  /** @type {Alert} */
  const { link, match_id: matchId, kind } = notification.data;
  if (action === "why") return open(`${link}#why${kind ? `=${kind}` : ""}`);
  if (action !== "mute") return open(link);
  // The page says what is wrong, and mutes it when it can.
  if (!(await mute(matchId))) return open(`${link}#mute`);
  return tellPages({ muted: matchId });
}

/**
 * @param {string} matchId
 * @returns {Promise<boolean>} whether the server has it
 */
async function mute(matchId) {
  return ask("PUT", `/api/me/follows/matches/${encodeURIComponent(matchId)}`, { muted: true });
}

/**
 * In a page that is open, or in a new one.
 *
 * @param {string} address
 */
async function open(address) {
  const [page] = await worker.clients.matchAll({ type: "window" });
  if (!page) return worker.clients.openWindow(address);
  page.postMessage({ open: address });
  return page.focus();
}

/** The browser replaced the subscription: alerts have to go to the new one. The page repairs what fails here. */
async function renew(/** @type {{newSubscription?: PushSubscription, oldSubscription?: PushSubscription}} */ change) {
  const account = await kept();
  const { newSubscription, oldSubscription } = change;
  if (!account || !(newSubscription || oldSubscription)) return;
  const subscription =
    newSubscription ?? (await worker.registration.pushManager.subscribe(/** @type {any} */ (oldSubscription?.options)));
  await ask("PUT", `/api/me/devices/web/${account.device}`, { subscription });
}

/**
 * As the account.
 *
 * @param {string} method
 * @param {string} path
 * @param {object} body
 */
async function ask(method, path, body) {
  const account = await kept();
  if (!account) return false;
  const headers = { Authorization: `Bearer ${account.token}`, "Content-Type": "application/json" };
  try {
    return (await fetch(path, { method, headers, body: JSON.stringify(body) })).ok;
  } catch {
    return false;
  }
}

/** @returns {Promise<{token: string, device: string} | null>} */
async function kept() {
  const entry = await (await caches.open(CACHE)).match(ENTRY);
  return entry ? entry.json() : null;
}

/** @param {object} words see yours.js */
async function tellPages(words) {
  for (const client of await worker.clients.matchAll({ type: "window" })) client.postMessage(words);
}
