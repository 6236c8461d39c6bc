"""The ways to phones this deployment has keys for, built when first used; one HTTP/2 connection each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from config import Settings, pem
from db.domain import Device, Platform
from db.live.metrics import PUSHES
from notify.transports import apns, channels, fcm
from notify.transports.apns import Apns
from notify.transports.base import Envelope, Transport
from notify.transports.channels import Channels
from notify.transports.fcm import Fcm
from notify.transports.null import NullTransport
from notify.transports.outcome import Delivered, Dropped, Gone, Later, Outcome
from notify.transports.signature import Key
from notify.transports.webpush import WebPush

# Apple keeps apps that are being debugged apart from those of the store: other hosts, other tokens, other channels.
ENVIRONMENTS = ("production", "sandbox")
_APNS = {"production": apns.PRODUCTION, "sandbox": apns.SANDBOX}
_CHANNELS = {"production": channels.PRODUCTION, "sandbox": channels.SANDBOX}


# Reasons are the services' words: some sixty. Anything else they may say is not kept.
WORD = re.compile(r"[A-Za-z0-9_-]{1,48}")


class ActivityStarts:
    """Starts of Live Activities: the way of alerts to the same phones, under a name of its own. What is wrong with the
    one says nothing of the other: neither its faults stop it, nor its dead addresses count as its."""

    name = "live_activity"

    def __init__(self, ios: Transport) -> None:
        self.ios = ios

    def send(self, parcels: Iterable[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        return self.ios.send(parcels)

    def close(self) -> None:
        """The other one's."""


class Transports:
    """Each is None where there are no keys for it; with PUSH=null each sends nothing and says it did."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.apns: dict[str, Transport | None] = {}
        self.activities: dict[str, ActivityStarts] = {}

    def of(self, device: Device) -> Transport | None:
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

    def starts(self, environment: str) -> Transport | None:
        """By which Live Activities are begun."""
        transport = self.ios(environment)
        return self.activities.setdefault(environment, ActivityStarts(transport)) if transport else None

    def channels(self, environment: str) -> Channels | None:
        """Where broadcast channels of an environment are made and deleted."""
        said, transport = self.settings, self.ios(environment)
        if not isinstance(transport, Apns):
            return None
        url = said.apns_channels_url or _CHANNELS[environment]
        return Channels(transport.signature, said.apns_bundle, url=url, ca=said.push_ca or None)

    @cached_property
    def android(self) -> Transport | None:
        said = self.settings
        if said.push == "null":
            return NullTransport()
        if not said.fcm_credentials:
            return None
        return Fcm(said.fcm_credentials, url=said.fcm_url or fcm.URL, ca=said.push_ca or None)

    @cached_property
    def web(self) -> Transport | None:
        said = self.settings
        if said.push == "null":
            return NullTransport()
        return WebPush(pem(said.vapid_key), said.vapid_contact) if said.vapid_key else None

    def _apns(self, environment: str) -> Transport | None:
        said = self.settings
        if said.push == "null":
            return NullTransport()
        if not said.apns_key:
            return None
        key = Key(said.apns_team, said.apns_key_id, pem(said.apns_key))
        return Apns(key, said.apns_bundle, url=said.apns_url or _APNS[environment], ca=said.push_ca or None)


def counted(name: str, outcome: Outcome) -> tuple[str, str]:
    """Count an outcome, and name the counters of its alert: what became of it, for which reason, by which service."""
    words = {Delivered: "sent", Gone: "gone", Later: "later", Dropped: "failed"}
    word = words.get(type(outcome), "failed")
    reason = outcome.reason if WORD.fullmatch(outcome.reason) else "other"
    PUSHES.add(service=name, result=word, reason=reason)
    return word, f"{word}:{name}:{reason}"
