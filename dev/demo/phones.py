"""The demo's two followers and their emulated phones.

They sign up through the public API like any app and register their phones with the emulators, from where the page shows
them. Their accounts are kept under VAR_DIR, so a second start continues with the same two.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import requests

RETRY_S = 0.5
TIMEOUT_S = 10


@dataclass(frozen=True)
class Fan:
    """follow: subject and id as in the API's path.
    prefs: kinds beside the default ones.
    about: description on the page.
    """

    name: str
    platform: str
    locale: str
    time_zone: str
    follow: str
    prefs: dict[str, bool]
    about: str


# As different as possible: service, language and preferences.
FANS = (
    Fan(
        name="iPhone",
        platform="ios",
        locale="de",
        time_zone="Europe/Berlin",
        follow="competitions/world-cup",
        prefs={"penalty_missed": True, "interrupted": True},
        about="all of the World Cup, in German",
    ),
    Fan(
        name="Android",
        platform="android",
        locale="en",
        time_zone="Europe/London",
        follow="teams/argentina",
        prefs={},
        about="Argentina alone, in English",
    ),
)


class Phones:
    """url: the API.
    control_url: the emulators' control endpoint.
    file: accounts, for the next start.
    """

    def __init__(self, url: str, control_url: str, file: Path, stopping: Event) -> None:
        self.url, self.control_url, self.file, self.stopping = url, control_url, file, stopping
        self.http = requests.Session()
        self.http.trust_env = False  # both are on this machine; no proxy leads there

    def lay(self) -> None:
        """Returns once both follow and their phones are registered. A refusal is a bug and propagates."""
        kept = _kept(self.file)
        for fan in FANS:
            mine = kept.setdefault(fan.name, {"device": _device(fan.platform), "bearer": ""})
            if not mine["bearer"] or self._ask("GET", "/api/me", mine["bearer"]).status_code == 401:
                mine["bearer"] = self._done("POST", "/api/users").json()["token"]
                _keep(self.file, kept)
            if fan.platform == "ios" and "live_activity" not in mine:
                mine["live_activity"] = secrets.token_hex(80)
                _keep(self.file, kept)
            self._follow(fan, mine["device"], mine.get("live_activity", ""), mine["bearer"])

    def _follow(self, fan: Fan, device: str, live_activity: str, bearer: str) -> None:
        device_settings = {"locale": fan.locale, "live_activity_token": live_activity or None}
        self._done("PATCH", "/api/me", bearer, {"locale": fan.locale, "time_zone": fan.time_zone})
        self._done("PUT", f"/api/me/devices/{fan.platform}/{device}", bearer, device_settings)
        self._done("PUT", f"/api/me/follows/{fan.follow}", bearer, {"notification_prefs": fan.prefs})
        label = {"name": fan.name, "platform": fan.platform, "locale": fan.locale, "about": fan.about}
        label["live_activity_token"] = live_activity
        self.http.put(f"{self.control_url}/phones/{device}", json=label, timeout=TIMEOUT_S).raise_for_status()

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
    """A token in Apple's form (32 bytes of hex) or Google's."""
    return secrets.token_hex(32) if platform == "ios" else f"demo:{secrets.token_urlsafe(48)}"


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
