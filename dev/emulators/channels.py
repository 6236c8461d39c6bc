"""The channel management API of APNs, on a port of its own (Apple, "Sending channel management requests to APNs")."""

from __future__ import annotations

import json
import secrets
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from dev.emulators.exchange import EmulatorAnswer, EmulatorRequest, json_answer
from dev.emulators.faults import Faults
from dev.emulators.provider_tokens import ProviderTokens, Refusal
from dev.emulators.wire import ServerConnection

# Per app and environment.
CHANNELS_MAX = 10_000


class ChannelStore:
    """The app's channels. policies: id → storage policy, 0 no message stored, 1 the most recent one."""

    def __init__(self, limit: int = CHANNELS_MAX) -> None:
        self.limit = limit
        self.policies: dict[str, int] = {}


class ChannelsEmulator:
    """keys: id → (team, public key PEM)."""

    def __init__(
        self,
        bundle: str,
        keys: dict[str, tuple[str, str]],
        store: ChannelStore,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.bundle, self.keys, self.store, self.clock = bundle, keys, store, clock
        self.faults = Faults()

    def opened(self, connection: ServerConnection) -> None:
        connection.state = ProviderTokens(self.keys)

    def closed(self, connection: ServerConnection) -> None:
        pass

    def flush(self) -> None:
        pass

    def answer(self, connection: ServerConnection, request: EmulatorRequest) -> EmulatorAnswer:
        request_id = {"apns-request-id": request.get("apns-request-id") or str(uuid4())}
        tokens: ProviderTokens = connection.state
        try:
            tokens.check(request.get("authorization"), self.clock())
            status, body, headers = self._result(request)
        except Refusal as refusal:
            return json_answer(refusal.status, {"reason": refusal.reason}, **request_id)
        headers |= request_id
        return json_answer(status, body, **headers) if body else EmulatorAnswer(status, headers)

    def _result(self, request: EmulatorRequest) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Status, body and headers. Raises Refusal."""
        path = request.path.removeprefix(f"/1/apps/{self.bundle}")
        if path not in ("/channels", "/all-channels"):
            raise Refusal(404, "BadPath")
        if path == "/all-channels":
            if request.method != "GET":
                raise Refusal(405, "MethodNotAllowed")
            return 200, {"channels": list(self.store.policies)}, {}
        if request.method == "POST":
            return 201, {}, {"apns-channel-id": self._create(request)}
        return self._read_or_delete(request)

    def _read_or_delete(self, request: EmulatorRequest) -> tuple[int, dict[str, Any], dict[str, str]]:
        if request.method not in ("GET", "DELETE"):
            raise Refusal(405, "MethodNotAllowed")
        channel_id = request.get("apns-channel-id")
        if not channel_id:
            raise Refusal(400, "MissingChannelId")
        policy = self.store.policies.get(channel_id)
        if policy is None:
            raise Refusal(404, "ChannelNotRegistered")
        if request.method == "GET":
            return 200, {"message-storage-policy": policy, "push-type": "LiveActivity"}, {}
        del self.store.policies[channel_id]
        return 204, {}, {}

    def _create(self, request: EmulatorRequest) -> str:
        try:
            body = json.loads(request.body)
            policy, push_type = body["message-storage-policy"], body["push-type"]
        except (ValueError, KeyError, TypeError):
            raise Refusal(400, "BadRequestPayload") from None
        if push_type != "LiveActivity":
            raise Refusal(400, "InvalidPushType")
        if policy not in (0, 1):
            raise Refusal(400, "BadRequestPayload")
        if len(self.store.policies) >= self.store.limit:
            raise Refusal(400, "CannotCreateChannelConfig")
        channel_id = b64encode(secrets.token_bytes(16)).decode()
        self.store.policies[channel_id] = policy
        return channel_id
