"""APNs: who may push what to which device, in the order the real one looks.

Rules: Apple, "Sending notification requests to APNs", "Handling notification responses from APNs", "Establishing a
token-based connection to APNs"; the order of checks is that of Pushy's mock server and APNSwift's test server.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from dev.emulators.apns_payload import check, payload_of
from dev.emulators.channels import ChannelStore
from dev.emulators.exchange import EmulatorAnswer, EmulatorRequest, json_answer
from dev.emulators.faults import Faults
from dev.emulators.journal import AcceptedPush, PushJournal
from dev.emulators.provider_tokens import ProviderTokens, Refusal
from dev.emulators.wire import ServerConnection

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
# Errors after which a connection is slowed, and closed at twice as many; bad tokens after which it is closed.
# Apple gives no numbers, only that BadDeviceToken counts soonest and 410 never.
_ERRORS_MAX, _BAD_TOKENS_MAX = 100, 50


@dataclass
class ApnsRules:
    """
    bundle: the app's.
    keys: id → (team, public key PEM).
    tokens: device token → (status, reason, timestamp in ms), for those that are refused.
    streams: MAX_CONCURRENT_STREAMS of a connection after its first accepted push.
    sandbox: of the sandbox environment.
    tokens_elsewhere: device tokens of the other environment.
    keys_elsewhere: ids of keys that Apple restricted to the other environment.
    """

    bundle: str
    keys: dict[str, tuple[str, str]]
    tokens: dict[str, tuple[int, str, int | None]] = field(default_factory=dict)
    streams: int = 1000
    sandbox: bool = False
    tokens_elsewhere: set[str] = field(default_factory=set)
    keys_elsewhere: set[str] = field(default_factory=set)


@dataclass
class ApnsConnection:
    """
    tokens: the provider tokens it has shown.
    errors: 4xx answers, 410 not counted.
    bad_tokens: of these, BadDeviceToken.
    accepted: it had a push accepted.
    """

    tokens: ProviderTokens
    errors: int = 0
    bad_tokens: int = 0
    accepted: bool = False


class ApnsEmulator:
    """The provider API, ports 443 and 2197."""

    def __init__(
        self, rules: ApnsRules, journal: PushJournal, channels: ChannelStore, clock: Callable[[], float] = time.time
    ) -> None:
        self.rules, self.journal, self.channels, self.clock = rules, journal, channels, clock
        self.faults = Faults()
        self.connections: set[ServerConnection] = set()
        # The topic each token was first used with: the system gives an app another token for each.
        self.topics: dict[str, str] = {}

    def opened(self, connection: ServerConnection) -> None:
        connection.max_streams = 1
        connection.state = ApnsConnection(ProviderTokens(self.rules.keys, self.rules.keys_elsewhere))
        self.connections.add(connection)

    def closed(self, connection: ServerConnection) -> None:
        self.connections.discard(connection)

    def flush(self) -> None:
        self.journal.write()

    def allow(self, streams: int) -> None:
        """Another stream limit, now, for every connection that had a push accepted."""
        self.rules.streams = streams
        for connection in self.connections:
            if connection.state.accepted:
                connection.allow(streams)

    def change_settings(self, values: dict[int, int]) -> None:
        """Other SETTINGS for every connection, now."""
        for connection in self.connections:
            connection.change_settings(values)

    def answer(self, connection: ServerConnection, request: EmulatorRequest) -> EmulatorAnswer:
        apns_id = request.get("apns-id") or str(uuid4())
        try:
            push = self._accepted(connection, request)
        except Refusal as refusal:
            self._count(connection, refusal)
            body = {"reason": refusal.reason} | ({"timestamp": refusal.timestamp} if refusal.timestamp else {})
            return json_answer(refusal.status, body, **{"apns-id": apns_id})
        self.journal.add(push)
        if not connection.state.accepted:
            connection.state.accepted = True
            connection.allow(self.rules.streams)
        headers = {"apns-id": apns_id}
        return EmulatorAnswer(200, headers | ({"apns-unique-id": str(uuid4())} if self.rules.sandbox else {}))

    def _count(self, connection: ServerConnection, refusal: Refusal) -> None:
        """4xx slow a connection down, too many close it; 410 is no error."""
        if refusal.status == 410:
            return
        state: ApnsConnection = connection.state
        state.errors += 1
        state.bad_tokens += refusal.reason == "BadDeviceToken"
        if state.bad_tokens > _BAD_TOKENS_MAX:
            connection.go_away("BadDeviceToken")
        elif state.errors > 2 * _ERRORS_MAX:
            connection.go_away("Shutdown")
        elif state.errors > _ERRORS_MAX and state.accepted:
            connection.allow(max(1, connection.max_streams // 2))

    def _accepted(self, connection: ServerConnection, request: EmulatorRequest) -> AcceptedPush:
        if request.has_duplicates:
            raise Refusal(400, "DuplicateHeaders")
        if (apns_id := request.get("apns-id")) is not None and not _UUID.fullmatch(apns_id):
            raise Refusal(400, "BadMessageId")
        token = _DEVICE.fullmatch(request.path)
        broadcast = request.path == f"/4/broadcasts/apps/{self.rules.bundle}"
        if token is None and not broadcast:
            raise Refusal(404, "BadPath")
        if request.method != "POST":
            raise Refusal(405, "MethodNotAllowed")
        connection.state.tokens.check(request.get("authorization"), self.clock())
        return self._broadcast(request) if token is None else self._to_device(request, token[1])

    def _to_device(self, request: EmulatorRequest, token: str) -> AcceptedPush:
        if not token:
            raise Refusal(400, "MissingDeviceToken")
        push_type = self._push_type(request)
        collapse = request.get("apns-collapse-id") or ""
        if len(collapse.encode()) > 64:
            raise Refusal(400, "BadCollapseId")
        expires_at = _expiration(request)
        priority = request.get("apns-priority") or "10"
        if priority not in ("1", "5", "10") or (push_type == "background" and priority != "5"):
            raise Refusal(400, "BadPriority")
        if not _TOKEN.fullmatch(token) or token in self.rules.tokens_elsewhere:
            raise Refusal(400, "BadDeviceToken")
        if bad := self.rules.tokens.get(token):
            raise Refusal(*bad)
        if self.topics.setdefault(token, request.get("apns-topic") or "") != request.get("apns-topic"):
            raise Refusal(400, "DeviceTokenNotForTopic")
        payload = payload_of(request.body, LARGE_BYTES if push_type == "voip" else PAYLOAD_BYTES)
        check(payload, push_type, self.channels.policies)
        return AcceptedPush(self.clock(), "apns", token, push_type, collapse, expires_at, payload)

    def _push_type(self, request: EmulatorRequest) -> str:
        topic = request.get("apns-topic")
        if not topic:
            raise Refusal(400, "MissingTopic")
        push_type = request.get("apns-push-type") or ""
        if push_type not in _SUFFIXES:
            raise Refusal(400, "InvalidPushType")
        if topic.removesuffix(_SUFFIXES[push_type]) != self.rules.bundle or not topic.endswith(_SUFFIXES[push_type]):
            of_app = topic.startswith(self.rules.bundle)
            raise Refusal(400, "BadTopic" if of_app else "TopicDisallowed")
        return push_type

    def _broadcast(self, request: EmulatorRequest) -> AcceptedPush:
        channel_id = request.get("apns-channel-id")
        if not channel_id:
            raise Refusal(400, "MissingChannelId")
        push_type = request.get("apns-push-type")
        if not push_type:
            raise Refusal(400, "MissingPushType")
        if push_type != "liveactivity":
            raise Refusal(400, "InvalidPushType")
        policy = self.channels.policies.get(channel_id)
        expires_at = _expiration(request)
        if policy == 0 and expires_at:
            raise Refusal(400, "BadExpirationDate")
        if (request.get("apns-priority") or "10") not in ("1", "5", "10"):
            raise Refusal(400, "BadPriority")
        if policy is None:
            raise Refusal(400, "ChannelNotRegistered")
        payload = payload_of(request.body, LARGE_BYTES)
        check(payload, push_type, self.channels.policies)
        if payload["aps"]["event"] == "start":
            raise Refusal(400, "BadRequestPayload")
        return AcceptedPush(self.clock(), "apns", f"channel:{channel_id}", push_type, "", expires_at, payload)


def _expiration(request: EmulatorRequest) -> float:
    text = request.get("apns-expiration") or "0"
    if not text.isdecimal():
        raise Refusal(400, "BadExpirationDate")
    return float(text)
