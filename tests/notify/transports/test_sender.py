"""The sending loop against a faulty APNs: nothing is lost, nothing hangs, nothing has two outcomes."""

from __future__ import annotations

import itertools
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from db.domain import Device, Kind, Platform
from dev.emulators.journal import PushJournal
from notify.content.message import Message
from notify.transports import breaker as breakers
from notify.transports import handle, host
from notify.transports.apns import Apns
from notify.transports.base import Channel, Envelope
from notify.transports.breaker import PAUSE_S, Breaker
from notify.transports.outcome import ConfigFault, Delivered, Dropped, Later, Outcome
from tests.conftest import free_port, wait_until
from tests.support.emulators import Emulated

_numbers = itertools.count(1)


def message(expires_s: float = 600) -> Message:
    now = time.time()
    return Message("m1", 1, Kind.GOAL, "Goal!", "1–0", "/match/m1", "m1", now, int(now + expires_s))


def phones(count: int) -> list[Device]:
    """Devices no other test knows."""
    return [Device(platform=Platform.IOS, token=f"5e{next(_numbers):062x}") for _ in range(count)]


def send(apns: Apns, devices: Iterable[Device], goal: Message | None = None) -> dict[str, Outcome]:
    """Each device's outcome; a second one for any fails."""
    goal = goal or message()
    outcomes: dict[str, Outcome] = {}
    for envelope, outcome in apns.send(Envelope(device, goal) for device in devices):
        assert isinstance(envelope.address, Device)
        assert envelope.address.token not in outcomes
        outcomes[envelope.address.token] = outcome
    return outcomes


def recorded(count: int, taken: list[Device]) -> Iterator[Envelope]:
    """Envelopes to phones that are noted when they are taken."""
    for device in phones(count):
        taken.append(device)
        yield Envelope(device, message())


