"""APNs, Apple's provider API: devices, Live Activities and broadcast channels, with one signed token.

Rules: developer.apple.com, "Sending notification requests to APNs", "Handling notification responses from APNs",
"Establishing a token-based connection to APNs", "Sending broadcast push notification requests to APNs".
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator

from db.domain import Device
from notify.content import payload
from notify.content.message import Message
from notify.transports.base import ActivityStart, Address, Channel, Envelope
from notify.transports.exchange import STREAMS_MAX, KnownOutcome, Reply, Request
from notify.transports.outcome import ConfigFault, Delivered, Dropped, Gone, Outcome
from notify.transports.reasons import Action, apns_action, verdict
from notify.transports.retry import RetryLater
from notify.transports.sender import Sender
from notify.transports.signature import Key, Signature
from notify.transports.templates import Templates

PRODUCTION, SANDBOX = "https://api.push.apple.com", "https://api.sandbox.push.apple.com"
# "TooManyRequests": too many to this one device. Apple names no time.
DEVICE_PAUSE_S = 30.0
# Apple answers in tens of ms, and not at all when a connection has died unseen (its users report 90 minutes).
ANSWER_S = 5.0
# A date holds no later one.
YEAR_9999_MS = 253_370_764_800_000

_DELIVERED = Delivered()
# Broadcasts and Live Activities are each allowed to an app by itself.
_SCOPES = {Device: "alerts", ActivityStart: "activities", Channel: "broadcasts"}
_CHANNEL_REASONS = frozenset({"BadChannelId", "ChannelNotRegistered"})


class Apns:
    """The transport to devices of one app in one environment (`url`: PRODUCTION or SANDBOX)."""

    name = "apns"

    def __init__(
        self,
        key: Key,
        bundle: str,
        *,
        url: str = PRODUCTION,
        streams: int = STREAMS_MAX,
        answer_s: float = ANSWER_S,
        ca: str | None = None,
    ) -> None:
        self.bundle, self.url = bundle, url
        self.signature = Signature(key)
        # Apple opens one stream to a connection until its token has proved good.
        self.sender = Sender(url, opening=1, streams=streams, answer_s=answer_s, ca=ca)
        self.templates: Templates[tuple[list[str], bytes]] = Templates()
        self.signed_with = ""

    def send(self, envelopes: Iterable[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        """See Transport.send. Takes Device, ActivityStart and Channel."""
        return self.sender.send(map(self._request, envelopes), self._judge, self._silence)

    def check(self) -> bool:
        """See Checkable. A path that does not exist counts as an error of the connection, so not more than once in some
        minutes; the PING that Apple suggests is out of reach through pycurl."""
        authorization = f"authorization: bearer {self.signature.token(time.time())}"
        return self.sender.check(f"{self.url}/", [authorization], b"")

    def close(self) -> None:
        self.sender.close()

    def _request(self, envelope: Envelope) -> Request | KnownOutcome:
        address = envelope.address
        path = f"/4/broadcasts/apps/{self.bundle}"
        if isinstance(address, Device | ActivityStart):
            if not address.token.isalnum():  # it becomes a part of a path
                return KnownOutcome(envelope, Gone("BadDeviceToken"))
            path = f"/3/device/{address.token}"
        headers, body = self._template(envelope.message, address)
        expires_at = envelope.message.expires_at
        return Request(envelope, self.url + path, headers, body, expires_at, _SCOPES[type(address)])

    def _silence(self, request: Request) -> None:
        """A state of a Live Activity is the same whether it comes once or twice."""
        message = self.templates.silent(request.envelope.message)
        request.headers, request.body = self._template(message, request.envelope.address)

    def _template(self, message: Message, address: Address) -> tuple[list[str], bytes]:
        """Headers and body, made once for all addresses of a sort that get one message."""
        token = self.signature.token(time.time())
        if token is not self.signed_with:
            self.templates.clear()
            self.signed_with = token
        return self.templates.of(
            message,
            _sort(address),
            lambda: (self._headers(message, address, token), _body(message, address)),
        )

    def _headers(self, message: Message, address: Address, token: str) -> list[str]:
        activity = not isinstance(address, Device)
        headers = {
            "authorization": f"bearer {token}",
            "content-type": "application/json",
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
        action = apns_action(reply.status, reason)
        if action is Action.SIGN:
            return self._sign(request, reason)
        if reason in _CHANNEL_REASONS and isinstance(request.envelope.address, ActivityStart):
            # The phone is there; the channel it was to listen to is not.
            return Dropped(reason)
        return verdict(action, reason, reply, wait_s=DEVICE_PAUSE_S, since_ms=since_ms)

    def _sign(self, request: Request, reason: str) -> Outcome | RetryLater:
        """A connection that has seen an expired token answers nothing else from then on: sign, leave it, repeat."""
        if self.signature.text in request.headers[0] and not self.signature.expired(time.time()):
            return ConfigFault(reason)
        message = request.envelope.message
        message = self.templates.silent(message) if request.possibly_sent else message
        request.headers, request.body = self._template(message, request.envelope.address)
        return RetryLater(reason, soon=True, leave=True)


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
        error = json.loads(reply.body)
        since_ms = error.get("timestamp")
        return str(error["reason"]), since_ms if _is_time(since_ms) else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"status_{reply.status}", None


def _is_time(since_ms: object) -> bool:
    return type(since_ms) is int and 0 <= since_ms < YEAR_9999_MS
