"""FCM HTTP v1: what it takes, refuses and passes on.

Rules: firebase.google.com/docs/cloud-messaging, its pages on sending, error codes, quotas and topics.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from dev.emulators.faults import Faults
from dev.emulators.fcm_message import (
    TOKEN_BYTES,
    TOPIC_BYTES,
    TTL_MAX_S,
    InvalidMessage,
    bad,
    check,
    document_of,
    error_of,
    seconds,
    target_of,
)
from dev.emulators.journal import AcceptedPush, PushJournal
from dev.emulators.oauth import OAuth
from dev.emulators.topics import NAME, TOPICS, Topics
from dev.emulators.wire import EmulatorAnswer, EmulatorRequest, Link, said

# To one Android device; collapsible messages have a bucket of their own, which ttl 0 goes past.
DEVICE_PER_MINUTE, DEVICE_PER_HOUR = 240, 5000
COLLAPSIBLE_BURST, COLLAPSIBLE_REFILL_S = 20, 180


@dataclass
class FcmRules:
    """tokens: registration token → errorCode for those that are not good. quota_per_minute: messages of the project.
    subscriptions_per_second: to topics, of the project. fan_out_per_s: how fast topic messages reach phones, shared by
    the fan-outs under way. pace: how much faster than life the matches are that it is told of; what a phone may get of
    collapsible messages is counted in that time."""

    project: str
    tokens: dict[str, str] = field(default_factory=dict)
    quota_per_minute: int = 600_000
    subscriptions_per_second: int = 3000
    fan_out_per_s: float = 10_000
    pace: float = 1.0


class FcmEmulator:
    def __init__(
        self, rules: FcmRules, ledger: PushJournal, oauth: OAuth, clock: Callable[[], float] = time.time
    ) -> None:
        self.rules, self.ledger, self.oauth, self.clock = rules, ledger, oauth, clock
        self.faults = Faults()
        self.topics = Topics()
        self.minute, self.used = 0, 0
        self.second, self.subscribed = 0, 0
        self.sent: dict[str, deque[float]] = {}
        self.collapsible: dict[str, tuple[float, float]] = {}
        self.fan_out_free_at = 0.0

    def opened(self, link: Link) -> None:
        link.max_streams = 100

    def closed(self, _link: Link) -> None:
        pass

    def settle(self) -> None:
        self.ledger.write()

    def answer(self, _link: Link, asked: EmulatorRequest) -> EmulatorAnswer:
        place = urlsplit(asked.path)
        if place.path == "/token":
            return self.oauth.answer(asked)
        try:
            return said(200, self._done(asked, place.path, parse_qs(place.query)))
        except InvalidMessage as wrong:
            after = {"retry-after": str(wrong.retry_after_s)} if wrong.retry_after_s else {}
            return said(wrong.status[0], error_of(wrong), **after)

    def _done(self, asked: EmulatorRequest, path: str, query: dict[str, list[str]]) -> dict[str, Any]:
        if not self.oauth.knows(asked.get("authorization")):
            raise InvalidMessage(
                "UNAUTHENTICATED", "Request had invalid authentication credentials.", status=(401, "UNAUTHENTICATED")
            )
        project = f"/v1/projects/{self.rules.project}"
        if not path.startswith(project + "/"):
            raise InvalidMessage("SENDER_ID_MISMATCH", "Permission denied on the project.")
        place = path.removeprefix(project)
        if place == "/messages:send" and asked.method == "POST":
            return self._send(asked)
        if found := re.fullmatch(r"/registrations/([^/]+)/topicSubscriptions(?:/([^/]+))?", place):
            return self._subscription(asked.method, found[1], found[2], query)
        raise InvalidMessage("NOT_FOUND", "No such method.", status=(404, "NOT_FOUND"))

    def _send(self, asked: EmulatorRequest) -> dict[str, Any]:
        self._spend()
        document = document_of(asked.body)
        message = document["message"]
        target = target_of(message)
        check(message, TOKEN_BYTES if target in ("token", "fid") else TOPIC_BYTES)
        tokens = self._addressed(target, message[target])
        if document.get("validate_only"):
            return {"name": f"projects/{self.rules.project}/messages/fake_message_id"}
        self._pass_on(target, tokens, message)
        return {"name": f"projects/{self.rules.project}/messages/{uuid4().hex}"}

    def _spend(self) -> None:
        """The project's quota, by the minute."""
        minute = int(self.clock()) // 60
        self.minute, self.used = minute, 1 + (self.used if minute == self.minute else 0)
        if self.used > self.rules.quota_per_minute:
            wrong = InvalidMessage(
                "QUOTA_EXCEEDED", "Quota exceeded for quota metric 'Send requests' and limit 'per minute'."
            )
            wrong.retry_after_s = 60 - int(self.clock()) % 60
            raise wrong

    def _addressed(self, target: str, value: str) -> Iterable[str]:
        if target == "topic":
            return sorted(self.topics.members.get(value.removeprefix("/topics/"), ()))
        if target == "condition":
            found = self.topics.matching(value)
            if found is None:
                raise bad("message.condition", "Invalid condition expression provided.")
            return sorted(found)
        if code := self.rules.tokens.get(value):
            raise InvalidMessage(code, "Requested entity was not found." if code == "UNREGISTERED" else code)
        if len(value) < 8:
            raise InvalidMessage("INVALID_ARGUMENT", "The registration token is not a valid FCM registration token")
        return [value]

    def _pass_on(self, target: str, tokens: Iterable[str], message: dict[str, Any]) -> None:
        now = at = self.clock()
        spread = 0.0 if target in ("token", "fid") else 1 / self.rules.fan_out_per_s
        if spread:
            at = max(now, self.fan_out_free_at)
        android = message.get("android", {})
        ttl_s = seconds(android.get("ttl", f"{TTL_MAX_S}s")) or 0.0
        collapse = android.get("notification", {}).get("tag") or android.get("collapse_key", "")
        for token in tokens:
            if target in ("token", "fid"):
                self._throttle(token, bool(android.get("collapse_key")) and ttl_s > 0)
            expires_at = now + ttl_s if ttl_s else 0.0
            self.ledger.add(AcceptedPush(at, "fcm", token, "notification", collapse, expires_at, message))
            at += spread
        if spread:
            self.fan_out_free_at = at

    def _throttle(self, token: str, collapsible: bool) -> None:
        now, sent = self.clock(), self.sent.setdefault(token, deque(maxlen=DEVICE_PER_HOUR))
        last_minute = sum(at > now - 60 for at in list(sent)[-DEVICE_PER_MINUTE:])
        if last_minute >= DEVICE_PER_MINUTE or (len(sent) == DEVICE_PER_HOUR and sent[0] > now - 3600):
            raise InvalidMessage("QUOTA_EXCEEDED", "Device message rate exceeded.")
        if collapsible:
            left, since = self.collapsible.get(token, (float(COLLAPSIBLE_BURST), now))
            left = min(COLLAPSIBLE_BURST, left + (now - since) * self.rules.pace / COLLAPSIBLE_REFILL_S)
            if left < 1:
                raise InvalidMessage("QUOTA_EXCEEDED", "Device message rate exceeded: collapsible messages.")
            self.collapsible[token] = (left - 1, now)
        sent.append(now)

    def _subscription(self, method: str, token: str, topic: str | None, query: dict[str, list[str]]) -> dict[str, Any]:
        second = int(self.clock())
        self.second, self.subscribed = second, 1 + (self.subscribed if second == self.second else 0)
        if self.subscribed > self.rules.subscriptions_per_second:
            raise InvalidMessage("QUOTA_EXCEEDED", "Topic subscription rate exceeded.")
        if code := self.rules.tokens.get(token):
            raise InvalidMessage(code, code)
        if method == "POST" and topic is None:
            return self._subscribe(token, query.get("topic_name", [""])[0])
        if method == "DELETE" and topic is not None:
            if not self.topics.remove(token, topic) and query.get("allow_missing") != ["true"]:
                raise InvalidMessage("NOT_FOUND", "Not subscribed.", status=(404, "NOT_FOUND"))
            return {}
        raise InvalidMessage("NOT_FOUND", "No such method.", status=(404, "NOT_FOUND"))

    def _subscribe(self, token: str, topic: str) -> dict[str, Any]:
        if not NAME.fullmatch(topic):
            raise bad("topic_name", "Invalid topic name.")
        if len(self.topics.topics[token]) >= TOPICS and topic not in self.topics.topics[token]:
            raise InvalidMessage("TOO_MANY_TOPICS", "Too many topics.", status=(429, "RESOURCE_EXHAUSTED"))
        if not self.topics.add(token, topic):
            raise InvalidMessage("ALREADY_EXISTS", "Already subscribed.", status=(409, "ALREADY_EXISTS"))
        return {"name": f"projects/{self.rules.project}/registrations/{token}/topicSubscriptions/{topic}"}
