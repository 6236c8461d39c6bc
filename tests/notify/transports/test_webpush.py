"""Web Push: what a browser can decrypt, what a push service checks, and which URLs we call."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from db.domain import Device, Kind, Platform
from dev.emulators.exchange import EmulatorAnswer, EmulatorRequest
from dev.emulators.faults import Faults
from dev.emulators.keys import Keys
from dev.emulators.wire import ServerConnection, tls_context
from notify.content.message import Message
from notify.transports.base import Envelope
from notify.transports.outcome import Delivered, Dropped, Gone
from notify.transports.webpush import REFUSED_IN_A_ROW, WebPush

VAPID = ec.generate_private_key(ec.SECP256R1())
PEM = VAPID.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Browser:
    """Holds the keys of a subscription and reads what comes for it (RFC 8291)."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.public = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.secret = os.urandom(16)

    def device(self, endpoint: str) -> Device:
        keys = {"p256dh": _text(self.public), "auth": _text(self.secret)}
        return Device(platform=Platform.WEB, token="browser", endpoint=endpoint, **keys)

    def read(self, body: bytes) -> dict[str, object]:
        salt, length = body[:16], body[20]
        theirs = body[21 : 21 + length]
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))
        mixed = _derive(self.secret, shared, b"WebPush: info\0" + self.public + theirs, 32)
        key = _derive(salt, mixed, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derive(salt, mixed, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(key).decrypt(nonce, body[21 + length :], None)
        read: dict[str, object] = json.loads(plain.rstrip(b"\0").removesuffix(b"\2"))
        return read


def _derive(salt: bytes, key: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(key)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


class PushService:
    """Takes what is request of it and answers as told."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.request: list[EmulatorRequest] = []
        self.status = 201

    def opened(self, connection: ServerConnection) -> None:
        pass

    def closed(self, connection: ServerConnection) -> None:
        pass

    def flush(self) -> None:
        pass

    def answer(self, _link: ServerConnection, request: EmulatorRequest) -> EmulatorAnswer:
        self.request.append(request)
        return EmulatorAnswer(self.status)


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PushService, str, str]]:
    """The service, its URL and its certificate, on a loop of its own."""
    keys, service = Keys(tmp_path_factory.mktemp("web")), PushService()
    loop = asyncio.new_event_loop()
    tls = tls_context(str(keys.cert), str(keys.tls_key), "h2")
    # In a thread of its own: the browser's tests leave a loop running in the main one.
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    listens = loop.create_server(lambda: ServerConnection(service), "127.0.0.1", 0, ssl=tls)
    server = asyncio.run_coroutine_threadsafe(listens, loop).result(10)
    yield service, f"https://localhost:{server.sockets[0].getsockname()[1]}", str(keys.cert)
    asyncio.run_coroutine_threadsafe(_end(server), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    await asyncio.sleep(0)


@pytest.fixture
def web(listening: tuple[PushService, str, str]) -> Iterator[WebPush]:
    service, _, cert = listening
    service.request.clear()
    service.status = 201
    service.faults = Faults()
    transport = WebPush(PEM, "operator@example.org", services=("localhost",), ca=str(Path(cert)))
    yield transport
    transport.close()


def message() -> Message:
    now = time.time()
    return Message("m1", 1, Kind.GOAL, "Goal! Côte", "1–0", "/match/m1", "m1", now, int(now) + 600)


def one(web: WebPush, device: Device) -> object:
    [(_, outcome)] = web.send([Envelope(device, message())])
    return outcome


def test_the_browser_reads_what_was_said(web: WebPush, listening: tuple[PushService, str, str]) -> None:
    service, url, _ = listening
    browser = Browser()
    assert one(web, browser.device(f"{url}/push/1")) == Delivered()
    [request] = service.request
    assert browser.read(request.body) == {
        "title": "Goal! Côte",
        "body": "1–0",
        "match_id": "m1",
        "version": 1,
        "connection": "/match/m1",
        "kind": "goal",
    }


def test_the_push_service_finds_all_it_checks(web: WebPush, listening: tuple[PushService, str, str]) -> None:
    service, url, _ = listening
    one(web, Browser().device(f"{url}/push/1"))
    [request] = service.request
    assert 590 <= int(request.get("ttl") or 0) <= 600
    assert (request.get("urgency"), request.get("content-encoding")) == ("high", "aes128gcm")
    assert len(request.get("topic") or "") == 32
    scheme, token, key = (request.get("authorization") or "").replace(",", "").split()
    assert scheme == "vapid"
    claims = jwt.decode(
        token.removeprefix("t="), VAPID.public_key(), algorithms=["ES256"], audience="https://localhost"
    )
    assert claims["sub"] == "mailto:operator@example.org"
    assert time.time() < claims["exp"] <= time.time() + 24 * 3600
    point = VAPID.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert urlsafe_b64decode(key.removeprefix("k=") + "==") == point


def test_subscriptions_for_another_key_are_reported_and_hold_nobody_up(
    web: WebPush, listening: tuple[PushService, str, str], caplog: pytest.LogCaptureFixture
) -> None:
    service, url, _ = listening
    service.status = 403
    devices = [Browser().device(f"{url}/push/{n}") for n in range(REFUSED_IN_A_ROW + 1)]
    outcomes = [outcome for _, outcome in web.send([Envelope(device, message()) for device in devices])]
    assert outcomes == [Dropped("status_403")] * len(devices)
    assert caplog.text.count("push_key_refused") == 1
    service.status = 201
    assert one(web, Browser().device(f"{url}/push/good")) == Delivered()


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://127.0.0.1/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evil.example/fcm.googleapis.com",
        "https://fcm.googleapis.com@evil.example/x",
        "file:///etc/passwd",
        "",
    ],
)
def test_only_push_services_are_called(endpoint: str) -> None:
    web = WebPush(PEM, "operator@example.org")
    assert one(web, Browser().device(endpoint)) == Gone("not_a_push_service")
    web.close()


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc",
        "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "https://web.push.apple.com/abc",
        "https://db5p.notify.windows.com/w/?token=abc",
    ],
)
def test_the_services_of_the_browsers_are_known(endpoint: str) -> None:
    web = WebPush(PEM, "operator@example.org")
    assert web.is_service(endpoint)
    web.close()


def test_keys_that_are_none_cost_only_their_own_push(web: WebPush, listening: tuple[PushService, str, str]) -> None:
    service, url, _ = listening
    bad = Device(platform=Platform.WEB, token="b", endpoint=f"{url}/push/1", p256dh="AAAA", auth="!")
    good = Browser().device(f"{url}/push/2")
    outcomes = {
        parcel.address: outcome for parcel, outcome in web.send([Envelope(bad, message()), Envelope(good, message())])
    }
    assert outcomes == {bad: Gone("bad_subscription"), good: Delivered()}
    assert len(service.request) == 1


@pytest.mark.parametrize("fault", [{"goaway_after": 20}, {"cut_every": 25}, {"reset_every": 15}, {"status_every": 10}])
def test_connections_that_break_lose_nothing(
    web: WebPush, listening: tuple[PushService, str, str], fault: dict[str, int]
) -> None:
    service, url, _ = listening
    service.faults = Faults(**fault)
    browser = Browser()
    parcels = [Envelope(browser.device(f"{url}/push/{n}"), message()) for n in range(60)]
    outcomes = [outcome for _, outcome in web.send(parcels)]
    assert outcomes == [Delivered()] * 60
    assert {request.path for request in service.request} == {f"/push/{n}" for n in range(60)}