FAULTS: dict[str, dict[str, int]] = {
    "GOAWAY": {"goaway_after": 60},
    "reset streams": {"reset_every": 20},
    "cut connections": {"cut_every": 70},
    "503": {"status_every": 30},
    "slow answers": {"latency_ms": 50},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_device_rings_once_and_every_envelope_has_one_outcome(
    emulators: Emulated, apns: Apns, fault: str
) -> None:
    emulators.set_faults("apns", **FAULTS[fault])
    devices = phones(400)
    outcomes = send(apns, devices)
    assert Counter(type(outcome) for outcome in outcomes.values()) == {Delivered: 400}
    with closing(PushJournal(emulators.ledger)) as journal:
        pushes = {device.token: journal.of(device.token) for device in devices}
    assert min(map(len, pushes.values())) == 1
    assert max(sum("sound" in push.payload["aps"] for push in of_one) for of_one in pushes.values()) == 1
    twice = {token for token, of_one in pushes.items() if len(of_one) > 1}
    assert twice <= {token for token, outcome in outcomes.items() if outcome == Delivered("repeated")}


def test_a_silent_connection_is_replaced_and_its_pushes_repeated(emulators: Emulated) -> None:
    emulators.set_faults("apns", stall_after=250)
    apns = emulators.apns(answer_s=1.5)
    devices = phones(400)
    outcomes = send(apns, devices)
    assert Counter(type(outcome) for outcome in outcomes.values()) == {Delivered: 400}
    counts = emulators.counts()
    assert all(counts.get(device.token) for device in devices)
    apns.close()


def test_a_caller_that_was_away_finds_the_answers_that_came(emulators: Emulated) -> None:
    apns = emulators.apns(answer_s=0.5)
    send(apns, phones(60))
    devices, goal = phones(50), message()
    answers = apns.send(Envelope(device, goal) for device in devices)
    first = next(answers)
    away_since = time.monotonic()
    wait_until(lambda: time.monotonic() > away_since + 1.0, "longer than an answer may take")
    assert {type(outcome) for _, outcome in [first, *answers]} == {Delivered}
    counts = emulators.counts()
    assert {counts[device.token] for device in devices} == {1}
    apns.close()


def test_a_service_that_allows_no_streams_is_asked_again_on_new_connections(emulators: Emulated, apns: Apns) -> None:
    """The emulator lets one push through on each before it forbids the rest."""
    emulators.allow_streams(0)
    devices = phones(5)
    assert set(map(type, send(apns, devices).values())) == {Delivered}


def test_a_service_that_is_killed_and_comes_back_has_everything_in_the_end(tmp_path: Path) -> None:
    emulated = Emulated(tmp_path)
    apns = emulated.apns()
    devices = phones(300)

    def across_a_restart() -> Iterator[Device]:
        for n, device in enumerate(devices):
            if n == 150:
                emulated.kill()
                emulated.start()
            yield device

    left = {token for token, outcome in send(apns, across_a_restart()).items() if not isinstance(outcome, Delivered)}
    wait_until(lambda: not apns.sender.hosts.only.breaker.is_open(time.monotonic()), "the breaker closes")
    again = send(apns, [device for device in devices if device.token in left])
    assert {type(outcome) for outcome in again.values()} <= {Delivered}
    counts = emulated.counts()
    assert all(counts.get(device.token) for device in devices)
    apns.close()
    emulated.stop()


def test_two_calls_at_once_are_refused(emulators: Emulated, apns: Apns) -> None:
    goal = message()
    first = apns.send(Envelope(device, goal) for device in phones(2))
    next(first)
    with pytest.raises(RuntimeError, match="one send"):
        next(apns.send([]))
    first.close()  # type: ignore[attr-defined]
    assert list(apns.send([])) == []


def test_what_was_sent_twice_is_seen_once(emulators: Emulated, apns: Apns) -> None:
    emulators.set_faults("apns", reset_every=5)
    devices = phones(50)
    send(apns, devices)
    received = emulators.counts()
    assert sum(received[device.token] for device in devices) > 50
    for device in devices:
        assert len(emulators.phone(device.token)["alerts"]) == 1


def test_a_lowered_stream_limit_is_kept(emulators: Emulated, apns: Apns) -> None:
    emulators.set_faults("apns", latency_ms=2)
    devices = phones(300)

    def lowering() -> Iterator[Device]:
        for n, device in enumerate(devices):
            if n in (100, 200):
                emulators.allow_streams(3 if n == 100 else 1000)
            yield device

    assert set(map(type, send(apns, lowering()).values())) == {Delivered}


def test_a_new_connection_begins_with_one_stream(emulators: Emulated, apns: Apns) -> None:
    """The emulator refuses a second stream before the first good push, and libcurl would have to repeat it."""
    emulators.set_faults("apns", latency_ms=100)
    taken: list[Device] = []
    answers = apns.send(recorded(5, taken))
    next(answers)
    assert len(taken) == 1
    assert len(list(answers)) == 4


def test_envelopes_are_taken_only_as_fast_as_they_are_answered(emulators: Emulated, apns: Apns) -> None:
    taken = 0

    def endless() -> Iterator[Envelope]:
        nonlocal taken
        goal = message()
        for number in itertools.count():
            taken += 1
            yield Envelope(Device(platform=Platform.IOS, token=f"e{number:063x}"), goal)

    answers = apns.send(endless())
    for answered, _ in enumerate(itertools.islice(answers, 2000), 1):
        assert taken - answered <= 700
    answers.close()  # type: ignore[attr-defined]
    assert not any(service.busy for service in apns.sender.hosts)


def test_the_connection_is_kept_for_the_next_call_and_mended_when_it_died_between(
    emulators: Emulated, apns: Apns
) -> None:
    send(apns, phones(2))
    emulators.set_faults("apns", goaway_after=1)
    send(apns, phones(1))
    emulators.set_faults("apns")
    assert set(map(type, send(apns, phones(20)).values())) == {Delivered}


def test_an_expired_message_is_dropped_unsent(emulators: Emulated, apns: Apns) -> None:
    [device] = phones(1)
    assert send(apns, [device], message(expires_s=-1)) == {device.token: Dropped("expired")}
    assert device.token not in emulators.counts()


def test_a_service_that_is_away_opens_the_breaker_and_nothing_hangs(emulators: Emulated) -> None:
    apns = emulators.apns(url=f"https://127.0.0.1:{free_port()}")
    outcomes = send(apns, phones(40))
    assert {type(outcome) for outcome in outcomes.values()} == {Later}
    assert "breaker_open" in {outcome.reason for outcome in outcomes.values()}
    again = send(apns, phones(40))
    assert {outcome.reason for outcome in again.values()} == {"breaker_open"}
    apns.close()


def test_a_service_that_takes_connections_and_says_nothing_is_tried_a_few_times(
    emulators: Emulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handle, "CONNECT_S", 0.2)
    monkeypatch.setattr(breakers, "PATIENCE_S", 0.1)
    with socket.create_server(("127.0.0.1", 0), backlog=200) as silent:
        apns = emulators.apns(url=f"https://127.0.0.1:{silent.getsockname()[1]}")
        assert {type(outcome) for outcome in send(apns, phones(100)).values()} == {Later}
        apns.close()
        silent.setblocking(False)
        connects = 0
        with suppress(BlockingIOError):
            while True:
                silent.accept()[0].close()
                connects += 1
    assert 1 <= connects <= 5


def test_a_service_that_may_be_back_is_tried_with_one_request(emulators: Emulated, apns: Apns) -> None:
    send(apns, phones(50))
    apns.sender.hosts.only.breaker.open(time.monotonic(), 0.0)
    emulators.set_faults("apns", latency_ms=200)
    taken: list[Device] = []
    answers = apns.send(recorded(20, taken))
    next(answers)
    assert len(taken) == 1
    emulators.set_faults("apns")
    assert {type(outcome) for _, outcome in answers} == {Delivered}
    assert len(taken) == 20


def test_what_is_not_set_up_for_broadcasts_stops_no_alert_and_the_other_way_round(
    emulators: Emulated, apns: Apns, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = emulators.channels(apns).create()
    assert isinstance(channel, str)
    [device] = phones(1)

    def outcome_of(address: Device | Channel) -> Outcome:
        state = replace(message(), state={"version": 1, "status": "live"})
        [(_, outcome)] = apns.send([Envelope(address, state)])
        return outcome

    for shut, other in ((Channel(channel), device), (device, Channel(channel))):
        emulators.set_faults("apns", status_every=1, status=403, reason="FeatureNotEnabled")
        assert outcome_of(shut) == ConfigFault("FeatureNotEnabled")
        emulators.set_faults("apns")
        assert isinstance(outcome_of(other), Delivered)
        assert outcome_of(shut) == ConfigFault("FeatureNotEnabled")
        with monkeypatch.context() as later:
            later.setattr(host, "CONFIG_PAUSE_S", 0.0)
            assert isinstance(outcome_of(shut), Delivered)
        assert isinstance(outcome_of(shut), Delivered)


def test_after_a_config_fault_one_request_finds_out_whether_it_is_mended(
    emulators: Emulated, apns: Apns, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulators.set_faults("apns", status_every=1, status=403, reason="InvalidProviderToken")
    judge, requests = apns._judge, 0

    def counting(*args: Any) -> Any:
        nonlocal requests
        requests += 1
        return judge(*args)

    monkeypatch.setattr(apns, "_judge", counting)
    for n in (1, 2):
        assert set(send(apns, phones(50)).values()) == {ConfigFault("InvalidProviderToken")}
        assert requests == n
        fault, tried_at = apns.sender.hosts.only.faults["alerts"]
        apns.sender.hosts.only.faults["alerts"] = (fault, tried_at - host.CONFIG_PAUSE_S)
    emulators.set_faults("apns")
    assert Delivered in set(map(type, send(apns, phones(50)).values()))
    assert set(map(type, send(apns, phones(50)).values())) == {Delivered}


def test_a_certificate_of_somebody_else_is_refused(emulators: Emulated) -> None:
    apns = emulators.apns(ca=None)
    [outcome] = send(apns, phones(1)).values()
    assert outcome == Later("certificate_refused")
    apns.close()


def test_a_token_that_would_change_the_path_is_never_sent(apns: Apns) -> None:
    bad = Device(platform=Platform.IOS, token="../../4/broadcasts/apps/com.example.scores")
    [outcome] = send(apns, [bad]).values()
    assert outcome.reason == "BadDeviceToken"


def test_the_breaker_waits_longer_each_time_and_closes_with_one_success() -> None:
    breaker = Breaker()
    assert not breaker.failed(100.0)
    assert not breaker.failed(102.0)
    assert breaker.failed(103.5)
    assert breaker.is_open(103.5 + PAUSE_S - 0.1)
    assert not breaker.is_open(103.5 + PAUSE_S)
    assert breaker.failed(109.0)
    assert breaker.wait_s(109.0) == 2 * PAUSE_S
    breaker.succeeded(119.1)
    assert breaker.closed
    assert not breaker.failed(200.0)


def test_a_success_that_was_on_its_way_does_not_close_the_breaker() -> None:
    breaker = Breaker()
    breaker.open(100.0, 10.0)
    breaker.succeeded(101.0)
    assert not breaker.closed
    breaker.succeeded(110.0)
    assert breaker.closed


def test_failures_with_successes_between_them_open_no_breaker() -> None:
    breaker = Breaker()
    for second in range(60):
        assert not breaker.failed(float(second))
        breaker.succeeded(float(second))
