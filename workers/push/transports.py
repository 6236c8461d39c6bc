"""The push services this deployment has keys for, each built at first use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from config import Settings, pem
from db.domain import Device, Platform
from db.domain.web_push import services_at
from db.live.metrics import PUSHES
from notify.transports import apns, channels, fcm
from notify.transports.apns import Apns
from notify.transports.base import Envelope, Transport
from notify.transports.channels import Channels
from notify.transports.fcm import Fcm
from notify.transports.null import NullTransport
from notify.transports.outcome import ConfigFault, Delivered, Gone, Later, Outcome, Unknown
from notify.transports.signature import Key
from notify.transports.webpush import WebPush

# Apple keeps apps that are being debugged apart from those of the store: other hosts, other tokens, other channels.
ENVIRONMENTS = ("production", "sandbox")
_APNS = {"production": apns.PRODUCTION, "sandbox": apns.SANDBOX}
_CHANNELS = {"production": channels.PRODUCTION, "sandbox": channels.SANDBOX}


# Reasons are the services' words, about sixty. Anything longer or stranger is counted as `other`.
WORD = re.compile(r"[A-Za-z0-9_-]{1,48}")


class ActivityStarts:
    """Starts of Live Activities: the same connection as alerts, counted under a name of its own. A fault of starts does
    not stop alerts, and dead start tokens are not dead devices."""

    name = "live_activity"

    def __init__(self, ios: Transport) -> None:
        self.ios = ios

    def send(self, envelopes: Iterable[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        return self.ios.send(envelopes)

    def close(self) -> None:
        """No-op: the wrapped transport owns the connection."""


class Transports:
    """Each is None if there are no keys for it. With PUSH=null each reports deliveries without sending."""

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
        if environment not in ENVIRONMENTS:
            return None
        if environment not in self.apns:
            self.apns[environment] = self._apns(environment)
        return self.apns[environment]

    def starts(self, environment: str) -> Transport | None:
        """The transport that starts Live Activities."""
        transport = self.ios(environment)
        return self.activities.setdefault(environment, ActivityStarts(transport)) if transport else None

    def channels(self, environment: str) -> Channels | None:
        """The client that creates and deletes broadcast channels of an environment."""
        settings, transport = self.settings, self.ios(environment)
        if not isinstance(transport, Apns):
            return None
        url = settings.apns_channels_url or _CHANNELS[environment]
        return Channels(transport.signature, settings.apns_bundle, url=url, ca=settings.push_ca or None)

    @cached_property
    def android(self) -> Transport | None:
        settings = self.settings
        if settings.push == "null":
            return NullTransport()
        if not settings.fcm_credentials:
            return None
        return Fcm(settings.fcm_credentials, url=settings.fcm_url or fcm.URL, ca=settings.push_ca or None)

    @cached_property
    def web(self) -> Transport | None:
        settings = self.settings
        if settings.push == "null":
            return NullTransport()
        if not settings.vapid_key:
            return None
        return WebPush(
            pem(settings.vapid_key),
            settings.vapid_contact,
            services=services_at(settings.webpush_url),
            ca=settings.push_ca or None,
            site=settings.public_url,
        )

    def _apns(self, environment: str) -> Transport | None:
        settings = self.settings
        if settings.push == "null":
            return NullTransport()
        if not settings.apns_key:
            return None
        key = Key(settings.apns_team, settings.apns_key_id, pem(settings.apns_key))
        return Apns(key, settings.apns_bundle, url=settings.apns_url or _APNS[environment], ca=settings.push_ca or None)


def counted(name: str, outcome: Outcome) -> tuple[str, str]:
    """Count an outcome in the metrics; returns the counters of its alert: the result, and the result with service and
    reason. What is tried again has not failed."""
    results = {Delivered: "sent", Gone: "gone", Later: "later", ConfigFault: "later", Unknown: "unknown"}
    result = results.get(type(outcome), "failed")
    reason = outcome.reason if WORD.fullmatch(outcome.reason) else "other"
    PUSHES.add(service=name, result=result, reason=reason)
    return result, f"{result}:{name}:{reason}"


def is_possibly_sent(outcome: Outcome) -> bool:
    """Whether the service may have it although it did not answer."""
    return isinstance(outcome, Unknown) or (isinstance(outcome, Later) and outcome.possibly_sent)
