import assert from "node:assert/strict";
import { test } from "node:test";

import { Account } from "../../api/static/account.js";
import { Alerts, base64url, NoAlerts } from "../../api/static/alerts.js";
import { titleOf, keepTitle } from "../../api/static/hidden_title.js";
import { LANGUAGES, languageOf } from "../../api/static/languages.js";
import { addressOf, Marks } from "../../api/static/marks.js";
import { because, decides } from "../../api/static/reasons.js";

class Store {
  entries = new Map();
  getItem(name) {
    return this.entries.get(name) ?? null;
  }
  setItem(name, text) {
    this.entries.set(name, text);
  }
  removeItem(name) {
    this.entries.delete(name);
  }
}

const ARGENTINA = { subject: "teams", id: "arg", name: "Argentina" };
const MATCH = {
  match_id: "m1",
  home_team: { id: "arg", name: "Argentina" },
  away_team: { id: "fra", name: "France" },
  competition: { id: "cup", name: "World Cup" },
};

test("marks are kept, in order, and a store that is forbidden or full costs nothing but that", () => {
  const store = new Store();
  const marks = new Marks("favourites", store);
  let told = 0;
  const end = marks.heed(() => (told += 1));
  marks.add({ subject: "matches", id: "m1", name: "Argentina – France" });
  marks.add(ARGENTINA);
  marks.add(ARGENTINA);
  assert.deepEqual(
    new Marks("favourites", store).all.map(({ id }) => id),
    ["m1", "arg"],
  );
  marks.remove({ subject: "matches", id: "m1" });
  end();
  marks.remove(ARGENTINA);
  assert.equal(told, 4);
  assert.equal(store.entries.size, 0);

  store.setItem = () => {
    throw new Error("full");
  };
  for (const short of [new Marks("favourites", store), new Marks("favourites", null)]) {
    short.add(ARGENTINA);
    assert.ok(short.has("teams", "arg"));
  }
});

test("what another tab wrote is taken, and what is no mark is left out", () => {
  const store = new Store();
  const marks = new Marks("bells", store);
  let told = 0;
  marks.heed(() => (told += 1));
  store.setItem(
    "bells",
    JSON.stringify([ARGENTINA, { subject: "users", id: "x", name: "" }, null, { subject: "teams" }]),
  );
  marks.written({ key: "theme" });
  assert.equal(told, 0);
  marks.written({ key: "bells" });
  assert.deepEqual(marks.all, [ARGENTINA]);
  for (const broken of ["[1", '{"a": 1}', '"text"']) {
    store.setItem("bells", broken);
    marks.written({ key: null });
    assert.deepEqual(marks.all, []);
  }
});

test("the oldest of too many marks go", () => {
  const marks = new Marks("favourites", new Store());
  marks.replace(Array.from({ length: 501 }, (_, n) => ({ subject: "teams", id: `t${n}`, name: "" })));
  assert.equal(marks.all.length, 500);
  assert.ok(!marks.has("teams", "t0"));
});

test("a match is touched by itself, its teams and its competition", () => {
  for (const [subject, id, touched] of [
    ["matches", "m1", true],
    ["teams", "fra", true],
    ["competitions", "cup", true],
    ["matches", "arg", false],
    ["teams", "bra", false],
  ]) {
    const marks = new Marks("favourites", null);
    marks.add({ subject, id, name: "" });
    assert.equal(marks.touches(MATCH), touched, `${subject} ${id}`);
  }
  const marks = new Marks("favourites", null);
  marks.add(ARGENTINA);
  const unnamed = { match_id: "m2", home_team: { id: null }, away_team: { id: null }, competition: null };
  assert.ok(!marks.touches(unnamed));
  assert.equal(addressOf({ subject: "matches", id: "sr:1" }), "/match/sr%3A1");
});

const follow = (id, kinds, muted = false) => ({
  id,
  muted,
  notification_prefs: { goal: false, kickoff: false, ...kinds },
});
const follows = (more) => ({ matches: [], teams: [], competitions: [], ...more });
const nameOf = (_, id) => ({ arg: "Argentina", fra: "France", cup: "World Cup" })[id];

test("the match decides before its teams, and they before its competition", () => {
  const all = follows({
    matches: [follow("m1", { goal: true })],
    teams: [follow("arg", { kickoff: true })],
    competitions: [follow("cup", { goal: true })],
  });
  assert.equal(decides(all, MATCH, "goal").subject, "matches");
  assert.equal(decides({ ...all, matches: [] }, MATCH, "goal").follow.id, "arg");
  assert.equal(decides({ ...all, matches: [], teams: [] }, MATCH, "goal").follow.id, "cup");
  assert.equal(decides(follows({ teams: [follow("bra", { goal: true })] }), MATCH, "goal"), null);
});

test("of two followed teams the one that wants the kind is the reason", () => {
  const both = follows({ teams: [follow("arg", { kickoff: true }), follow("fra", { goal: true })] });
  assert.equal(because(both, MATCH, "goal", nameOf), "You follow France, and “Goals” is on.");
  assert.equal(because(both, MATCH, "kickoff", nameOf), "You follow Argentina, and “Kick-off” is on.");
});

