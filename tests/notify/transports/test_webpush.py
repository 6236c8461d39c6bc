"""Web Push: what a browser can decrypt, what a push service checks, and which URLs we call."""

from __future__ import annotations

import socket
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from config import Settings
from db.domain import Device, Kind, Platform
from dev.emulators.journal import PushJournal
from notify.content.message import Message
from notify.transports.base import Envelope
from notify.transports.hosts import HOSTS_MAX
from notify.transports.outcome import Delivered, Dropped, Gone, Later, OurFault, Outcome
from notify.transports.webpush import REFUSED_IN_A_ROW, WebPush
from tests.conftest import free_port
from tests.support.emulators import Emulated
from workers.push.transports import Transports


def vapid() -> tuple[str, str]:
    """A private key (PEM) and its application server key (base64url)."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return pem, urlsafe_b64encode(public).rstrip(b"=").decode()


PEM, APPLICATION_SERVER_KEY = vapid()


def message(**changes: object) -> Message:
    now = time.time()
    goal = Message("m1", 1, Kind.GOAL, "Goal! Côte", "1–0", "/match/m1", "m1", now, int(now) + 600)
    return replace(goal, **changes)  # type: ignore[arg-type]


@pytest.fixture
def web(emulators: Emulated) -> Iterator[WebPush]:
    transport = emulators.webpush(PEM)
    yield transport
    transport.close()


@pytest.fixture
def browser(emulators: Emulated) -> Device:
    return emulators.browser(APPLICATION_SERVER_KEY)


def send(web: WebPush, *devices: Device) -> list[Outcome]:
    """In the order of the devices."""
    goal = message()
    outcomes = {
        envelope.address: outcome for envelope, outcome in web.send([Envelope(device, goal) for device in devices])
    }
    return [outcomes[device] for device in devices]


def test_a_service_behind_a_private_ca_is_verified_by_push_ca(emulators: Emulated, browser: Device) -> None:
    for ca, outcome in (("", Later), (emulators.push_ca, Delivered)):
        settings = {"webpush_url": emulators.webpush_url, "push_ca": ca}
        web = Transports(Settings(vapid_key=PEM, vapid_contact="operator@example.org", **settings)).web
        assert isinstance(web, WebPush)
        assert [type(result) for result in send(web, browser)] == [outcome]
        web.close()


def test_without_a_service_of_its_own_push_ca_counts_for_browsers_too(emulators: Emulated) -> None:
    settings = Settings(vapid_key=PEM, vapid_contact="operator@example.org", push_ca=emulators.push_ca)
    web = Transports(settings).web
    assert isinstance(web, WebPush)
    assert web.sender.hosts.ca == emulators.push_ca
    web.close()


def test_the_browser_reads_what_was_sent(emulators: Emulated, web: WebPush, browser: Device) -> None:
    """The service has checked the signature and every header."""
    assert send(web, browser) == [Delivered()]
    [push] = PushJournal(emulators.ledger).of(browser.token)
    assert push.payload == {
        "title": "Goal! Côte",
        "body": "1–0",
        "match_id": "m1",
        "version": 1,
        "link": "/match/m1",
        "kind": "goal",
        "tag": "m1",
        "lang": "en",
    }
    assert (len(push.collapse), 590 < push.expires_at - push.at <= 600) == (32, True)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (404, Gone("status_404")),
        (410, Gone("status_410")),
        (413, OurFault("status_413")),
        (400, Dropped("status_400")),
        (403, Dropped("status_403")),
        (429, Later("status_429", 45.0)),
    ],
)
def test_a_refused_subscription_costs_nobody_else_their_push(
    emulators: Emulated, web: WebPush, browser: Device, status: int, outcome: Outcome
) -> None:
    other = emulators.browser(APPLICATION_SERVER_KEY)
    emulators.mark("webpush", browser.token, status=status, retry_after_s=45 if status == 429 else 0)
    assert send(web, browser, other) == [outcome, Delivered()]


def test_subscriptions_for_another_key_are_reported_and_hold_nobody_up(
    emulators: Emulated, web: WebPush, browser: Device, caplog: pytest.LogCaptureFixture
) -> None:
    _, another_key = vapid()
    foreign = [emulators.browser(another_key) for _ in range(REFUSED_IN_A_ROW + 1)]
    assert send(web, *foreign) == [Dropped("status_403")] * len(foreign)
    assert caplog.text.count("push_key_refused") == 1
    assert send(web, browser) == [Delivered()]


def test_only_push_services_are_called() -> None:
    web = WebPush(PEM, "operator@example.org")
    assert send(web, Device(Platform.WEB, "b", endpoint="https://evil.example/x")) == [Gone("not_a_push_service")]
    web.close()


def test_keys_that_are_none_cost_only_their_own_push(web: WebPush, browser: Device) -> None:
    bad = replace(browser, token="b", p256dh="AAAA", auth="!")
    assert send(web, bad, browser) == [Gone("bad_subscription"), Delivered()]


@pytest.mark.parametrize("fault", [{"goaway_after": 20}, {"cut_every": 25}, {"reset_every": 15}, {"status_every": 10}])
def test_connections_that_break_lose_nothing_and_ring_once(
    emulators: Emulated, web: WebPush, fault: dict[str, int]
) -> None:
    emulators.set_faults("webpush", **fault)
    browsers = [emulators.browser(APPLICATION_SERVER_KEY) for _ in range(30)]
    outcomes = send(web, *browsers)
    assert set(map(type, outcomes)) <= {Delivered, Later}
    phones = [emulators.phone(browser.token) for browser in browsers]
    shown = [len(phone["screen"]) for phone in phones]
    assert {count for count, outcome in zip(shown, outcomes, strict=True) if isinstance(outcome, Delivered)} == {1}
    # A repeat of a request that may have arrived comes without a sound.
    assert max(phone["rings"] for phone in phones) == 1


def test_a_host_that_is_away_or_silent_holds_up_its_own_alone(emulators: Emulated, browser: Device) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=200) as silent:
        web = emulators.webpush(PEM, answer_s=1.0)
        away = [replace(browser, token=f"a{n}", endpoint=f"https://localhost:{free_port()}/{n}") for n in range(3)]
        slow = replace(browser, token="s", endpoint=f"https://localhost:{silent.getsockname()[1]}/1")
        goal = message()
        answers = web.send([Envelope(device, goal) for device in (slow, *away, browser)])
        envelope, outcome = next(answers)
        assert (envelope.address, outcome) == (browser, Delivered())
        rest = [outcome for _, outcome in answers]
        assert {type(outcome) for outcome in rest} == {Later}
        assert not any(outcome.possibly_sent for outcome in rest if isinstance(outcome, Later))
        [host] = [host for host in web.sender.hosts if host.name in (browser.endpoint or "")]
        assert (host.breaker.closed, host.connection.limit >= 100) == (True, True)
        web.close()


def test_hosts_are_bounded(emulators: Emulated, browser: Device) -> None:
    web = emulators.webpush(PEM, services=("localhost", "invalid"))
    nowhere = [replace(browser, token=f"n{n}", endpoint=f"https://host{n}.invalid/x") for n in range(HOSTS_MAX + 10)]
    for device in nowhere:
        web.sender.hosts.of(device.endpoint or "")
    assert len(list(web.sender.hosts)) == HOSTS_MAX
    assert send(web, browser) == [Delivered()]
    web.close()
