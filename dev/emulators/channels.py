"""The channel management API of APNs, on a port of its own (Apple, "Sending channel management requests to APNs")."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from dev.emulators.faults import Faults
from dev.emulators.wire import EmulatorAnswer, EmulatorRequest, Link, said

if TYPE_CHECKING:
    from dev.emulators.apns import ApnsEmulator

# Per app and environment.
CHANNELS = 10_000


class ChannelsEmulator:
    """The channels there are: id → storage policy, 0 no message stored, 1 the most recent one."""

    def __init__(self, limit: int = CHANNELS) -> None:
        self.limit = limit
        self.known: dict[str, int] = {}

    def policy(self, channel_id: str) -> int | None:
        return self.known.get(channel_id)


class Management:
    def __init__(self, apns: ApnsEmulator) -> None:
        self.apns, self.channels = apns, apns.channels
        self.faults = Faults()

    def opened(self, link: Link) -> None:
        self.apns.opened(link)
        link.max_streams = 100

    def closed(self, link: Link) -> None:
        self.apns.closed(link)

    def settle(self) -> None:
        pass

    def answer(self, link: Link, asked: EmulatorRequest) -> EmulatorAnswer:
        request_id = {"apns-request-id": asked.get("apns-request-id") or str(uuid4())}
        status, found = self._done(link, asked)
        if isinstance(found, str):
            return said(status, {"reason": found}, **request_id)
        headers = request_id | found.pop("headers", {})
        return said(status, found, **headers) if found else EmulatorAnswer(status, headers)

    def _done(self, link: Link, asked: EmulatorRequest) -> tuple[int, Any]:
        place = asked.path.removeprefix(f"/1/apps/{self.apns.rules.bundle}")
        if refused := self.apns.refusal(link, asked):
            return refused
        if place not in ("/channels", "/all-channels"):
            return 404, "BadPath"
        if place == "/all-channels" and asked.method == "GET":
            return 200, {"channels": list(self.channels.known)}
        if place == "/channels" and asked.method == "POST":
            return self._create(asked)
        return self._of_one(asked) if place == "/channels" else (405, "MethodNotAllowed")

    def _of_one(self, asked: EmulatorRequest) -> tuple[int, Any]:
        if asked.method not in ("GET", "DELETE"):
            return 405, "MethodNotAllowed"
        channel_id = asked.get("apns-channel-id")
        if not channel_id:
            return 400, "MissingChannelId"
        policy = self.channels.known.get(channel_id)
        if policy is None:
            return 404, "ChannelNotRegistered"
        if asked.method == "GET":
            return 200, {"message-storage-policy": policy, "push-type": "LiveActivity"}
        del self.channels.known[channel_id]
        return 204, {}

    def _create(self, asked: EmulatorRequest) -> tuple[int, Any]:
        try:
            wanted = json.loads(asked.body)
            policy, push_type = wanted["message-storage-policy"], wanted["push-type"]
        except (ValueError, KeyError, TypeError):
            return 400, "BadRequestPayload"
        if push_type != "LiveActivity":
            return 400, "InvalidPushType"
        if policy not in (0, 1):
            return 400, "BadRequestPayload"
        if len(self.channels.known) >= self.channels.limit:
            return 400, "CannotCreateChannelConfig"
        channel_id = b64encode(secrets.token_bytes(16)).decode()
        self.channels.known[channel_id] = policy
        return 201, {"headers": {"apns-channel-id": channel_id}}