test("each alert has a sentence", () => {
  const teams = [follow("arg", { goal: true })];
  assert.equal(because(follows({ teams }), MATCH, null, nameOf), "You follow Argentina.");
  assert.match(
    because(follows({ teams }), MATCH, "goal_cancelled", nameOf),
    /not for “Goals taken back”: a correction/,
  );
  assert.match(because(follows({ teams }), MATCH, "nonesuch", nameOf), /“nonesuch”/);
  assert.match(because(follows({ matches: [follow("m1", {}, true)] }), MATCH, "goal", nameOf), /muted this match/);
  assert.equal(because(follows({}), MATCH, "goal", nameOf), "You follow nothing of this match.");
});

test("a locale reads the language that alerts are written in", () => {
  const table = { de: "de", "de-AT": "de", "es-ES": "es", "es-MX": "es-419", es_419: "es-419", "pt-BR": "pt-BR" };
  const others = { "pt-PT": "pt", "en-US-u-hc-h12": "en", "sv-SE": "en", AR: "ar", "zh-Hant-TW": "en" };
  for (const [locale, language] of Object.entries({ ...table, ...others }))
    assert.equal(languageOf(locale), language, locale);
  for (const language of Object.keys(LANGUAGES)) assert.equal(languageOf(language), language);
});

/** A server with accounts, and a browser with a push service, in a test's hands. */
class Fan {
  requests = [];
  kept = null;
  me = { follows: follows({}), devices: [], locale: "de" };
  status = {};
  permitted = "granted";
  supported = true;
  serverKey = "BKey";
  subscription = null;
  subscriptions = 0;
  time = 1_000;
  marks = new Marks("bells", new Store());

  constructor() {
    const account = new Account({
      fetch: (path, init) => this.#answer(path, init),
      uuid: () => "device-1",
      load: async () => this.kept,
      save: async (kept) => (this.kept = kept),
      forget: async () => (this.kept = null),
    });
    this.alerts = new Alerts(account, this.marks, {
      now: () => this.time,
      isSupported: () => this.supported,
      isApplePhone: () => false,
      permission: () => this.permitted,
      registration: async () => this.#registration(),
      ready: async () => this.#registration(),
      settings: () => ({ time_zone: "Europe/Berlin", locale: "de" }),
      key: async () => this.serverKey,
    });
  }

  get asked() {
    return this.requests.map(({ method, path }) => `${method} ${path}`);
  }

  async #answer(path, { method, headers, body }) {
    this.requests.push({ method, path, token: headers.Authorization, body: body && JSON.parse(body) });
    const status = this.status[`${method} ${path}`] ?? (method === "POST" ? 201 : 200);
    if (status >= 400) return new Response(JSON.stringify({ error: { message: `refused ${status}` } }), { status });
    if (method === "POST") return new Response(JSON.stringify({ user_id: "u-1", token: "secret" }), { status });
    if (path.startsWith("/api/me/follows/teams/") && method === "PUT")
      this.me.follows.teams = [follow("arg", { goal: true })];
    if (path.startsWith("/api/me/follows/teams/") && method === "DELETE") this.me.follows.teams = [];
    return new Response(JSON.stringify(this.me), { status });
  }

  #registration() {
    const fan = this;
    return {
      getNotifications: async () => [],
      pushManager: {
        getSubscription: async () => fan.subscription,
        async subscribe({ applicationServerKey }) {
          const endpoint = `https://push.example/${(fan.subscriptions += 1)}`;
          const key = Uint8Array.from(atob(applicationServerKey), (letter) => letter.codePointAt(0)).buffer;
          fan.subscription = {
            endpoint,
            options: { applicationServerKey: key },
            toJSON: () => ({ endpoint, keys: {} }),
            unsubscribe: async () => (fan.subscription = null),
          };
          return fan.subscription;
        },
      },
    };
  }
}

test("the first bell subscribes, opens an account, and follows", async () => {
  const fan = new Fan();
  await fan.alerts.turnOn(ARGENTINA);
  assert.deepEqual(fan.asked, [
    "POST /api/users",
    "PATCH /api/me",
    "PUT /api/me/devices/web/device-1",
    "PUT /api/me/follows/teams/arg",
    "GET /api/me",
  ]);
  assert.deepEqual(fan.requests[1].body, { time_zone: "Europe/Berlin", locale: "de" });
  assert.equal(fan.requests[3].token, "Bearer secret");
  assert.deepEqual(fan.marks.all, [ARGENTINA]);
  await fan.alerts.turnOff(ARGENTINA);
  assert.deepEqual(fan.marks.all, []);
});

