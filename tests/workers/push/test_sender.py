"""From a chunk to phones: outcomes, retries, dead addresses, killed workers."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.domain import (
    Kind,
    Platform,
    mask_of,
)
from db.domain.errors import Unavailable
from db.live import keys
from db.live.chunks import CLAIM_MS
from db.sql.models import DeviceRow
from notify.transports.base import Envelope
from notify.transports.outcome import ConfigFault, Delivered, Dropped, Gone, Later, OurFault, Outcome
from tests.support.live import key_of
from tests.support.push import START, Killed, Recorder, World, counters
from workers.push import delivery, lanes, planner
from workers.worker import JobTimedOut


def test_dead_addresses_go_unless_registered_since(world: World) -> None:
    for token in ("dead", "renewed", "untimed", "fine"):
        world.fan(token)
    world.kick_off()
    world.phones.answers = {
        "dead": Gone("Unregistered", START + 1),
        "renewed": Gone("Unregistered", START - 1),
        "untimed": Gone("BadDeviceToken"),
    }
    world.say(60, "goal", score=(1, 0))
    with Session(world.history.engine) as session:
        assert set(session.scalars(select(DeviceRow.token))) == {"renewed", "fine"}
    assert (counters(world)["sent"], counters(world)["gone"], counters(world)["removed"]) == (1, 3, 2)
    assert counters(world)["gone:recorder:Unregistered"] == 2


@pytest.mark.parametrize("chunk", [1, 1_000])
def test_addresses_that_die_all_at_once_are_kept(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, chunk: int
) -> None:
    """A wrong bundle makes Apple call every token one of another app, and a chunk of one proves nothing."""
    monkeypatch.setattr(planner, "CHUNK", chunk)
    for token in world.fans(19):
        world.phones.answers[token] = Gone("DeviceTokenNotForTopic")
    world.fan("timed")
    world.kick_off()
    world.phones.answers["timed"] = Gone("Unregistered", START + 1)
    world.say(60, "goal", score=(1, 0))
    with Session(world.history.engine) as session:
        assert len(session.scalars(select(DeviceRow.id)).all()) >= 18
    assert counters(world)["kept"] >= 18
    assert "addresses_kept" in caplog.text


def test_a_dead_address_in_a_chunk_of_its_own_goes_where_the_service_is_well(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "CHUNK", 1)
    for token in ("dead", "fine-1", "fine-2"):
        world.fan(token)
    world.kick_off()
    world.phones.answers = {"dead": Gone("BadDeviceToken")}
    world.say(60, "goal", score=(1, 0))
    with Session(world.history.engine) as session:
        assert set(session.scalars(select(DeviceRow.token))) == {"fine-1", "fine-2"}


def test_a_bug_in_the_middle_of_a_chunk_sends_nothing_twice(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.fans(3)
    world.kick_off()

    def fail(parcel: Envelope) -> None:
        if len(world.phones.sent) == 1:
            raise ZeroDivisionError

    world.phones.before = fail
    world.say(60, "goal", score=(1, 0))
    world.phones.before = lambda parcel: None
    world.at(60 + 2 * CLAIM_MS / 1000)
    assert len(world.phones.sent) == 1
    assert (counters(world)["sent"], counters(world)["failed"], counters(world)["failed:bug"]) == (1, 2, 2)
    assert "chunk_parked" in caplog.text


def test_an_argument_a_service_refuses_costs_no_address(world: World) -> None:
    for token in world.fans(5):
        world.phones.answers[token] = Dropped("INVALID_ARGUMENT")
    world.kick_off()
    world.say(60, "goal", score=(1, 0))
    with Session(world.history.engine) as session:
        assert len(session.scalars(select(DeviceRow.id)).all()) == 5
    assert counters(world)["failed:recorder:INVALID_ARGUMENT"] == 5


def test_our_own_fault_stops_the_alert(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(planner, "CHUNK", 2)
    world.fans(6)
    world.kick_off()
    for number in range(6):
        world.phones.answers[f"fan-{number}"] = OurFault("PayloadEmpty")
    with caplog.at_level(logging.ERROR):
        world.say(60, "goal", score=(1, 0))
    assert "alert_stopped" in caplog.text
    assert counters(world)["failed"] == 6
    assert counters(world)["failed:recorder:stopped"] == 5
    world.phones.answers = {}
    world.say(200, "goal", score=(2, 0))
    assert len(world.phones.sent) == 6


def test_what_one_service_finds_built_wrong_still_goes_by_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(planner, "CHUNK", 2)
    google = Recorder()
    google.name = "google"
    vars(world.transports)["android"] = google
    for number in range(3):
        world.fan(f"iphone-{number}")
        world.fan(f"pixel-{number}", platform=Platform.ANDROID)
        google.answers[f"pixel-{number}"] = OurFault("INVALID_ARGUMENT")
    world.kick_off()
    world.say(60, "goal", score=(1, 0))
    assert sorted(token for token, _ in world.phones.sent) == [f"iphone-{number}" for number in range(3)]
    assert (counters(world)["sent"], counters(world)["failed:google:stopped"]) == (3, 2)
    assert "alert_stopped" in caplog.text
    assert "transport=google" in caplog.text


@pytest.mark.parametrize("fault", [Later("TooManyRequests", 20.0), ConfigFault("InvalidProviderToken")])
def test_what_is_refused_for_now_is_tried_again_until_it_passes_or_expires(world: World, fault: Outcome) -> None:
    world.fan("fan")
    world.fan("other")
    world.kick_off()
    world.phones.answers = {"fan": fault}
    world.say(60, "goal", score=(1, 0))
    assert [token for token, _ in world.phones.sent] == ["other"]
    world.at(61)
    assert len(world.phones.sent) == 1
    world.phones.answers = {}
    world.at(120)
    assert sorted(token for token, _ in world.phones.sent) == ["fan", "other"]
    assert (counters(world)["later"], "failed" in counters(world)) == (1, False)


def test_a_retry_puts_no_old_score_over_a_newer_one(world: World) -> None:
    world.fan("fan")
    world.fan("goals alone", kinds=mask_of([Kind.GOAL]))
    world.kick_off()
    for token in ("fan", "goals alone"):
        world.phones.answers[token] = Later("TooManyRequests", 60.0)
    world.say(60, "goal", score=(1, 0))
    world.phones.answers = {}
    world.say(90, "half_time", score=(1, 0))
    world.at(160)
    assert world.phones.headlines("goals alone") == ["Goal for Argentina!"]
    assert len(world.phones.headlines("fan")) == 1
    assert "oal" not in world.phones.headlines("fan")[0]
    assert any(fields.get("overtaken") == "1" for _, fields in world.alerts.recent(9))


def test_late_is_worse_than_never(world: World) -> None:
    world.fan("fan")
    world.kick_off()
    world.phones.answers = {"fan": Later("Unavailable")}
    world.say(60, "goal", score=(1, 0))
    world.phones.answers = {}
    world.at(60 + 601)
    world.at(60 + 602)
    assert world.phones.sent == []
    assert counters(world)["expired"] == 1
    assert world.alerts.work_at() is None


@pytest.mark.faults
def test_what_a_killed_worker_held_is_sent_by_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "CHUNK", 3)
    world.fans(9)
    world.kick_off()
    taken = 0

    def die(parcel: Envelope) -> None:
        nonlocal taken
        taken += 1
        if taken == 5:
            raise Killed

    world.phones.before = die
    with pytest.raises(Killed):
        world.say(60, "goal", score=(1, 0))
    world.push = world.worker()
    world.at(61)
    before = {token for token, _ in world.phones.sent}
    assert len(before) == 7
    world.at(61 + CLAIM_MS / 1000)
    tokens = [token for token, _ in world.phones.sent]
    assert set(tokens) == {f"fan-{number}" for number in range(9)}
    assert len(tokens) - 9 <= 3


def test_what_was_sent_is_not_sent_again_because_sql_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.fan("dead")
    world.fan("fan")
    world.kick_off()
    world.phones.answers = {"dead": Gone("Unregistered")}

    def away(dead: object) -> int:
        raise Unavailable("SQL is away")

    monkeypatch.setattr(world.audience, "forget", away)
    world.say(60, "goal", score=(1, 0))
    world.at(60 + 2 * CLAIM_MS / 1000)
    assert [token for token, _ in world.phones.sent] == ["fan"]


def test_no_address_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.fan("secret-token-1")
    world.fan("secret-token-2")
    world.kick_off()
    world.phones.answers = {"secret-token-1": Gone("Unregistered"), "secret-token-2": OurFault("BadTopic")}
    with caplog.at_level(logging.DEBUG):
        world.say(60, "goal", score=(1, 0))
    assert "chunk_sent" in caplog.text
    assert "secret-token" not in caplog.text


def test_latency_is_counted_in_bounds() -> None:
    assert [delivery._latency(ms) for ms in (0, 250, 251, 10**9)] == [
        "within_ms:250",
        "within_ms:250",
        "within_ms:500",
        "within_ms:more",
    ]


def test_a_long_wait_of_one_device_delays_no_other(world: World) -> None:
    for token in ("long", "short"):
        world.fan(token)
    world.kick_off()
    world.phones.answers = {"long": Later("TooManyRequests", 300.0), "short": Later("ServiceUnavailable")}
    world.say(60, "goal", score=(1, 0))
    world.phones.answers = {}
    world.at(70)
    assert [token for token, _ in world.phones.sent] == ["short"]
    world.at(60 + 300 * 1.5)
    assert [token for token, _ in world.phones.sent] == ["short", "long"]


def test_a_wait_longer_than_the_alert_is_good_for_is_a_failure_at_once(world: World) -> None:
    """Later the alert itself would be gone, and nothing would tell what became of the device."""
    world.fans(2)
    world.kick_off()
    world.phones.answers["fan-0"] = Later("QUOTA_EXCEEDED", 3600.0)
    world.say(60, "goal", score=(1, 0))
    assert (counters(world)["sent"], counters(world)["failed"], counters(world)["expired"]) == (1, 1, 1)
    assert not world.redis.exists(key_of(world.live, "final", keys.PUSH_LATER))


def test_who_waits_in_different_groups_hears_of_a_cancelled_goal_if_it_was_reached(world: World) -> None:
    for token in ("long", "short"):
        world.fan(token)
    world.kick_off()
    world.phones.answers = {"long": Later("TooManyRequests", 300.0), "short": Later("ServiceUnavailable")}
    world.say(60, "goal", score=(1, 0), id="g1")
    world.phones.answers = {}
    world.at(70)
    world.say(80, "goal_cancelled", score=(0, 0), voids="g1")
    world.at(60 + 300 * 1.5)
    assert [(token, message.kind) for token, message in world.phones.sent] == [
        ("short", Kind.GOAL),
        ("short", Kind.GOAL_CANCELLED),
    ]


def test_another_try_where_the_first_may_have_arrived_makes_no_sound(world: World) -> None:
    for token in ("doubtful", "refused", "fine", "repeated"):
        world.fan(token)
    world.kick_off()
    world.phones.answers = {
        "doubtful": Later("no_answer", possibly_sent=True),
        "refused": Later("TooManyRequests"),
        "repeated": Delivered("repeated"),
    }
    world.say(60, "goal", score=(1, 0))
    world.phones.answers = {}
    world.at(70)
    silent = {token: message.silent for token, message in world.phones.sent}
    assert (silent["doubtful"], silent["refused"], silent["fine"]) == (True, False, False)
    assert (counters(world)["rings"], counters(world)["updates"]) == (2, 2)


@pytest.mark.faults
def test_what_a_killed_worker_had_handed_over_comes_again_without_a_sound(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "BLOCK", 3)
    world.fans(9)
    world.kick_off()

    def die(envelope: Envelope) -> None:
        if len(world.phones.sent) == 5:
            raise Killed

    world.phones.before = die
    with pytest.raises(Killed):
        world.say(60, "goal", score=(1, 0))
    world.phones.before = lambda envelope: None
    first = [token for token, _ in world.phones.sent]
    world.push = world.worker()
    world.at(61 + CLAIM_MS / 1000)
    again = {token: message.silent for token, message in world.phones.sent[5:]}
    assert set(first) | again.keys() == {f"fan-{number}" for number in range(9)}
    # The first block was settled, of the second one was under way, the third was untouched.
    assert [first.index(token) for token in again if token in first] == [3, 4]
    assert [token for token, silent in again.items() if not silent] == [t for t in again if t not in first][1:]


def test_a_worker_that_stood_still_hands_over_nobody_once_another_has_its_chunk(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lanes, "BLOCK", 3)
    tokens = world.fans(9)
    world.kick_off()
    other = world.worker()

    def stand_still(envelope: Envelope) -> None:
        if len(world.phones.sent) == 1:
            world.phones.before = lambda envelope: None
            while other.turn(now_ms=world.now_ms + CLAIM_MS + 1_000):
                pass

    world.phones.before = stand_still
    world.say(60, "goal", score=(1, 0))
    rings = [token for token, message in world.phones.sent if not message.silent]
    assert sorted(rings) == tokens
    assert counters(world)["sent"] == 9
    assert "chunk_lost" in caplog.text


def test_a_time_out_of_the_job_is_no_failure_of_its_chunk(world: World) -> None:
    world.fans(4)
    world.kick_off()

    def expire(envelope: Envelope) -> None:
        if len(world.phones.sent) == 2:
            world.phones.before = lambda envelope: None
            raise JobTimedOut

    world.phones.before = expire
    with pytest.raises(JobTimedOut):
        world.say(60, "goal", score=(1, 0))
    world.at(61 + CLAIM_MS / 1000)
    assert {token for token, _ in world.phones.sent} == {f"fan-{number}" for number in range(4)}
    assert "failed" not in counters(world)
