"""A browser's push service for Chromium, which has none without Google: PushManager asks our emulator instead, and what
reaches the emulator is handed to the service worker by the browser's own debugging protocol."""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from playwright.sync_api import BrowserContext, Page

from dev.emulators.journal import AcceptedPush, PushJournal
from tests.conftest import wait_until
from tests.support.emulators import Emulated

VAPID_KEY = (
    ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
)
# `subscribe` and `getSubscription` of a page; the subscription outlives it, as the browser's would.
DOUBLE = """
const kept = () => JSON.parse(localStorage.getItem("test-subscription"));
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const subscriptionOf = (made) => made && {
  endpoint: made.subscription.endpoint,
  options: { applicationServerKey: bytes(made.key).buffer },
  toJSON: () => made.subscription,
  unsubscribe: async () => { localStorage.removeItem("test-subscription"); return true; },
};
PushManager.prototype.subscribe = async ({ applicationServerKey: key }) => {
  const made = { key, subscription: await window.emulatedSubscribe(key) };
  localStorage.setItem("test-subscription", JSON.stringify(made));
  return subscriptionOf(made);
};
PushManager.prototype.getSubscription = async () => subscriptionOf(kept());
"""


def settings(emulated: Emulated) -> dict[str, str]:
    """Of a system whose browsers are the emulator's."""
    push_service = {"WEBPUSH_URL": emulated.webpush_url, "PUSH_CA": emulated.push_ca}
    return {"VAPID_KEY": VAPID_KEY, "VAPID_CONTACT": "operator@example.org", **push_service}


class BrowserPush:
    """One browser's subscription at the emulator.

    page: a tab with any page of the site. It is left, and while the app's tabs are closed none of the site's is open.
    """

    def __init__(self, emulated: Emulated, page: Page) -> None:
        self.emulated, self.page = emulated, page
        self.context: BrowserContext = page.context
        self.names: list[str] = []
        self.site = page.url
        self.origin = page.evaluate("location.origin")
        page.goto("about:blank")
        self.context.expose_function("emulatedSubscribe", self._subscribe)
        self.context.add_init_script(DOUBLE)

    def _subscribe(self, key: str) -> dict[str, Any]:
        device = self.emulated.browser(key)
        self.names.append(device.token)
        return {"endpoint": device.endpoint, "keys": {"p256dh": device.p256dh, "auth": device.auth}}

    def pushes(self, kind: str) -> list[AcceptedPush]:
        """Those that the emulator has checked and decrypted."""
        journal = PushJournal(self.emulated.ledger)
        accepted = [push for name in self.names for push in journal.of(name) if push.payload.get("kind") == kind]
        journal.close()
        return accepted

    def wait_for(self, kind: str) -> dict[str, Any]:
        wait_until(lambda: self.pushes(kind), f"a push of kind {kind}")
        return dict(self.pushes(kind)[-1].payload)

    def deliver(self, payload: dict[str, Any]) -> None:
        """To the service worker, as the browser does with what it has decrypted."""
        session = self.context.new_cdp_session(self.page)
        registrations: list[dict[str, Any]] = []
        session.on("ServiceWorker.workerRegistrationUpdated", lambda news: registrations.extend(news["registrations"]))
        session.send("ServiceWorker.enable")
        wait_until(lambda: self._registration(registrations), "the registration of the worker")
        options = {"origin": self.origin, "registrationId": self._registration(registrations)}
        options |= {"data": json.dumps(payload)}
        session.send("ServiceWorker.deliverPushMessage", options)
        session.detach()

    def _registration(self, registrations: list[dict[str, Any]]) -> str:
        # Playwright hears events while it waits for an answer of its own.
        self.page.evaluate("1")
        alive = {one["registrationId"]: one for one in registrations if one["scopeURL"] == f"{self.origin}/"}
        return next((name for name, one in alive.items() if not one["isDeleted"]), "")

    def shown(self) -> list[dict[str, Any]]:
        """The notifications that stand on the screen, as any page of the site can ask for them."""
        if self.page.url != self.site:
            self.page.goto(self.site)
        read = """async () => (await (await navigator.serviceWorker.getRegistration()).getNotifications())
            .map(({ title, body, tag, data }) => ({ title, body, tag, data }))"""
        return list(self.page.evaluate(read))

    def click(self, action: str) -> None:
        """An action of the newest notification."""
        (worker,) = self.context.service_workers
        worker.evaluate(
            """async (action) => {
                const notification = (await self.registration.getNotifications()).at(-1);
                self.dispatchEvent(new NotificationEvent("notificationclick", { notification, action }));
            }""",
            action,
        )
