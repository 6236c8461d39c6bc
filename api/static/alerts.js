/** Alerts of this browser: its permission, its subscription, the account's follows, and the bells that show them. */

import { Account } from "./account.js";
import { zone } from "./days.js";
import { languageOf } from "./languages.js";
import { bells, SUBJECTS } from "./marks.js";
import { Failure, read } from "./read.js";

// The server forgets devices that it has not heard of for months; a day is often enough for it, and rare for us.
const REGISTER_EVERY_MS = 24 * 3_600_000;

/**
 * denied: the reader has not allowed notifications. install: iOS allows them only to a page on the home screen.
 * unsupported: the browser has none, or the page came without TLS. off: this server sends none.
 *
 * @typedef {"denied" | "install" | "unsupported" | "off"} Reason
 */

/** @typedef {import("./account.js").Me} Me */
/** @typedef {import("./marks.js").Mark} Mark */

/** Why a bell could not be switched on. */
export class NoAlerts extends Error {
  /** @param {Reason} why */
  constructor(why) {
    super(why);
    this.why = why;
  }
}

/** What alerts need of the browser. */
export const browser = {
  now: () => Date.now(),
  isSupported: () =>
    "serviceWorker" in navigator && "PushManager" in window && "Notification" in window && "caches" in window,
  /** iPhones and iPads; those of the last years call themselves a Mac with a touch screen. */
  isApplePhone: () =>
    /iPhone|iPad/.test(navigator.userAgent) || (/Mac/.test(navigator.userAgent) && navigator.maxTouchPoints > 1),
  permission: () => Notification.permission,
  registration: () => navigator.serviceWorker.register("/service-worker.js", { updateViaCache: "none" }),
  /** Once its worker runs. */
  ready: () => navigator.serviceWorker.ready,
  settings: () => ({ time_zone: zone, locale: languageOf(navigator.language || "en") }),
  /** @returns {Promise<string | null>} the server's key, base64url; null where it sends no alerts to browsers */
  key: async () => (await read("/api/web-push", new AbortController().signal)).public_key,
};

export class Alerts {
  /** The account with its follows, once it was read. @type {Me | null} */ me = null;

  /**
   * @param {Account} account
   * @param {import("./marks.js").Marks} marks shows where the bell is on
   * @param {typeof browser} env
   */
  constructor(account = new Account(), marks = bells, env = browser) {
    this.account = account;
    this.marks = marks;
    this.env = env;
  }

  /**
   * This browser becomes a device of the account, which follows the mark. Raises NoAlerts, Failure.
   *
   * @param {Mark} mark
   */
  async turnOn(mark) {
    const subscription = await this.#subscription();
    // Deleted from another device meanwhile, it is none, and a new one is opened.
    await this.refresh();
    await this.account.open(this.env.settings());
    await this.account.register(subscription.toJSON(), this.env.now());
    await this.account.follow(mark);
    this.marks.add(mark);
    await this.refresh();
  }

  /**
   * Alerts of the account that another device has come here as well.
   *
   * @param {string} token
   */
  async join(token) {
    const subscription = await this.#subscription();
    await this.account.join(token);
    await this.account.register(subscription.toJSON(), this.env.now());
    await this.refresh();
  }

  /** @param {{subject: import("./marks.js").Subject, id: string}} mark */
  async turnOff(mark) {
    await this.account.unfollow(mark);
    this.marks.remove(mark);
    await this.refresh();
  }

  /**
   * @param {{subject: import("./marks.js").Subject, id: string}} what
   * @param {{muted?: boolean, notification_prefs?: Record<string, boolean>}} wishes
   */
  async wish(what, wishes) {
    await this.account.follow(what, wishes);
    await this.refresh();
  }

  /** @param {Partial<import("./account.js").Settings>} settings */
  async change(settings) {
    this.me = await this.account.change(settings);
  }

  /**
   * The account as the server has it; the bells follow. Null where there is none (any more).
   *
   * @returns {Promise<Me | null>}
   */
  async refresh() {
    if (!(await this.account.kept())) return this.#gone();
    this.me = await this.#unlessGone(() => this.account.me());
    if (!this.me) return null;
    const { follows } = this.me;
    const names = new Map(this.marks.all.map(({ subject, id, name }) => [`${subject}/${id}`, name]));
    const heard = SUBJECTS.flatMap((subject) =>
      follows[subject]
        .filter(({ muted }) => !muted)
        .map(({ id }) => ({ subject, id, name: names.get(`${subject}/${id}`) ?? "" })),
    );
    this.marks.replace(heard);
    return this.me;
  }

  /** At each start of the page: the browser may have another subscription by now, or lost it. */
  async renew() {
    if (!this.env.isSupported() || this.env.permission() !== "granted") return;
    const kept = await this.account.kept();
    if (!kept) return;
    const isRecent = this.env.now() - (kept.registered_at ?? 0) < REGISTER_EVERY_MS;
    const current = await (await this.env.registration()).pushManager.getSubscription();
    if (isRecent && current?.endpoint === kept.endpoint) return;
    const subscription = (await this.#subscription()).toJSON();
    await this.#unlessGone(() => this.account.register(subscription, this.env.now()));
  }

  /** Account, follows and devices at the server, the subscription and every mark here. */
  async delete() {
    if (await this.account.kept()) await this.#unlessGone(() => this.account.delete());
    const registration = await this.env.registration();
    await (await registration.pushManager.getSubscription())?.unsubscribe();
    for (const shown of await registration.getNotifications()) shown.close();
    this.#gone();
  }

  /** Why this browser shows no alerts of ours; null if it does. */
  #missing() {
    if (!this.env.isSupported()) return this.env.isApplePhone() ? "install" : "unsupported";
    return this.env.permission() === "granted" ? null : "denied";
  }

  /**
   * What another device deleted is gone here as well: null then.
   *
   * @template T
   * @param {() => Promise<T>} action
   */
  async #unlessGone(action) {
    try {
      return await action();
    } catch (error) {
      if (error instanceof Failure && error.status === 401) return this.#gone();
      throw error;
    }
  }

  #gone() {
    this.me = null;
    this.marks.replace([]);
    return null;
  }

  /** Of the server's present key: a push service takes nothing signed by another. */
  async #subscription() {
    const why = this.#missing();
    if (why) throw new NoAlerts(why);
    const key = await this.env.key();
    if (!key) throw new NoAlerts("off");
    await this.env.registration();
    const { pushManager } = await this.env.ready();
    const current = await pushManager.getSubscription();
    const madeFor = current?.options.applicationServerKey;
    if (current && madeFor && base64url(madeFor) === key) return current;
    await current?.unsubscribe();
    return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  }
}

/** @param {ArrayBuffer} bytes */
export function base64url(bytes) {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
