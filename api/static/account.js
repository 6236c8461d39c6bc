/**
 * The account behind the alerts: anonymous, made when the first bell is switched on. Its token is kept where the
 * service worker reads it as well, so that a match can be muted from a notification.
 */

import { Failure } from "./read.js";

// Those of service_worker.js.
const CACHE = "yours";
const ENTRY = "/yours/account";

/**
 * device: our name of this browser's subscription. endpoint: of the subscription that was registered, and when (ms).
 *
 * @typedef {{user_id: string, token: string, device: string, endpoint?: string, registered_at?: number}} Kept
 */

/** @typedef {{id: string, muted: boolean, notification_prefs: Record<string, boolean>}} Follow */
/** @typedef {Record<import("./marks.js").Subject, Follow[]>} Follows */
/** @typedef {{since: string, until: string}} QuietHours */

/**
 * @typedef {object} Settings
 * @property {string} time_zone
 * @property {QuietHours | null} quiet_hours
 * @property {boolean} spoiler_free
 * @property {string} locale
 */

/** @typedef {Settings & {follows: Follows, devices: {platform: string, token: string}[]}} Me */

/** What an account needs of the browser. */
export const browser = {
  fetch: (/** @type {string} */ path, /** @type {RequestInit} */ init) => globalThis.fetch(path, init),
  uuid: () => globalThis.crypto.randomUUID(),
  /** @returns {Promise<Kept | null>} */
  async load() {
    if (!("caches" in globalThis)) return null;
    const entry = await (await caches.open(CACHE)).match(ENTRY);
    return entry ? entry.json() : null;
  },
  /** @param {Kept} kept */
  async save(kept) {
    await (await caches.open(CACHE)).put(ENTRY, new Response(JSON.stringify(kept)));
  },
  async forget() {
    await (await caches.open(CACHE)).delete(ENTRY);
  },
};

export class Account {
  /** @param {typeof browser} env */
  constructor(env = browser) {
    this.env = env;
  }

  /** Null where there is none. */
  kept() {
    return this.env.load();
  }

  /**
   * The one there is, or a new one with these settings.
   *
   * @param {Partial<Settings>} settings
   * @returns {Promise<Kept>}
   */
  async open(settings) {
    const kept = await this.kept();
    if (kept) return kept;
    const { user_id, token } = await this.#request("POST", "/api/users", "");
    const made = { user_id, token, device: this.env.uuid() };
    await this.env.save(made);
    await this.change(settings);
    return made;
  }

  /**
   * The account of another of the reader's devices. Raises Failure 401 where there is none with this token.
   *
   * @param {string} token
   * @returns {Promise<Me>}
   */
  async join(token) {
    const me = await this.#request("GET", "/api/me", token);
    await this.env.save({ user_id: me.user_id, token, device: this.env.uuid() });
    return me;
  }

  /** @returns {Promise<Me>} */
  me() {
    return this.#own("GET", "/api/me");
  }

  /**
   * @param {Partial<Settings>} settings
   * @returns {Promise<Me>}
   */
  change(settings) {
    return this.#own("PATCH", "/api/me", settings);
  }

  /**
   * @param {{subject: import("./marks.js").Subject, id: string}} what
   * @param {{muted?: boolean, notification_prefs?: Record<string, boolean>}} wishes the default kinds without any
   * @returns {Promise<Follow>}
   */
  follow({ subject, id }, wishes = {}) {
    return this.#own("PUT", `/api/me/follows/${subject}/${encodeURIComponent(id)}`, wishes);
  }

  /** @param {{subject: import("./marks.js").Subject, id: string}} what */
  unfollow({ subject, id }) {
    return this.#own("DELETE", `/api/me/follows/${subject}/${encodeURIComponent(id)}`);
  }

  /**
   * Alerts come to this subscription.
   *
   * @param {PushSubscriptionJSON} subscription
   * @param {number} now ms since the epoch
   */
  async register(subscription, now) {
    const kept = await this.#mine();
    await this.#own("PUT", `/api/me/devices/web/${kept.device}`, { subscription });
    await this.env.save({ ...kept, endpoint: subscription.endpoint, registered_at: now });
  }

  /** Everything of the account, here and at the server. */
  async delete() {
    await this.#own("DELETE", "/api/me");
    await this.env.forget();
  }

  async #mine() {
    const kept = await this.kept();
    if (!kept) throw new Failure(401, "There is no account.");
    return kept;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   */
  async #own(method, path, body) {
    const { token } = await this.#mine();
    try {
      return await this.#request(method, path, token, body);
    } catch (error) {
      // Deleted from another device: nothing here is of any use now.
      if (error instanceof Failure && error.status === 401) await this.env.forget();
      throw error;
    }
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {string} token
   * @param {object} [body]
   * @returns {Promise<any>} null where the answer has no body
   */
  async #request(method, path, token, body) {
    /** @type {Record<string, string>} */
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    if (body) headers["Content-Type"] = "application/json";
    let response;
    try {
      response = await this.env.fetch(path, { method, headers, body: body && JSON.stringify(body) });
    } catch {
      throw new Failure(0, "The server cannot be reached.");
    }
    if (response.status === 204) return null;
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    throw new Failure(response.status, answer.error?.message ?? response.statusText);
  }
}
