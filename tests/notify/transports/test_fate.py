"""What is repeated, and how: surely unprocessed pushes as they were, doubtful ones without a sound, topics never."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest

from db.domain import Device, Kind, Platform
from notify.content.message import Message
from notify.transports.apns import Apns
from notify.transports.base import Condition, Envelope, Topic
from notify.transports.fcm import Fcm
from notify.transports.outcome import Delivered, Later, Outcome, Unknown
from tests.conftest import free_port, wait_until
from tests.support.emulators import Emulated

_numbers = itertools.count(1)


def message(title: str = "Goal!") -> Message:
    now = time.time()
    return Message("m1", 1, Kind.GOAL, title, "1–0", "/match/m1", "m1", now, int(now) + 600)


def iphones(count: int) -> list[Device]:
    """Devices no other test knows."""
    return [Device(platform=Platform.IOS, token=f"fa{next(_numbers):062x}") for _ in range(count)]


def send(transport: Apns | Fcm, devices: list[Device]) -> list[Outcome]:
    goal = message()
    return [outcome for _, outcome in transport.send([Envelope(device, goal) for device in devices])]


def rings(emulators: Emulated, devices: list[Device]) -> list[int]:
    return [emulators.phone(device.token)["rings"] for device in devices]


@pytest.fixture(params=["fcm_url", "fcm_http1_url"])
def fcm(emulators: Emulated, request: pytest.FixtureRequest) -> Iterator[Fcm]:
    """Over HTTP/2, then over HTTP/1.1."""
    transport = emulators.fcm(url=emulators.settings[request.param])
    yield transport
    transport.close()


@pytest.mark.parametrize("fault", [{"cut_every": 7}, {"close_every": 7}, {"reset_every": 5}])
def test_a_push_of_unknown_fate_is_repeated_without_a_sound(
    emulators: Emulated, apns: Apns, fault: dict[str, int]
) -> None:
    send(apns, iphones(1))
    emulators.set_faults("apns", **fault)
    devices = iphones(40)
    outcomes = send(apns, devices)
    received = emulators.counts()
    assert sum(received[device.token] for device in devices) > 40
    assert Delivered("repeated") in outcomes
    assert all(outcome.possibly_sent for outcome in outcomes if isinstance(outcome, Later))
    assert {type(outcome) for outcome in outcomes} <= {Delivered, Later}
    assert max(rings(emulators, devices)) == 1


def test_an_answer_that_comes_too_late_costs_no_second_ring(emulators: Emulated) -> None:
    """The service took the push, and nobody was there any more to hear so."""
    apns, [device] = emulators.apns(answer_s=0.3), iphones(1)
    emulators.set_faults("apns", latency_ms=1000)
    [outcome] = send(apns, [device])
    assert isinstance(outcome, Later)
    assert outcome.possibly_sent
    wait_until(lambda: emulators.counts().get(device.token, 0) > 1, "the repeats")
    assert rings(emulators, [device]) == [1]
    apns.close()


@pytest.mark.parametrize("steps", [1, 2])
def test_what_a_goaway_left_unprocessed_rings_once_and_arrives_once(
    emulators: Emulated, apns: Apns, steps: int
) -> None:
    send(apns, iphones(30))
    emulators.set_faults("apns", goaway_after=40, goaway_steps=steps, latency_ms=5)
    devices = iphones(300)
    assert set(send(apns, devices)) == {Delivered()}
    received = emulators.counts()
    assert {received[device.token] for device in devices} == {1}
    assert set(rings(emulators, devices[:: len(devices) // 20])) == {1}


@pytest.mark.parametrize("fault", [{"cut_every": 1}, {"close_every": 1}])
def test_a_topic_is_published_once_on_connections_that_die_after_each_request(
    emulators: Emulated, fcm: Fcm, fault: dict[str, int]
) -> None:
    """On a connection that was used before, libcurl would repeat the request by itself."""
    listener = Device(platform=Platform.ANDROID, token=f"listener-{next(_numbers)}")
    topic = f"fate-{listener.token}"
    send(fcm, [Device(platform=Platform.ANDROID, token=f"android-{next(_numbers)}")])
    assert emulators.subscribe(fcm, listener.token, topic) == 200
    emulators.set_faults("fcm", **fault)
    addresses = [Topic(topic), Condition(f"'{topic}' in topics")]
    outcomes = {type(outcome) for _, outcome in fcm.send([Envelope(address, message()) for address in addresses])}
    assert outcomes == {Unknown}
    received = emulators.counts().get(listener.token, 0)
    assert 1 <= received <= 2, "one each at the most"
    for _ in range(3):
        emulators.set_faults("fcm")
        send(fcm, [Device(platform=Platform.ANDROID, token=f"android-{next(_numbers)}")])
        emulators.set_faults("fcm", **fault)
        [(_, outcome)] = fcm.send([Envelope(Topic(topic), message())])
        assert isinstance(outcome, Unknown)
        now_received = emulators.counts()[listener.token]
        assert now_received <= received + 1
        received = now_received


def test_a_topic_that_was_refused_for_the_moment_is_published_again(emulators: Emulated) -> None:
    fcm = emulators.fcm()
    send(fcm, [Device(platform=Platform.ANDROID, token=f"android-{next(_numbers)}")])
    emulators.set_faults("fcm", status_every=1, status=503, reason="UNAVAILABLE", retry_after_s=0)
    [(_, outcome)] = fcm.send([Envelope(Topic("later"), message())])
    assert outcome == Later("status_503", 10.0) or outcome == Later("UNAVAILABLE", 10.0)
    fcm.close()


def test_a_token_on_connections_that_die_after_each_request_rings_once(emulators: Emulated, fcm: Fcm) -> None:
    send(fcm, [Device(platform=Platform.ANDROID, token=f"android-{next(_numbers)}")])
    emulators.set_faults("fcm", cut_every=1)
    device = Device(platform=Platform.ANDROID, token=f"android-{next(_numbers)}")
    [outcome] = send(fcm, [device])
    assert isinstance(outcome, Later)
    assert outcome.possibly_sent
    assert emulators.counts()[device.token] > 1
    assert rings(emulators, [device]) == [1]


@pytest.mark.parametrize("service", ["apns", "fcm"])
def test_a_check_replaces_a_connection_that_died_while_idle(emulators: Emulated, service: str) -> None:
    apns, fcm = emulators.apns(answer_s=1.0), emulators.fcm(answer_s=1.0)
    transport: Apns | Fcm = apns if service == "apns" else fcm
    device = Device(platform=Platform.ANDROID, token=f"{next(_numbers):064x}")
    assert transport.check()
    emulators.set_faults(service, idle_death_s=0.3)
    idle_since = time.monotonic()
    wait_until(lambda: time.monotonic() > idle_since + 0.5, "longer than the connection lives")
    assert transport.check()
    assert send(transport, [device]) == [Delivered()]
    assert rings(emulators, [device]) == [1]
    apns.close()
    fcm.close()


def test_a_check_reaches_no_phone_and_tells_a_service_that_is_away(emulators: Emulated, apns: Apns) -> None:
    before = emulators.counts()
    fcm, away = emulators.fcm(), emulators.apns(url=f"https://127.0.0.1:{free_port()}")
    assert [apns.check(), fcm.check(), away.check()] == [True, True, False]
    assert emulators.counts() == before
    fcm.close()
    away.close()


def test_settings_that_change_while_it_runs_are_kept(emulators: Emulated, apns: Apns) -> None:
    """A smaller table for headers, and windows a payload does not fit into: h2 ends a connection that ignores them."""
    send(apns, iphones(1))
    emulators.change_settings(header_table_size=0, initial_window_size=100)
    try:
        devices = iphones(30)
        assert set(send(apns, devices)) == {Delivered()}
        received = emulators.counts()
        assert {received[device.token] for device in devices} == {1}
    finally:
        emulators.change_settings(header_table_size=4096, initial_window_size=65_535)
