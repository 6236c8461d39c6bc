"""A browser's push service, and the browser behind it (RFC 8030, 8291, 8292).

A real service cannot read what it passes on, and a browser drops what it cannot decrypt. Here both are one, so such a
message is refused.
"""

from __future__ import annotations

import json
import os
import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import jwt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dev.emulators.exchange import EmulatorAnswer, EmulatorRequest
from dev.emulators.faults import Faults
from dev.emulators.journal import AcceptedPush, PushJournal
from dev.emulators.wire import ServerConnection

# RFC 8030, 7.2: a service must take 4,096 bytes and need not take more.
BODY_BYTES_MAX = 4096
# RFC 8292, 2.
VAPID_MAX_S = 24 * 3600
# RFC 8188, 2: salt, record size, length of the key id; here the sender's public key of 65 bytes.
_HEADER_BYTES, _KEY_BYTES = 21, 65
_URGENCIES = ("very-low", "low", "normal", "high")
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
_VAPID = re.compile(r"vapid t=([^,\s]+),\s*k=([A-Za-z0-9_-]+)=*")


class UnreadableMessage(Exception):
    """What no browser could decrypt or show."""


class WebPushRefusal(Exception):
    """Raised and caught within the emulated service."""

    def __init__(self, status: int, retry_after_s: int = 0) -> None:
        super().__init__(status)
        self.status, self.retry_after_s = status, retry_after_s


@dataclass
class BrowserSubscription:
    """
    application_server_key: the VAPID public key it was made for, base64url.
    key: the browser's.
    auth: the secret shared with the sender.
    """

    application_server_key: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def p256dh(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def read(self, body: bytes) -> dict[str, Any]:
        """RFC 8291, 3.4, and RFC 8188 with one record. Raises UnreadableMessage."""
        salt, key_end = body[:16], _HEADER_BYTES + _KEY_BYTES
        if len(body) <= key_end or body[20] != _KEY_BYTES or int.from_bytes(body[16:20], "big") < len(body) - key_end:
            raise UnreadableMessage
        sender_key = body[_HEADER_BYTES:key_end]
        try:
            public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender_key)
            shared = self.key.exchange(ec.ECDH(), public)
            secret = _derive(self.auth, shared, b"WebPush: info\0" + self.p256dh + sender_key, 32)
            key = _derive(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
            nonce = _derive(salt, secret, b"Content-Encoding: nonce\0", 12)
            content, delimiter, _ = AESGCM(key).decrypt(nonce, body[key_end:], None).rstrip(b"\0").rpartition(b"\2")
            payload = json.loads(content)
        except (ValueError, InvalidTag):
            raise UnreadableMessage from None
        if not delimiter or not isinstance(payload, dict) or not isinstance(payload.get("title"), str):
            raise UnreadableMessage
        return payload


def _derive(salt: bytes, key: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(key)


class WebPushEmulator:
    """origin: scheme, host and port of this service."""

    def __init__(self, origin: str, journal: PushJournal, clock: Callable[[], float] = time.time) -> None:
        self.origin, self.journal, self.clock = origin, journal, clock
        # The library `webpush` leaves out the port, which real services do not have.
        self.audiences = [origin, origin.rsplit(":", 1)[0]]
        self.faults = Faults()
        self.subscriptions: dict[str, BrowserSubscription] = {}
        # Subscription → (status, seconds of Retry-After), for those that are refused.
        self.refusals: dict[str, tuple[int, int]] = {}

    def subscribe(self, application_server_key: str, name: str = "") -> dict[str, Any]:
        """What PushManager.subscribe() gives the page.

        name: of an earlier subscription, which is replaced, "" for a new one.
        """
        name, subscription = name or uuid4().hex, BrowserSubscription(application_server_key.rstrip("="))
        self.subscriptions[name] = subscription
        keys = {"p256dh": _encoded(subscription.p256dh), "auth": _encoded(subscription.auth)}
        return {"endpoint": f"{self.origin}/push/{name}", "keys": keys}

    def opened(self, connection: ServerConnection) -> None:
        pass

    def closed(self, connection: ServerConnection) -> None:
        pass

    def flush(self) -> None:
        self.journal.write()

    def answer(self, _connection: ServerConnection, request: EmulatorRequest) -> EmulatorAnswer:
        try:
            push = self._accepted(request)
        except WebPushRefusal as refusal:
            after = {"retry-after": str(refusal.retry_after_s)} if refusal.retry_after_s else {}
            return EmulatorAnswer(refusal.status, after)
        self.journal.add(push)
        return EmulatorAnswer(
            201, {"location": f"{self.origin}/message/{uuid4().hex}", "ttl": request.get("ttl") or ""}
        )

    def _accepted(self, request: EmulatorRequest) -> AcceptedPush:
        name = request.path.removeprefix("/push/")
        subscription = self.subscriptions.get(name)
        if subscription is None:
            raise WebPushRefusal(404)
        if request.method != "POST":
            raise WebPushRefusal(405)
        self._check_vapid(request.get("authorization"), subscription)
        if name in self.refusals:
            raise WebPushRefusal(*self.refusals[name])
        ttl_s = _headers(request)
        if len(request.body) > BODY_BYTES_MAX:
            raise WebPushRefusal(413)
        try:
            payload = subscription.read(request.body)
        except UnreadableMessage:
            raise WebPushRefusal(400) from None
        now = self.clock()
        expires_at = now + ttl_s if ttl_s else 0.0
        return AcceptedPush(now, "webpush", name, "web", request.get("topic") or "", expires_at, payload)

    def _check_vapid(self, authorization: str | None, subscription: BrowserSubscription) -> None:
        """RFC 8292, 4.2. A subscription belongs to the key it was made for."""
        parts = _VAPID.fullmatch(authorization or "")
        if parts is None:
            raise WebPushRefusal(401)
        if parts[2] != subscription.application_server_key:
            raise WebPushRefusal(403)
        try:
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _decoded(parts[2]))
            options: Any = {"verify_exp": False, "require": ["exp", "sub"]}
            claims = jwt.decode(parts[1], key, algorithms=["ES256"], audience=self.audiences, options=options)
        except (ValueError, jwt.InvalidTokenError):
            raise WebPushRefusal(403) from None
        now = self.clock()
        if not now < claims["exp"] <= now + VAPID_MAX_S or not claims["sub"].startswith(("mailto:", "https:")):
            raise WebPushRefusal(403)


def _headers(request: EmulatorRequest) -> int:
    """The TTL in seconds. RFC 8030, 5.2 to 5.4."""
    ttl, topic = request.get("ttl") or "", request.get("topic")
    if not ttl.isdecimal() or request.get("content-encoding") != "aes128gcm":
        raise WebPushRefusal(400)
    if topic is not None and not _TOPIC.fullmatch(topic):
        raise WebPushRefusal(400)
    if (request.get("urgency") or "normal") not in _URGENCIES:
        raise WebPushRefusal(400)
    return int(ttl)


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
