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

from dev.emulators.exchange import EmulatorAnswer, EmulatorRequest, json_answer
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
from dev.emulators.wire import ServerConnection

# To one Android device; collapsible messages have a bucket of their own, which ttl 0 goes past.
DEVICE_PER_MINUTE, DEVICE_PER_HOUR = 240, 5000
COLLAPSIBLE_BURST, COLLAPSIBLE_REFILL_S = 20, 180
_SUBSCRIPTION = r"/registrations/([^/]+)/topicSubscriptions(?:/([^/]+))?"


@dataclass
class FcmRules:
    """
    project: its id.
    tokens: registration token → errorCode, for those that are refused.
    quota_per_minute: messages of the project.
    subscriptions_per_second: to topics, of the project.
    fan_out_per_s: phones reached by topic messages, shared by all fan-outs under way.
    pace: match minutes a minute; a phone's quota of collapsible messages is counted in match time.
    """

    project: str
    tokens: dict[str, str] = field(default_factory=dict)
    quota_per_minute: int = 600_000
    subscriptions_per_second: int = 3000
    fan_out_per_s: float = 10_000
    pace: float = 1.0


class FcmEmulator:
    def __init__(
        self, rules: FcmRules, journal: PushJournal, oauth: OAuth, clock: Callable[[], float] = time.time
    ) -> None:
        self.rules, self.journal, self.oauth, self.clock = rules, journal, oauth, clock
        self.faults = Faults()
        self.topics = Topics()
        self.minute, self.used = 0, 0
        self.second, self.subscribed = 0, 0
        self.sent: dict[str, deque[float]] = {}
        self.collapsible: dict[str, tuple[float, float]] = {}
        self.fan_out_free_at = 0.0

    def opened(self, connection: ServerConnection) -> None:
        connection.max_streams = 100

    def closed(self, _link: ServerConnection) -> None:
        pass

    def flush(self) -> None:
        self.journal.write()

    def answer(self, _link: ServerConnection, request: EmulatorRequest) -> EmulatorAnswer:
        url = urlsplit(request.path)
        if url.path == "/token":
            return self.oauth.answer(request)
        try:
            return json_answer(200, self._result(request, url.path, parse_qs(url.query)))
        except InvalidMessage as refusal:
            after = {"retry-after": str(refusal.retry_after_s)} if refusal.retry_after_s else {}
            return json_answer(refusal.status[0], error_of(refusal), **after)

    def _result(self, request: EmulatorRequest, path: str, query: dict[str, list[str]]) -> dict[str, Any]:
        if not self.oauth.knows(request.get("authorization")):
            raise InvalidMessage(
                "UNAUTHENTICATED", "Request had invalid authentication credentials.", status=(401, "UNAUTHENTICATED")
            )
        project = f"/v1/projects/{self.rules.project}"
        if not path.startswith(project + "/"):
            raise InvalidMessage("SENDER_ID_MISMATCH", "Permission denied on the project.")
        method = path.removeprefix(project)
        if method == "/messages:send" and request.method == "POST":
            return self._send(request)
        if subscription := re.fullmatch(_SUBSCRIPTION, method):
            return self._subscription(request.method, subscription[1], subscription[2], query)
        raise InvalidMessage("NOT_FOUND", "No such method.", status=(404, "NOT_FOUND"))

    def _send(self, request: EmulatorRequest) -> dict[str, Any]:
        self._spend()
        document = document_of(request.body)
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
            error = InvalidMessage(
                "QUOTA_EXCEEDED", "Quota exceeded for quota metric 'Send requests' and limit 'per minute'."
            )
            error.retry_after_s = 60 - int(self.clock()) % 60
            raise error

    def _addressed(self, target: str, value: str) -> Iterable[str]:
        if target == "topic":
            return sorted(self.topics.members.get(value.removeprefix("/topics/"), ()))
        if target == "condition":
            members = self.topics.matching(value)
            if members is None:
                raise bad("message.condition", "Invalid condition expression provided.")
            return sorted(members)
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
        sort = "notification" if "notification" in message else "data"
        for token in tokens:
            if target in ("token", "fid"):
                collapsible = "notification" in message or bool(android.get("collapse_key"))
                self._throttle(token, collapsible and ttl_s > 0)
            expires_at = now + ttl_s if ttl_s else 0.0
            self.journal.add(AcceptedPush(at, "fcm", token, sort, collapse, expires_at, message))
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
