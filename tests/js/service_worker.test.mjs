import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const SOURCE = readFileSync(new URL("../../api/static/worker/service_worker.js", import.meta.url), "utf8");
const ORIGIN = "https://scores.example";
const PAGE = { digest: "0123456789ab", files: ["/static/0123456789ab/app.js"], icon: "/i.png", badge: "/b.png" };

/** Caches as a worker has them, by name and address. */
class Caches {
  stores = new Map();
  constructor(fetch) {
    this.fetch = fetch;
  }
  async keys() {
    return [...this.stores.keys()];
  }
  async delete(name) {
    return this.stores.delete(name);
  }
  async open(name) {
    const entries = this.stores.get(name) ?? new Map();
    this.stores.set(name, entries);
    const key = (request) => new URL(request.url ?? request, ORIGIN).href;
    return {
      match: async (request) => entries.get(key(request))?.clone(),
      put: async (request, response) => {
        entries.delete(key(request));
        entries.set(key(request), response);
      },
      add: async (path) => entries.set(key(path), await this.fetch(path)),
      keys: async () => [...entries.keys()].map((url) => ({ url })),
      delete: async (request) => entries.delete(key(request)),
    };
  }
}

class Worker {
  listeners = {};
  requests = [];
  online = true;
  shown = [];
  words = [];
  opened = [];
  pages = 0;
  answer = () => new Response("{}", { headers: { Date: "Mon, 30 Nov 2026 20:41:00 GMT" } });

  constructor() {
    const fetch = async (request, init = {}) => {
      this.requests.push({ path: new URL(request.url ?? request, ORIGIN).pathname, ...init });
      if (!this.online) throw new TypeError("Failed to fetch");
      return this.answer(request);
    };
    this.caches = new Caches(fetch);
    const client = { postMessage: (words) => this.words.push(words), focus: async () => {} };
    this.self = {
      PAGE,
      addEventListener: (name, then) => (this.listeners[name] = then),
      skipWaiting: async () => {},
      location: new URL(`${ORIGIN}/service-worker.js`),
      clients: {
        claim: async () => {},
        matchAll: async () => Array.from({ length: this.pages }, () => client),
        openWindow: async (address) => this.opened.push(address),
      },
      registration: {
        getNotifications: async ({ tag }) => this.shown.filter((one) => one.tag === tag),
        showNotification: async (title, options) => {
          this.shown = [...this.shown.filter(({ tag }) => tag !== options.tag), { title, ...options }];
        },
      },
    };
    const scope = { self: this.self, caches: this.caches, fetch, URL, Promise, encodeURIComponent };
    vm.runInNewContext(SOURCE, scope);
  }

  async happen(name, event = {}) {
    let done;
    this.listeners[name]({ ...event, waitUntil: (promise) => (done = promise) });
    await done;
  }

  push(alert) {
    return this.happen("push", { data: { json: () => alert } });
  }

  click(action = "") {
    const notification = { ...this.shown.at(-1), close: () => {} };
    return this.happen("notificationclick", { action, notification });
  }

  /** What the page is answered; undefined where the worker leaves the request to the browser. */
  async get(path, { mode = "cors", method = "GET" } = {}) {
    let answer;
    const request = { url: new URL(path, ORIGIN).href, mode, method };
    this.listeners.fetch({ request, respondWith: (promise) => (answer = promise) });
    return answer && (await answer).text();
  }

  async keep(account) {
    await (await this.caches.open("yours")).put("/yours/account", new Response(JSON.stringify(account)));
  }
}

const GOAL = {
  title: "Argentina [1]–0 France",
  body: "Goal!",
  tag: "m1.goal",
  match_id: "m1",
  version: 5,
  link: "/match/m1",
  kind: "goal",
  lang: "en",
};

