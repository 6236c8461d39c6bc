"""The emulated push service of browsers keeps the RFCs, without a socket."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from io import BytesIO
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from webpush import WebPush
from webpush.types import WebPushSubscription

from dev.emulators.exchange import EmulatorRequest
from dev.emulators.journal import PushJournal
from dev.emulators.webpush import BODY_BYTES_MAX, WebPushEmulator

NOW = 1_700_000_000.0
ORIGIN = "https://push.example"
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())


def public(key: ec.EllipticCurvePrivateKey) -> str:
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return urlsafe_b64encode(point).rstrip(b"=").decode()


class Desk:
    """A push service with one subscription."""

    def __init__(self, folder: Path) -> None:
        self.journal = PushJournal(folder / "pushes.db")
        self.service = WebPushEmulator(ORIGIN, self.journal, lambda: NOW)
        self.subscription = self.service.subscribe(public(KEY))
        self.path = self.subscription["endpoint"].removeprefix(ORIGIN)
        pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public_pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.encryption = WebPush(BytesIO(pem), BytesIO(public_pem), subscriber="operator@example.org")

    def sealed(self, payload: Any) -> bytes:
        return self.encryption.get(payload, WebPushSubscription.model_validate(self.subscription)).encrypted

    def signed(self, key: ec.EllipticCurvePrivateKey = KEY, **changes: Any) -> str:
        claims = {"aud": ORIGIN, "exp": int(NOW) + 3600, "sub": "mailto:operator@example.org", **changes}
        given = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(given, key, "ES256")

    def push(self, *, method: str = "POST", path: str | None = None, body: bytes | None = None, **headers: Any) -> int:
        usual = {
            "authorization": f"vapid t={self.signed()}, k={public(KEY)}",
            "content_encoding": "aes128gcm",
            "ttl": "60",
        }
        given = [
            (name.replace("_", "-"), str(value)) for name, value in {**usual, **headers}.items() if value is not None
        ]
        sealed = self.sealed({"title": "Goal!"}) if body is None else body
        answer = self.service.answer(None, EmulatorRequest(method, path or self.path, given, sealed))  # type: ignore[arg-type]
        self.journal.write()
        return answer.status


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    desk = Desk(tmp_path)
    yield desk
    desk.journal.close()


def test_a_good_push_is_accepted_decrypted_and_written_down(desk: Desk) -> None:
    assert desk.push(topic="t" * 32, urgency="high") == 201
    [push] = desk.journal.all()
    assert (push.payload, push.collapse, push.expires_at) == ({"title": "Goal!"}, "t" * 32, NOW + 60)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"path": "/push/unknown"}, 404),
        ({"method": "GET"}, 405),
        ({"authorization": None}, 401),
        ({"authorization": "bearer x"}, 401),
        ({"ttl": None}, 400),
        ({"ttl": "soon"}, 400),
        ({"content_encoding": "aesgcm"}, 400),
        ({"topic": "x" * 33}, 400),
        ({"topic": "no spaces"}, 400),
        ({"urgency": "now"}, 400),
        ({"body": b"x" * (BODY_BYTES_MAX + 1)}, 413),
        ({"body": b"in the clear"}, 400),
        ({"body": b""}, 400),
    ],
)
def test_what_the_rfc_forbids_is_refused(desk: Desk, changes: dict[str, Any], status: int) -> None:
    assert desk.push(**changes) == status
    assert list(desk.journal.all()) == []


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://elsewhere.example"},
        {"exp": int(NOW)},
        {"exp": int(NOW) + 25 * 3600},
        {"exp": None},
        {"sub": None},
        {"sub": "operator"},
    ],
)
def test_a_signature_with_wrong_claims_is_refused(desk: Desk, claims: dict[str, Any]) -> None:
    assert desk.push(authorization=f"vapid t={desk.signed(**claims)}, k={public(KEY)}") == 403


def test_a_subscription_belongs_to_its_key(desk: Desk) -> None:
    assert desk.push(authorization=f"vapid t={desk.signed(OTHER)}, k={public(OTHER)}") == 403
    assert desk.push(authorization=f"vapid t={desk.signed(OTHER)}, k={public(KEY)}") == 403


def test_a_message_for_another_browser_cannot_be_read(desk: Desk) -> None:
    sealed = desk.sealed({"title": "Goal!"})
    desk.path = desk.service.subscribe(public(KEY))["endpoint"].removeprefix(ORIGIN)
    assert desk.push(body=sealed) == 400


def test_a_subscription_that_is_made_again_keeps_its_endpoint_and_has_new_keys(desk: Desk) -> None:
    sealed = desk.sealed({"title": "Goal!"})
    before, name = desk.subscription, desk.path.rsplit("/", 1)[1]
    desk.subscription = desk.service.subscribe(public(KEY), name)
    assert desk.subscription["endpoint"] == before["endpoint"]
    assert desk.push(body=sealed) == 400
    assert desk.push(body=desk.sealed({"title": "Goal!"})) == 201


def test_what_a_service_worker_could_not_show_is_refused(desk: Desk) -> None:
    assert desk.push(body=desk.sealed(json.dumps({"body": "1–0"}))) == 400
    assert desk.push(body=desk.sealed("not json")) == 400


def test_a_refused_subscription_says_when_to_come_back(desk: Desk) -> None:
    name = desk.path.removeprefix("/push/")
    for status in (404, 410, 413, 429):
        desk.service.refusals[name] = (status, 0)
        assert desk.push() == status
    del desk.service.refusals[name]
    assert desk.push() == 201
