"""The ways to phones this deployment has keys for, built when first used; one HTTP/2 connection each."""

from __future__ import annotations

from functools import cached_property

from config import Settings
from db.domain import Device, Platform
from notify.apns import PRODUCTION, SANDBOX, Apns, Key
from notify.null import Null
from notify.outcome import Delivered, Dropped, Gone, Later, Outcome
from notify.transport import Transport

APNS_URLS = {"production": PRODUCTION, "sandbox": SANDBOX}


class Transports:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.apns: dict[str, Transport | None] = {}

    def of(self, device: Device) -> Transport | None:
        """None where there are no keys for it."""
        match device.platform:
            case Platform.IOS:
                return self.ios(device.environment)
            case Platform.ANDROID:
                return self.android
            case Platform.WEB:
                return self.web

    def ios(self, environment: str) -> Transport | None:
        if environment not in self.apns:
            self.apns[environment] = self._apns(environment)
        return self.apns[environment]

    @cached_property
    def android(self) -> Transport | None:
        return Null() if self.settings.push == "null" else None

    @cached_property
    def web(self) -> Transport | None:
        return Null() if self.settings.push == "null" else None

    def _apns(self, environment: str) -> Transport | None:
        said = self.settings
        if said.push == "null":
            return Null()
        if not said.apns_key:
            return None
        key = Key(said.apns_team_id, said.apns_key_id, said.apns_key)
        return Apns(key, said.apns_bundle, url=said.apns_url or APNS_URLS[environment], ca=said.push_ca or None)


def counted(name: str, outcome: Outcome) -> tuple[str, str]:
    """The counters an outcome adds to: what became of it, and for which reason by which service."""
    words = {Delivered: "sent", Gone: "gone", Later: "later", Dropped: "failed"}
    word = words.get(type(outcome), "failed")
    return word, f"{word}:{name}:{outcome.reason}"
