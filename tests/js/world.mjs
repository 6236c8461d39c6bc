/** A browser in a test's hands: its clock, its network, its luck and its tab. */

export class World {
  constructor({ random = 0.5 } = {}) {
    this.time = 1_800_000_000_000;
    this.luck = random;
    this.timers = new Map();
    this.requests = [];
    this.hidden = false;
    this.online = true;
    this.heard = new Set();
    this.env = {
      fetch: (url, init) => this.#fetch(url, init),
      now: () => this.time,
      random: () => this.luck,
      setTimeout: (then, ms) => this.#setTimeout(then, ms),
      clearTimeout: (id) => this.timers.delete(id),
      isShared: () => true,
      isHidden: () => this.hidden,
      isOnline: () => this.online,
      listen: (heard) => {
        this.heard.add(heard);
        return () => this.heard.delete(heard);
      },
    };
  }

  /** The paths asked so far. */
  get paths() {
    return this.requests.map(({ path }) => path);
  }

  /** Those that nobody has answered or aborted. */
  get open() {
    return this.requests.filter(({ settled }) => !settled);
  }

  /** The one request that is in flight. */
  get asked() {
    if (this.open.length !== 1)
      throw new Error(`${this.open.length} requests in flight: ${this.open.map(({ path }) => path)}`);
    return this.open[0];
  }

  /** The request in flight, or that of a path. */
  async answer(body, { status = 200, headers = {}, of = null } = {}) {
    const { settle } = of ? this.open.find(({ path }) => path === of) : this.asked;
    settle((resolve) =>
      resolve(new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers })),
    );
    await settled();
  }

  async fail() {
    this.asked.settle((_, reject) => reject(new TypeError("Failed to fetch")));
    await settled();
  }

  /** The time of the next timer from now (ms). */
  get rest() {
    return Math.min(...[...this.timers.values()].map(({ at }) => at)) - this.time;
  }

  async advance(ms) {
    const until = this.time + ms;
    for (;;) {
      await settled();
      const due = [...this.timers.entries()].filter(([, { at }]) => at <= until).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.timers.delete(due[0]);
      this.time = Math.max(this.time, due[1].at);
      due[1].then();
    }
    this.time = until;
    await settled();
  }

  async event(name, changed = {}) {
    Object.assign(this, changed);
    for (const heard of [...this.heard]) heard(name);
    await settled();
  }

  #fetch(url, { signal, ...init }) {
    return new Promise((resolve, reject) => {
      const request = { path: url, init, settled: false };
      request.settle = (how) => {
        request.settled = true;
        how(resolve, reject);
      };
      signal.addEventListener("abort", () => request.settle((_, fail) => fail(signal.reason)));
      this.requests.push(request);
    });
  }

  #setTimeout(then, ms) {
    const id = Symbol("timer");
    this.timers.set(id, { at: this.time + ms, then });
    return id;
  }
}

/** Once everything that needs no time has happened. */
export async function settled() {
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
}
