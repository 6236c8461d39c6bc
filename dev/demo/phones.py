"""The emulated phones of the demo's followers.

They sign up through the public API like any app and register their phones with the emulators, from where the page shows
them. Their accounts are kept under VAR_DIR, so a second start continues with the same phones.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from threading import Event
from typing import Any

import requests

from db.domain import live_update_topic
from dev.demo.fans import FANS, Fan

RETRY_S = 0.5
TIMEOUT_S = 10


class Phones:
    """url: the API.
    control_url: the emulators' control endpoint.
    file: accounts, for the next start.
    """

    def __init__(self, url: str, control_url: str, file: Path, stopping: Event) -> None:
        self.url, self.control_url, self.file, self.stopping = url, control_url, file, stopping
        # Prefixes of matches shown as Live Updates, by device.
        self.watching: dict[str, str] = {}
        self.http = requests.Session()
        self.http.trust_env = False  # both are on this machine; no proxy leads there

    def lay(self) -> None:
        """Returns once all follow and their phones are registered. A refusal is a bug and propagates."""
        kept = _kept(self.file)
        for fan in FANS:
            mine = kept.setdefault(fan.name, {"device": _device(fan.platform), "bearer": ""})
            if not mine["bearer"] or self._ask("GET", "/api/me", mine["bearer"]).status_code == 401:
                mine["bearer"] = self._done("POST", "/api/users").json()["token"]
                _keep(self.file, kept)
            if fan.platform == "ios" and "live_activity" not in mine:
                mine["live_activity"] = secrets.token_hex(80)
                _keep(self.file, kept)
            self._register(fan, mine["device"], mine.get("live_activity", ""), mine["bearer"])
            if fan.watches:
                self.watching[mine["device"]] = fan.watches

    def watch(self, match_ids: Iterable[str]) -> None:
        """Apps that show Live Updates listen to the topics of these matches, as when they are opened there."""
        ids = sorted(match_ids)
        for device, prefix in self.watching.items():
            self._listen(device, [live_update_topic(match_id) for match_id in ids if match_id.startswith(prefix)])

    def _register(self, fan: Fan, device: str, live_activity: str, bearer: str) -> None:
        settings = {"locale": fan.locale, "time_zone": fan.time_zone, **fan.settings}
        self._done("PATCH", "/api/me", bearer, settings)
        topics: list[str] = []
        for subject, wishes in fan.follows.items():
            topics += self._done("PUT", f"/api/me/follows/{subject}", bearer, wishes).json()["topics"] or []
        self._done("PUT", f"/api/me/devices/{fan.platform}/{device}", bearer, self._body(fan, device, live_activity))
        if fan.payload == "data":
            self._listen(device, [topic if topic.startswith("own.") else f"{topic}-data" for topic in topics])
        label = {"name": fan.name, "platform": fan.platform, "locale": fan.locale, "about": fan.about}
        self._control(
            "PUT", f"/phones/{device}", label | {"live_activity_token": live_activity, "silence": fan.silence}
        )

    def _body(self, fan: Fan, device: str, live_activity: str) -> dict[str, Any]:
        body: dict[str, Any] = {"locale": fan.locale, "live_activity_token": live_activity or None}
        if fan.payload == "data":
            return body | {"payload": "data", "topics": f"{fan.locale}-data"}
        if fan.platform == "web":
            key = self._done("GET", "/api/web-push").json()["public_key"]
            return body | {
                "subscription": self._control(
                    "POST", "/subscriptions", {"application_server_key": key, "name": device}
                ).json()
            }
        return body

    def _listen(self, device: str, topics: list[str]) -> None:
        self._control("PUT", f"/phones/{device}/topics", {"topics": topics})

    def _control(self, method: str, path: str, document: dict[str, Any]) -> requests.Response:
        answer = self.http.request(method, self.control_url + path, json=document, timeout=TIMEOUT_S)
        answer.raise_for_status()
        return answer

    def _done(self, method: str, path: str, bearer: str = "", body: Any = None) -> requests.Response:
        answer = self._ask(method, path, bearer, body)
        answer.raise_for_status()
        return answer

    def _ask(self, method: str, path: str, bearer: str = "", body: Any = None) -> requests.Response:
        """The first final answer: busy services are retried. Exits when told to stop."""
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        while True:
            try:
                answer = self.http.request(method, self.url + path, json=body, headers=headers, timeout=TIMEOUT_S)
            except requests.RequestException:
                answer = None
            if answer is not None and answer.status_code not in (429, 502, 503):
                return answer
            if self.stopping.wait(RETRY_S):
                raise SystemExit(0)


def _device(platform: str) -> str:
    """A token in Apple's form (32 bytes of hex) or Google's; of a browser any name."""
    return f"demo:{secrets.token_urlsafe(48)}" if platform == "android" else secrets.token_hex(32)


def _kept(file: Path) -> dict[str, dict[str, str]]:
    try:
        return dict(json.loads(file.read_text()))
    except (OSError, ValueError):
        return {}


def _keep(file: Path, kept: dict[str, dict[str, str]]) -> None:
    """Private: the file holds the accounts' tokens."""
    written = file.with_suffix(".new")
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(kept, out)
    written.replace(file)