test("an alert is shown with what can be done about it, in its language", async () => {
  const worker = new Worker();
  await worker.push(GOAL);
  await worker.push({ ...GOAL, tag: "m1", lang: "es-419", silent: true, kind: undefined });
  const [loud, silent] = worker.shown;
  assert.equal(loud.title, "Argentina [1]–0 France");
  assert.deepEqual([loud.body, loud.renotify, loud.silent, loud.icon], ["Goal!", true, false, "/i.png"]);
  assert.deepEqual(
    Array.from(loud.actions, ({ title }) => title),
    ["Mute this match", "Why this?"],
  );
  assert.deepEqual([silent.silent, silent.renotify, silent.actions[0].title], [true, false, "Silenciar el partido"]);
});

test("an alert that was overtaken shows the newer one again, without a sound", async () => {
  const worker = new Worker();
  await worker.push({ ...GOAL, title: "Goal cancelled", version: 7 });
  await worker.push(GOAL);
  assert.equal(worker.shown.length, 1);
  assert.deepEqual([worker.shown[0].title, worker.shown[0].silent], ["Goal cancelled", true]);
});

test("a click opens the match, and asks why where that was asked", async () => {
  const worker = new Worker();
  await worker.push(GOAL);
  await worker.click();
  await worker.click("why");
  worker.pages = 1;
  await worker.click();
  assert.deepEqual(worker.opened, ["/match/m1", "/match/m1#why=goal"]);
  assert.equal(worker.words[0].open, "/match/m1");
});

test("a match is muted from its notification; where that fails, the page says so", async () => {
  const worker = new Worker();
  await worker.push(GOAL);
  await worker.click("mute");
  assert.deepEqual(worker.opened, ["/match/m1#mute"]);
  await worker.keep({ token: "secret", device: "d" });
  worker.online = false;
  await worker.click("mute");
  assert.equal(worker.opened.length, 2);
  worker.online = true;
  await worker.click("mute");
  const { path, method, headers, body } = worker.requests.at(-1);
  assert.deepEqual([method, path, body], ["PUT", "/api/me/follows/matches/m1", '{"muted":true}']);
  assert.equal(headers.Authorization, "Bearer secret");
  assert.equal(worker.opened.length, 2);
});

test("a subscription that the browser replaced is registered", async () => {
  const worker = new Worker();
  await worker.happen("pushsubscriptionchange", { newSubscription: { endpoint: "e" } });
  assert.equal(worker.requests.length, 0);
  await worker.keep({ token: "secret", device: "d" });
  await worker.happen("pushsubscriptionchange", { newSubscription: { endpoint: "e" } });
  assert.equal(worker.requests.at(-1).path, "/api/me/devices/web/d");
});

test("without a network there is the last board, with its files and its day", async () => {
  const worker = new Worker();
  worker.answer = (request) => new Response(`of ${new URL(request.url ?? request, ORIGIN).pathname}`);
  await worker.caches.open("page-old");
  await worker.caches.open("other");
  await worker.happen("install");
  await worker.happen("activate");
  assert.deepEqual(await worker.caches.keys(), ["other", "page-0123456789ab"]);
  await worker.get("/api/matches?date=2026-11-30&tz=UTC");
  worker.pages = 1;
  worker.online = false;
  assert.equal(await worker.get("/match/m1", { mode: "navigate" }), "of /");
  assert.equal(await worker.get("/static/0123456789ab/app.js"), "of /static/0123456789ab/app.js");
  assert.equal(await worker.get("/api/matches?date=2026-11-30&tz=UTC"), "of /api/matches");
  assert.ok("kept_at" in worker.words[0]);
  await assert.rejects(worker.get("/api/matches?date=2026-12-01&tz=UTC"), /Failed to fetch/);
});

test("days that are kept are few", async () => {
  const worker = new Worker();
  for (let day = 10; day < 30; day += 1) await worker.get(`/api/matches?date=2026-11-${day}`);
  assert.equal(worker.caches.stores.get("days").size, 6);
});

test("what is live, changes something or is somebody else's is left to the browser", async () => {
  const worker = new Worker();
  for (const path of ["/api/live", "/api/live/changes/1.0", "/api/score/m1", "/api/matches?team=arg", "/api/me"])
    assert.equal(await worker.get(path), undefined, path);
  assert.equal(await worker.get("/", { mode: "navigate", method: "POST" }), undefined);
  assert.equal(await worker.get("https://elsewhere.example/", { mode: "navigate" }), undefined);
});
