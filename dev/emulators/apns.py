"""APNs: who may push what to which device, in the order the real one looks.

Rules: Apple, "Sending notification requests to APNs", "Handling notification responses from APNs", "Establishing a
token-based connection to APNs"; the order of checks is that of Pushy's mock server and APNSwift's test server.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from dev.emulators.channels import ChannelsEmulator
from dev.emulators.faults import Faults
from dev.emulators.journal import AcceptedPush, PushJournal
from dev.emulators.provider_tokens import InvalidToken, ProviderTokens
from dev.emulators.wire import EmulatorAnswer, EmulatorRequest, Link, said

PAYLOAD_BYTES, LARGE_BYTES = 4096, 5120
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DEVICE = re.compile(r"/3/device/([^/]*)")
# Apple says that a token's size may change; 32 bytes are what it is.
_TOKEN = re.compile(r"(?:[0-9a-fA-F]{2}){32,100}")
_SUFFIXES = {
    "alert": "",
    "background": "",
    "controls": ".push-type.controls",
    "location": ".location-query",
    "voip": ".voip",
    "complication": ".complication",
    "fileprovider": ".pushkit.fileprovider",
    "liveactivity": ".push-type.liveactivity",
    "mdm": "",
    "pushtotalk": ".voip-ptt",
    "widgets": ".push-type.widgets",
}
# What a start must say beside what each event says.
_START: dict[str, type] = {"attributes-type": str, "attributes": dict, "alert": dict}
# Errors after which a connection is slowed, and at twice as many left; bad tokens after which it is dropped.
# Apple gives no numbers, only that BadDeviceToken counts soonest and 410 never.
_ERRORS, _BAD_TOKENS = 100, 50


@dataclass
class ApnsRules:
    """What this APNs knows. keys: id → (team, public key PEM). tokens: device token → (status, reason, timestamp ms)
    for those that are not good. streams: MAX_CONCURRENT_STREAMS once a connection has proved itself."""

    bundle: str
    keys: dict[str, tuple[str, str]]
    tokens: dict[str, tuple[int, str, int | None]] = field(default_factory=dict)
    streams: int = 1000
    sandbox: bool = False


class ApnsEmulator:
    """The delivering side, ports 443 and 2197."""

    def __init__(
        self, rules: ApnsRules, ledger: PushJournal, channels: ChannelsEmulator, clock: Callable[[], float] = time.time
    ) -> None:
        self.rules, self.ledger, self.channels, self.clock = rules, ledger, channels, clock
        self.faults = Faults()
        self.links: set[Link] = set()
        # Of each token the topic it was first used with: the system gives an app another for each.
        self.topics: dict[str, str] = {}

    def opened(self, link: Link) -> None:
        link.max_streams = 1
        link.memory = {"tokens": ProviderTokens(self.rules.keys), "errors": 0, "bad": 0, "proven": False}
        self.links.add(link)

    def closed(self, link: Link) -> None:
        self.links.discard(link)

    def settle(self) -> None:
        self.ledger.write()

    def allow(self, streams: int) -> None:
        """Another stream limit for every proven connection, now."""
        self.rules.streams = streams
        for link in self.links:
            if link.memory["proven"]:
                link.allow(streams)

    def answer(self, link: Link, asked: EmulatorRequest) -> EmulatorAnswer:
        apns_id = asked.get("apns-id") or str(uuid4())
        try:
            push = self._accepted(link, asked)
        except InvalidToken as wrong:
            self._count(link, wrong)
            body = {"reason": wrong.reason} | ({"timestamp": wrong.timestamp} if wrong.timestamp else {})
            return said(wrong.status, body, **{"apns-id": apns_id})
        self.ledger.add(push)
        if not link.memory["proven"]:
            link.memory["proven"] = True
            link.allow(self.rules.streams)
        headers = {"apns-id": apns_id}
        return EmulatorAnswer(200, headers | ({"apns-unique-id": str(uuid4())} if self.rules.sandbox else {}))

    def _tokens(self, link: Link) -> ProviderTokens:
        tokens: ProviderTokens = link.memory["tokens"]
        return tokens

    def refusal(self, link: Link, asked: EmulatorRequest) -> tuple[int, str] | None:
        """Why the asker is not let in, for the management API."""
        try:
            self._tokens(link).check(asked.get("authorization"), self.clock())
        except InvalidToken as wrong:
            return wrong.status, wrong.reason
        return None

    def _count(self, link: Link, wrong: InvalidToken) -> None:
        """4xx slow a connection down, too many end it; 410 is no error."""
        if wrong.status == 410:
            return
        link.memory["errors"] += 1
        link.memory["bad"] += wrong.reason == "BadDeviceToken"
        if link.memory["bad"] > _BAD_TOKENS:
            link.go_away("BadDeviceToken")
        elif link.memory["errors"] > 2 * _ERRORS:
            link.go_away("Shutdown")
        elif link.memory["errors"] > _ERRORS and link.memory["proven"]:
            link.allow(max(1, link.max_streams // 2))

    def _accepted(self, link: Link, asked: EmulatorRequest) -> AcceptedPush:
        if asked.repeated:
            raise InvalidToken(400, "DuplicateHeaders")
        if (apns_id := asked.get("apns-id")) is not None and not _UUID.fullmatch(apns_id):
            raise InvalidToken(400, "BadMessageId")
        token = _DEVICE.fullmatch(asked.path)
        broadcast = asked.path == f"/4/broadcasts/apps/{self.rules.bundle}"
        if token is None and not broadcast:
            raise InvalidToken(404, "BadPath")
        if asked.method != "POST":
            raise InvalidToken(405, "MethodNotAllowed")
        self._tokens(link).check(asked.get("authorization"), self.clock())
        return self._broadcast(asked) if token is None else self._to_device(asked, token[1])

    def _to_device(self, asked: EmulatorRequest, token: str) -> AcceptedPush:
        if not token:
            raise InvalidToken(400, "MissingDeviceToken")
        push_type = self._push_type(asked)
        collapse = asked.get("apns-collapse-id") or ""
        if len(collapse.encode()) > 64:
            raise InvalidToken(400, "BadCollapseId")
        expires_at = _expiration(asked)
        priority = asked.get("apns-priority") or "10"
        if priority not in ("1", "5", "10") or (push_type == "background" and priority != "5"):
            raise InvalidToken(400, "BadPriority")
        if not _TOKEN.fullmatch(token):
            raise InvalidToken(400, "BadDeviceToken")
        if bad := self.rules.tokens.get(token):
            raise InvalidToken(*bad)
        if self.topics.setdefault(token, asked.get("apns-topic") or "") != asked.get("apns-topic"):
            raise InvalidToken(400, "DeviceTokenNotForTopic")
        payload = _payload(asked.body, LARGE_BYTES if push_type == "voip" else PAYLOAD_BYTES)
        self._check(payload, push_type)
        return AcceptedPush(self.clock(), "apns", token, push_type, collapse, expires_at, payload)

    def _push_type(self, asked: EmulatorRequest) -> str:
        topic = asked.get("apns-topic")
        if not topic:
            raise InvalidToken(400, "MissingTopic")
        push_type = asked.get("apns-push-type") or ""
        if push_type not in _SUFFIXES:
            raise InvalidToken(400, "InvalidPushType")
        if topic.removesuffix(_SUFFIXES[push_type]) != self.rules.bundle or not topic.endswith(_SUFFIXES[push_type]):
            ours = topic.startswith(self.rules.bundle)
            raise InvalidToken(400, "BadTopic" if ours else "TopicDisallowed")
        return push_type

    def _broadcast(self, asked: EmulatorRequest) -> AcceptedPush:
        channel_id = asked.get("apns-channel-id")
        if not channel_id:
            raise InvalidToken(400, "MissingChannelId")
        push_type = asked.get("apns-push-type")
        if not push_type:
            raise InvalidToken(400, "MissingPushType")
        if push_type != "liveactivity":
            raise InvalidToken(400, "InvalidPushType")
        stored = self.channels.policy(channel_id)
        expires_at = _expiration(asked)
        if stored == 0 and expires_at:
            raise InvalidToken(400, "BadExpirationDate")
        if (asked.get("apns-priority") or "10") not in ("1", "5", "10"):
            raise InvalidToken(400, "BadPriority")
        if stored is None:
            raise InvalidToken(400, "ChannelNotRegistered")
        payload = _payload(asked.body, LARGE_BYTES)
        self._check(payload, push_type)
        if payload["aps"]["event"] == "start":
            raise InvalidToken(400, "BadRequestPayload")
        return AcceptedPush(self.clock(), "apns", f"channel:{channel_id}", push_type, "", expires_at, payload)

    def _check(self, payload: dict[str, Any], push_type: str) -> None:
        """What a phone could not do anything with. The real APNs takes such a push and the phone drops it in silence;
        here it is said aloud."""
        aps = payload["aps"]
        if push_type == "alert" and not aps.get("alert"):
            raise InvalidToken(400, "BadRequestPayload")
        if push_type == "liveactivity" and not (_is_activity(aps) and self._can_start(aps)):
            raise InvalidToken(400, "BadRequestPayload")

    def _can_start(self, aps: dict[str, Any]) -> bool:
        """Whether a start says what is to be begun, and where it is to listen; true of any other event."""
        if aps["event"] != "start":
            return True
        said = all(isinstance(aps.get(name), sort) for name, sort in _START.items()) and aps["alert"]
        return said and ("input-push-channel" not in aps or aps["input-push-channel"] in self.channels.known)


def _is_activity(aps: dict[str, Any]) -> bool:
    known = aps.get("event") in ("start", "update", "end")
    return known and type(aps.get("timestamp")) is int and isinstance(aps.get("content-state"), dict)


def _expiration(asked: EmulatorRequest) -> float:
    text = asked.get("apns-expiration") or "0"
    if not text.isdecimal():
        raise InvalidToken(400, "BadExpirationDate")
    return float(text)


def _payload(body: bytes, limit: int) -> dict[str, Any]:
    if not body:
        raise InvalidToken(400, "PayloadEmpty")
    if len(body) > limit:
        raise InvalidToken(413, "PayloadTooLarge")
    try:
        payload = json.loads(body)
    except ValueError:
        raise InvalidToken(400, "BadRequestPayload") from None
    if not isinstance(payload, dict) or not isinstance(payload.get("aps"), dict):
        raise InvalidToken(400, "BadRequestPayload")
    return payload
