"""FCM HTTP v1: registration tokens, installation ids, topics and conditions, one HTTP/2 request each.

firebase-admin's own send takes one thread or one list at a time and stays unused (docs/decisions/0020). Rules:
firebase.google.com/docs/cloud-messaging, "Error codes", "Scale".
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator
from typing import Any

from db.domain import Device
from notify.content import payload
from notify.content.message import Message
from notify.transports.base import Address, Condition, Envelope, Topic
from notify.transports.bearer import Bearer
from notify.transports.exchange import ANSWER_S, STREAMS_MAX, KnownOutcome, Reply, Request
from notify.transports.outcome import ConfigFault, Delivered, Dropped, Gone, Outcome
from notify.transports.reasons import Action, fcm_action, verdict
from notify.transports.retry import RetryLater
from notify.transports.sender import Sender
from notify.transports.templates import Templates

URL = "https://fcm.googleapis.com"
# "Scale": 429 without Retry-After, and the first repeat after a 5xx.
QUOTA_PAUSE_S, FIRST_REPEAT_S = 60.0, 10.0

_DELIVERED = Delivered()
# A quota of one device or topic, in the words of its QuotaFailure ("Error codes", QUOTA_EXCEEDED). Any other is the
# project's.
_OF_ONE_TARGET = re.compile(rb"device|topic", re.IGNORECASE)
_MARK = "the token of each device goes here"
_TOKEN_FIELDS = {"message.token", "message.fid"}


class Fcm:
    """account: the service account's JSON. url: FCM's, or the emulator's."""

    name = "fcm"

    def __init__(
        self,
        account: str,
        *,
        url: str = URL,
        streams: int = STREAMS_MAX,
        answer_s: float = ANSWER_S,
        ca: str | None = None,
    ) -> None:
        self.bearer = Bearer(account, ca=ca)
        self.url = f"{url}/v1/projects/{self.bearer.project_id}/messages:send"
        self.sender = Sender(url, streams=streams, answer_s=answer_s, ca=ca)
        self.templates: Templates[tuple[bytes, bytes]] = Templates()
        # The last message that was accepted for a device: its payload is valid, so a token refused with it is not.
        self.accepted: Message | None = None

    def send(self, envelopes: Iterable[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        """See Transport.send. Takes Device, Topic and Condition."""
        return self.sender.send(map(self._request, envelopes), self._judge, self._silence)

    def check(self) -> bool:
        """See Checkable: a message that is only validated. It also fetches a bearer token where one is due."""
        self.bearer.renew_if_due(time.monotonic())
        document = {"validate_only": True, "message": {"topic": "check"}}
        is_signed_in = self.bearer.refusal is None
        return is_signed_in and self.sender.check(self.url, self.bearer.headers, payload.encode(document))

    def close(self) -> None:
        self.sender.close()

    def _request(self, envelope: Envelope) -> Request | KnownOutcome:
        self.bearer.renew_if_due(time.monotonic())
        if self.bearer.refusal is not None:
            return KnownOutcome(envelope, self.bearer.refusal)
        message, address = envelope.message, envelope.address
        body = self._body(message, address, time.time())
        repeatable = isinstance(address, Device)
        return Request(envelope, self.url, self.bearer.headers, body, message.expires_at, repeatable=repeatable)

    def _silence(self, request: Request) -> None:
        envelope: Envelope = request.envelope
        request.body = self._body(self.templates.silent(envelope.message), envelope.address, time.time())

    def _body(self, message: Message, address: Address, now: float) -> bytes:
        if isinstance(address, Topic):
            return payload.encode(payload.fcm(message, {"topic": address.name}, now=now))
        if isinstance(address, Condition):
            return payload.encode(payload.fcm(message, {"condition": address.expression}, now=now))
        if not isinstance(address, Device):
            raise TypeError(f"FCM reaches no {type(address).__name__}")
        head, tail = self._template(message, "fid" if address.kind == "fid" else "token", now)
        return head + json.dumps(address.token).encode() + tail

    def _template(self, message: Message, target: str, now: float) -> tuple[bytes, bytes]:
        """What stands before and after the token."""

        def make() -> tuple[bytes, bytes]:
            whole = payload.encode(payload.fcm(message, {target: _MARK}, now=now))
            head, _, tail = whole.partition(json.dumps(_MARK).encode())
            return head, tail

        return self.templates.of(message, target, make)

    def _judge(self, request: Request, reply: Reply) -> Outcome | RetryLater:
        if reply.status == 200:
            if request.repeatable:
                self.accepted = request.envelope.message
            return _DELIVERED
        code, of_payload = _error(reply)
        action = fcm_action(reply.status, code)
        if action is Action.SIGN:
            return self._sign(request, code)
        if code == "INVALID_ARGUMENT" and not of_payload:
            return self._refused_token(request, code)
        if reply.status == 429 and not _OF_ONE_TARGET.search(reply.body):
            self.sender.pause(reply.retry_after_s or QUOTA_PAUSE_S)
        return verdict(action, code, reply, wait_s=QUOTA_PAUSE_S, repeat_s=FIRST_REPEAT_S)

    def _refused_token(self, request: Request, code: str) -> Outcome:
        """Google: delete the token if the payload is certainly valid ("Best practices for FCM registration token
        management"). It is where another phone accepted this message. Anybody can register tokens that are none, so
        however many are refused, that stops nothing."""
        message: Message = request.envelope.message
        accepted = self.accepted
        valid = accepted is not None and _subject(accepted) == _subject(message)
        return Gone(code) if valid else Dropped(code)

    def _sign(self, request: Request, code: str) -> Outcome | RetryLater:
        """The bearer token ended early: a new one, once."""
        if not self.bearer.replace(request.headers, time.monotonic()):
            return ConfigFault(code)
        request.headers = self.bearer.headers
        return self.bearer.refusal or RetryLater(code, soon=True)


def _subject(message: Message) -> tuple[str, int, str]:
    """Messages of one subject differ in words alone."""
    return message.match_id, message.version, message.kind


def _error(reply: Reply) -> tuple[str, bool]:
    """The error code, and whether it blames a field of the message other than the token."""
    try:
        error = json.loads(reply.body)["error"]
        details: list[dict[str, Any]] = error.get("details", [])
        codes = [detail["errorCode"] for detail in details if "errorCode" in detail]
        fields = [violation["field"] for detail in details for violation in detail.get("fieldViolations", [])]
        of_payload = bool(fields) and not set(fields) <= _TOKEN_FIELDS
        return str(codes[0] if codes else error.get("status", f"status_{reply.status}")), of_payload
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"status_{reply.status}", reply.status == 400
