"""APNs, as Apple's provider API has it: devices, Live Activities and broadcast channels, with one signed token.

Rules: developer.apple.com, "Sending notification requests to APNs", "Handling notification responses from APNs",
"Establishing a token-based connection to APNs", "Sending broadcast push notification requests to APNs".
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Iterator

from db.domain import Device
from notify.content import payload
from notify.content.message import Message
from notify.transports.base import Activity, ActivityStart, Address, Channel, Envelope
from notify.transports.connection import STREAMS, Reply, Request
from notify.transports.outcome import ConfigFault, Delivered, Dropped, Gone, Later, OurFault, Outcome
from notify.transports.sender import KnownOutcome, RetryLater, Sender
from notify.transports.signature import Key, Signature

logger = logging.getLogger(__name__)

PRODUCTION, SANDBOX = "https://api.push.apple.com", "https://api.sandbox.push.apple.com"
# "TooManyRequests": too many to this one device. Apple names no time.
DEVICE_PAUSE_S = 30.0
# Apple answers in tens of ms, and not at all when a connection has died unseen (its users tell of 90 minutes).
ANSWER_S = 5.0
# Messages at hand in finished form: a chunk has one per language and manner.
READY = 64

_DELIVERED = Delivered()
_ON_ONE_PHONE = (Device, Activity, ActivityStart)
# Broadcasts and Live Activities are each allowed to an app by itself.
_SCOPES = {Device: "alerts", Activity: "activities", ActivityStart: "activities", Channel: "broadcasts"}
_GONE = frozenset({"BadDeviceToken", "DeviceTokenNotForTopic", "Unregistered", "ExpiredToken"})
_CHANNEL_GONE = frozenset({"BadChannelId", "ChannelNotRegistered"})
_CONFIG = frozenset(
    {
        "InvalidProviderToken",
        "MissingProviderToken",
        "UnrelatedKeyIdInToken",
        "BadEnvironmentKeyIdInToken",
        "BadCertificate",
        "BadCertificateEnvironment",
        "Forbidden",
        "TopicDisallowed",
        "TopicMismatch",
        "FeatureNotEnabled",
    }
)


class Apns:
    """The transport to devices of one app in one environment (`url`: PRODUCTION or SANDBOX)."""

    name = "apns"

    def __init__(
        self,
        key: Key,
        bundle: str,
        *,
        url: str = PRODUCTION,
        connections: int = 1,
        streams: int = STREAMS,
        ca: str | None = None,
    ) -> None:
        self.bundle = bundle
        self.signature = Signature(key)
        # Apple opens one stream to a connection until its token has proved good.
        self.sender = Sender(url, connections=connections, opening=1, streams=streams, answer_s=ANSWER_S, ca=ca)
        self.ready: dict[tuple[int, object], tuple[Message, list[str], bytes]] = {}
        self.signed_with = ""

    def send(self, parcels: Iterable[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        """See Transport.send. Takes Device, Activity, ActivityStart and Channel."""
        return self.sender.send(map(self._request, parcels), self._judge)

    def close(self) -> None:
        self.sender.close()

    def _request(self, parcel: Envelope) -> Request | KnownOutcome:
        address = parcel.address
        path = f"/4/broadcasts/apps/{self.bundle}"
        if isinstance(address, _ON_ONE_PHONE):
            if not address.token.isalnum():  # it becomes a part of a path
                return KnownOutcome(parcel, Gone("BadDeviceToken"))
            path = f"/3/device/{address.token}"
        headers, body = self._form(parcel)
        return Request(parcel, path, headers, body, parcel.message.expires_at, _SCOPES[type(address)])

    def _form(self, parcel: Envelope) -> tuple[list[str], bytes]:
        """Headers and body, made once for all addresses of a sort that get one message."""
        token = self.signature.token(time.time())
        if token is not self.signed_with or len(self.ready) >= READY:
            self.ready.clear()
            self.signed_with = token
        message, address = parcel.message, parcel.address
        key = (id(message), _sort(address))
        known = self.ready.get(key)
        if known is None:
            known = self.ready[key] = (message, self._headers(parcel, token), _body(message, address))
        return known[1], known[2]

    def _headers(self, parcel: Envelope, token: str) -> list[str]:
        message, address = parcel.message, parcel.address
        activity = not isinstance(address, Device)
        headers = {
            "authorization": f"bearer {token}",
            "apns-push-type": "liveactivity" if activity else "alert",
            "apns-priority": "10" if message.urgent else "5",
            "apns-expiration": str(message.expires_at),
        }
        if isinstance(address, Channel):
            headers["apns-channel-id"] = address.id
        else:
            headers["apns-topic"] = f"{self.bundle}.push-type.liveactivity" if activity else self.bundle
        if isinstance(address, Device | ActivityStart):
            headers["apns-collapse-id"] = message.collapse_id
        return [f"{name}: {value}" for name, value in headers.items()]

    def _judge(self, request: Request, reply: Reply) -> Outcome | RetryLater:
        if reply.status == 200:
            return _DELIVERED
        reason, since_ms = reason_of(reply)
        if reply.status == 403 and reason == "ExpiredProviderToken":
            return self._resign(request)
        if reason == "TooManyProviderTokenUpdates":
            # It is counted by connection: the present token on a new one is the first there.
            return RetryLater(reason, soon=True, leave=True)
        if reason in _CHANNEL_GONE and isinstance(request.parcel.address, ActivityStart):
            # The phone is there; what it was to listen to is not.
            return Dropped(reason)
        return judged(reply, reason, since_ms)

    def _resign(self, request: Request) -> Outcome | RetryLater:
        """A connection that has seen an expired token answers nothing else from then on: sign, leave it, repeat."""
        parcel: Envelope = request.parcel
        if self.signature.text in request.headers[0] and not self.signature.expired(time.time()):
            return ConfigFault("ExpiredProviderToken")
        request.headers, request.body = self._form(parcel)
        return RetryLater("ExpiredProviderToken", soon=True, leave=True)


def judged(reply: Reply, reason: str, since_ms: int | None = None) -> Outcome | RetryLater:
    """The table of reasons; the same for devices and channels."""
    if reason in _GONE or reply.status == 410:
        return Gone(reason, since_ms)
    if reason in _CHANNEL_GONE:
        return Gone(reason)
    if reason in _CONFIG or reply.status == 403:
        return ConfigFault(reason)
    if reply.status == 429:
        return Later(reason, reply.retry_after_s or DEVICE_PAUSE_S)
    if reply.status >= 500:
        return RetryLater(reason, reply.retry_after_s, leave=reason == "Shutdown", fault=True)
    return OurFault(reason)


def _sort(address: Address) -> object:
    """Addresses of one sort get the same headers and the same body."""
    if isinstance(address, ActivityStart):
        return ActivityStart, address.channel
    return address if isinstance(address, Channel) else type(address)


def _body(message: Message, address: Address) -> bytes:
    if isinstance(address, Device):
        return payload.apns_alert(message)
    if isinstance(address, ActivityStart):
        return payload.apns_start(message, address.channel)
    return payload.apns_activity(message)


def reason_of(reply: Reply) -> tuple[str, int | None]:
    """Reason and timestamp (ms) of an error's body; the status in words where it has none."""
    try:
        said = json.loads(reply.body)
        return str(said["reason"]), said.get("timestamp")
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"status_{reply.status}", None