test("a reader who says no, and a server without a key, leave nothing behind", async () => {
  for (const [change, why] of [
    [{ permitted: "denied" }, "denied"],
    [{ permitted: "default" }, "denied"],
    [{ serverKey: null }, "off"],
    [{ supported: false }, "unsupported"],
  ]) {
    const fan = Object.assign(new Fan(), change);
    await assert.rejects(fan.alerts.turnOn(ARGENTINA), (error) => error instanceof NoAlerts && error.why === why);
    assert.deepEqual(fan.asked, []);
    assert.deepEqual(fan.marks.all, []);
  }
});

test("a subscription that the browser replaced, or that is of another key, is registered anew", async () => {
  const fan = new Fan();
  await fan.alerts.turnOn(ARGENTINA);
  fan.requests = [];
  await fan.alerts.renew();
  assert.deepEqual(fan.asked, []);
  fan.subscription = null;
  await fan.alerts.renew();
  assert.deepEqual(fan.asked, ["PUT /api/me/devices/web/device-1"]);
  fan.requests = [];
  fan.serverKey = "BNew";
  fan.time += 25 * 3_600_000;
  const { endpoint } = fan.subscription;
  await fan.alerts.renew();
  assert.deepEqual(fan.asked, ["PUT /api/me/devices/web/device-1"]);
  assert.equal(base64url(fan.subscription.options.applicationServerKey), "BNew");
  assert.notEqual(fan.kept.endpoint, endpoint);
});

test("an account that was deleted elsewhere is forgotten here", async () => {
  const fan = new Fan();
  await fan.alerts.turnOn(ARGENTINA);
  fan.status["GET /api/me"] = 401;
  assert.equal(await fan.alerts.refresh(), null);
  assert.deepEqual([fan.kept, fan.marks.all], [null, []]);
});

test("what the server refuses is said, and the bell stays as it was", async () => {
  const fan = new Fan();
  fan.status["PUT /api/me/follows/teams/arg"] = 409;
  await assert.rejects(fan.alerts.turnOn(ARGENTINA), /refused 409/);
  assert.deepEqual(fan.marks.all, []);
});

test("bells are those of the account, without the muted ones", async () => {
  const fan = new Fan();
  await fan.alerts.turnOn(ARGENTINA);
  fan.me.follows = follows({
    teams: [follow("arg", { goal: true })],
    matches: [follow("m1", {}, true)],
    competitions: [follow("cup", {})],
  });
  await fan.alerts.refresh();
  assert.deepEqual(fan.marks.all, [ARGENTINA, { subject: "competitions", id: "cup", name: "" }]);
});

test("deleting takes the account, the subscription and every bell", async () => {
  const fan = new Fan();
  await fan.alerts.turnOn(ARGENTINA);
  await fan.alerts.delete();
  assert.equal(fan.asked.at(-1), "DELETE /api/me");
  assert.deepEqual([fan.kept, fan.subscription, fan.marks.all], [null, null, []]);
});

test("another device joins with the token, under a name of its own", async () => {
  const fan = new Fan();
  await fan.alerts.join("other");
  assert.deepEqual(fan.asked, ["GET /api/me", "PUT /api/me/devices/web/device-1", "GET /api/me"]);
  assert.equal(fan.kept.token, "other");
});

/** A tab that nobody looks at; each wait is over when the test says so. */
class Tab {
  hidden = true;
  path = "/match/m1";
  title = "";
  goals = 0;
  waits = [];
  reads = [];
  answers = [];

  get env() {
    return {
      isHidden: () => this.hidden,
      path: () => this.path,
      random: () => 0,
      setTimeout: (then, ms) => this.waits.push({ then, ms }),
      read: async (path) => {
        this.reads.push(path);
        return this.answers.shift();
      },
      retitle: (title) => (this.title = title),
      goal: () => (this.goals += 1),
    };
  }

  async pass() {
    this.waits.pop().then();
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
  }
}

const score = (version, home, more = {}) => ({
  ...MATCH,
  version,
  sport: "football",
  phase: "live",
  home_score: home,
  away_score: 0,
  shootout: null,
  poll_after_ms: 2_000,
  ...more,
});

test("a hidden tab tells the newest score once a minute, until it is shown or the match is over", async () => {
  const tab = new Tab();
  tab.answers = [
    score(1, 0),
    score(3, 1),
    score(2, 0),
    score(4, 1, { poll_after_ms: 300_000 }),
    score(5, 1, { phase: "finished" }),
  ];
  const over = keepTitle(tab.env);
  assert.equal(tab.waits[0].ms, 60_000);
  await tab.pass();
  assert.equal(tab.title, "Argentina 0–0 France · Live scores");
  await tab.pass();
  await tab.pass();
  assert.equal(tab.title, "Argentina 1–0 France · Live scores");
  assert.equal(tab.goals, 1);
  await tab.pass();
  assert.equal(tab.waits[0].ms, 300_000);
  await tab.pass();
  await over;
  assert.equal(tab.reads.length, 5);

  const shown = keepTitle(tab.env);
  tab.hidden = false;
  await tab.pass();
  await shown;
  assert.deepEqual(tab.reads.length, 5);
  assert.equal(titleOf(score(1, null)), "Argentina – France · Live scores");
});
