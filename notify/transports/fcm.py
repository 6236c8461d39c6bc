"""FCM HTTP v1: registration tokens, installation ids, topics and conditions, one HTTP/2 request each.

firebase-admin reads the service account and its credentials sign; its own send is one thread or one list at a time and
stays unused (docs/decisions/0013). Rules: firebase.google.com/docs/cloud-messaging, "Error codes", "Scale".
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Any

import requests
from firebase_admin import credentials
from google.auth import exceptions
from google.auth.transport.requests import Request as Exchange

from db.domain import Device
from notify.content import payload
from notify.content.message import Message
from notify.transports.base import Address, Condition, Envelope, Topic
from notify.transports.connection import STREAMS, Reply, Request
from notify.transports.outcome import ConfigFault, Delivered, Dropped, Gone, Later, OurFault, Outcome
from notify.transports.sender import KnownOutcome, RetryLater, Sender

URL = "https://fcm.googleapis.com"
# A bearer token lives an hour; one that is asked for this early is there when the old one ends.
EARLY_S = 300
# "Scale": 429 without Retry-After, and the first repeat after a 5xx.
QUOTA_PAUSE_S, FIRST_REPEAT_S = 60.0, 10.0
READY = 64

_DELIVERED = Delivered()
# A quota of one device or topic, in the words of its QuotaFailure ("Error codes", QUOTA_EXCEEDED); any other is the
# project's.
_OF_ONE = re.compile(rb"device|topic", re.I)
_MARK = "the token of each device goes here"
_GONE = frozenset({"UNREGISTERED", "SENDER_ID_MISMATCH"})


class Fcm:
    """account: the service account's JSON. url: FCM's, or the emulator's."""

    name = "fcm"

    def __init__(
        self, account: str, *, url: str = URL, connections: int = 1, streams: int = STREAMS, ca: str | None = None
    ) -> None:
        certificate = credentials.Certificate(json.loads(account))
        self.credential: Any = certificate.get_credential()
        self.path = f"/v1/projects/{certificate.project_id}/messages:send"
        self.sender = Sender(url, connections=connections, streams=streams, ca=ca)
        self.session = requests.Session()
        self.session.verify = ca or True
        # requests lets REQUESTS_CA_BUNDLE outweigh `verify`; with certificates of our own it must not.
        self.session.trust_env = ca is None
        self.ready: dict[tuple[int, bool], tuple[Message, bytes, bytes]] = {}
        self.headers: list[str] = []
        self.refused: Outcome | None = None
        self.good_until = 0.0

    def send(self, parcels: Iterable[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        """See Transport.send. Takes Device, Topic and Condition."""
        return self.sender.send(map(self._request, parcels), self._judge)

    def close(self) -> None:
        self.session.close()
        self.sender.close()

    def _request(self, parcel: Envelope) -> Request | KnownOutcome:
        now = time.time()
        if now >= self.good_until:
            self._sign_in(now)
        if self.refused is not None:
            return KnownOutcome(parcel, self.refused)
        body = self._body(parcel.message, parcel.address, now)
        return Request(parcel, self.path, self.headers, body, parcel.message.expires_at)

    def _sign_in(self, now: float) -> None:
        """A new bearer token, or what stands in its way, which is not tried again for a while."""
        try:
            self.credential.refresh(self._exchange)
        except exceptions.RefreshError:
            self.refused, self.good_until = ConfigFault("oauth_refused"), now + QUOTA_PAUSE_S
            return
        except (exceptions.TransportError, requests.RequestException):
            self.refused, self.good_until = Later("oauth_unavailable", FIRST_REPEAT_S), now + FIRST_REPEAT_S
            return
        expires_at = self.credential.expiry.replace(tzinfo=UTC).timestamp()
        self.refused, self.good_until = None, max(now + 1, expires_at - EARLY_S)
        self.headers = [f"authorization: Bearer {self.credential.token}", "content-type: application/json"]

    def _exchange(self, *args: Any, **kwargs: Any) -> Any:
        """google-auth would wait two minutes."""
        return Exchange(session=self.session)(*args, **{**kwargs, "timeout": FIRST_REPEAT_S})

    def _body(self, message: Message, address: Address, now: float) -> bytes:
        if isinstance(address, Topic):
            return payload.encode(payload.fcm(message, {"topic": address.name}, now=now))
        if isinstance(address, Condition):
            return payload.encode(payload.fcm(message, {"condition": address.expression}, now=now))
        if not isinstance(address, Device):
            raise TypeError(f"FCM reaches no {type(address).__name__}")
        head, tail = self._form(message, address.kind == "fid", now)
        return head + json.dumps(address.token).encode() + tail

    def _form(self, message: Message, fid: bool, now: float) -> tuple[bytes, bytes]:
        """What stands before and after the token, made once for all devices that get one message."""
        key = (id(message), fid)
        if (known := self.ready.get(key)) is None:
            if len(self.ready) >= READY:
                self.ready.clear()
            whole = payload.encode(payload.fcm(message, {"fid" if fid else "token": _MARK}, now=now))
            head, _, tail = whole.partition(json.dumps(_MARK).encode())
            known = self.ready[key] = (message, head, tail)
        return known[1], known[2]

    def _judge(self, request: Request, reply: Reply) -> Outcome | RetryLater:
        if reply.status == 200:
            return _DELIVERED
        code, ours = _said(reply)
        if reply.status == 401 and code != "THIRD_PARTY_AUTH_ERROR":
            return self._signed_out(request)
        if code == "INVALID_ARGUMENT" and not ours:
            # Anybody can register tokens that are none: however many are refused, it says nothing of the message.
            return Dropped(code)
        if reply.status == 429 and not _OF_ONE.search(reply.body):
            self.sender.pause(reply.retry_after_s or QUOTA_PAUSE_S)
        return judged(reply, code)

    def _signed_out(self, request: Request) -> Outcome | RetryLater:
        """The bearer token ended early: a new one, once."""
        if request.tries > 1:
            return ConfigFault("UNAUTHENTICATED")
        if request.headers is self.headers:
            self._sign_in(time.time())
        request.headers = self.headers
        return self.refused or RetryLater("UNAUTHENTICATED", soon=True)


def judged(reply: Reply, code: str) -> Outcome | RetryLater:
    """The table of error codes."""
    if code in _GONE:
        return Gone(code)
    if reply.status == 400:
        return OurFault(code)
    if reply.status == 429:
        return Later(code, reply.retry_after_s or QUOTA_PAUSE_S)
    if reply.status >= 500:
        return RetryLater(code, reply.retry_after_s or FIRST_REPEAT_S, fault=True)
    return ConfigFault(code)


def _said(reply: Reply) -> tuple[str, bool]:
    """Error code, and whether it blames a field of the message other than the address."""
    try:
        error = json.loads(reply.body)["error"]
        details: list[dict[str, Any]] = error.get("details", [])
        codes = [detail["errorCode"] for detail in details if "errorCode" in detail]
        fields = [fault["field"] for detail in details for fault in detail.get("fieldViolations", [])]
        ours = bool(fields) and not set(fields) <= {"message.token", "message.fid"}
        return str(codes[0] if codes else error.get("status", f"status_{reply.status}")), ours
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"status_{reply.status}", reply.status == 400
