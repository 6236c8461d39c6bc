"""From a provider's message to what a device is sent: real Redis and SQL, a transport that remembers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.domain import (
    DEFAULT_KINDS,
    Device,
    Event,
    Follow,
    Kind,
    Match,
    Platform,
    Quiet,
    Score,
    Side,
    Stamp,
    Subject,
    Update,
    mask_of,
)
from db.domain.errors import Unavailable
from db.live.chunks import CLAIM_MS
from db.sql.models import DeviceRow
from notify.content import window
from notify.content.alert import decode_alert
from notify.transports.base import Envelope
from notify.transports.outcome import ConfigFault, Dropped, Gone, Later, OurFault, Outcome
from tests.conftest import wait_until
from tests.support.push import ALL, FINAL, START, Recorder, World
from workers.ingest import Drain
from workers.push import planner, sender


@pytest.fixture
def world(redis_url: str, sqlite_url: str) -> Iterator[World]:
    made = World(redis_url, sqlite_url)
    yield made
    made.history.engine.dispose()


def test_a_goal_reaches_the_followers_of_match_and_team_once_each(world: World) -> None:
    world.fan("match")
    world.fan("team", subject=Subject.TEAM, to="arg")
    both = world.fan("both", subject=Subject.TEAM, to="fra")
    world.accounts.follow(both, Follow(Subject.TEAM, "arg", ALL), now_ms=START)
    world.fan("elsewhere", subject=Subject.TEAM, to="bra")
    world.kick_off()
    world.say(60, "goal", score=(1, 0))
    assert sorted(token for token, _ in world.phones.sent) == ["both", "match", "team"]
    assert world.phones.titles("match") == ["Goal! Argentina"]
    assert "Argentina 1–0 France" in world.phones.bodies("match")[0]


def test_preferences_decide_and_those_of_a_match_outweigh_its_teams(world: World) -> None:
    world.fan("ends", kinds=mask_of([Kind.FULL_TIME]))
    muted = world.fan("muted", subject=Subject.TEAM, to="arg")
    world.accounts.follow(muted, Follow(Subject.MATCH, FINAL, 0), now_ms=START)
    world.kick_off()
    world.say(60, "goal", score=(1, 0))
    assert world.phones.sent == []
    world.say(90, "full_time", score=(1, 0))
    assert [token for token, _ in world.phones.sent] == ["ends"]


def test_goals_of_half_a_minute_are_merged_and_97_seconds_apart_are_two(world: World) -> None:
    world.fan("fan")
    world.kick_off()
    world.say(100, "goal", score=(1, 0))
    world.say(197, "goal", score=(2, 0))
    world.say(207, "goal", score=(3, 0))
    world.say(217, "goal", score=(3, 1), team=Side.AWAY)
    world.at(226)
    assert len(world.phones.sent) == 2
    world.at(227)
    assert len(world.phones.sent) == 3
    assert "3–1" in world.phones.bodies("fan")[-1]


def test_a_cancelled_goal_is_told_to_exactly_those_who_heard_of_it(world: World) -> None:
    world.fan("told")
    world.fan("never", kinds=ALL & ~mask_of([Kind.GOAL]))
    world.fan("incurious", kinds=ALL & ~mask_of([Kind.GOAL_CANCELLED]))
    world.kick_off()
    world.say(60, "goal", score=(1, 0), id="g1")
    world.fan("late")
    world.say(120, "goal_cancelled", score=(0, 0), voids="g1")
    assert [token for token, _ in world.phones.sent if "cancelled" in _.title.lower()] == ["told"]
    assert "0–0" in world.phones.bodies("told")[-1]
    world.say(150, "goal_cancelled", score=(0, 0), voids="g1", id="e-again")
    assert len(world.phones.titles("told")) == 2


def test_the_first_of_two_goals_is_taken_back_from_those_who_were_told_of_that_one(world: World) -> None:
    world.fan("first")
    world.kick_off()
    world.say(60, "goal", score=(1, 0), id="g1")
    world.fan("late")
    world.say(120, "goal", score=(2, 0), id="g2")
    world.say(180, "goal_cancelled", score=(1, 0), voids="g1")
    assert [token for token, message in world.phones.sent if message.kind is Kind.GOAL_CANCELLED] == ["first"]
    world.say(240, "goal_cancelled", score=(0, 0), voids="g2")
    assert [message.kind for token, message in world.phones.sent if token == "late"] == [Kind.GOAL, Kind.GOAL_CANCELLED]


def test_those_not_yet_told_of_a_cancelled_goal_hear_of_neither(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "CHUNK", 1)
    for name in ("first", "second", "third"):
        world.fan(name)
    world.kick_off()

    def cancel(parcel: Envelope) -> None:
        world.phones.before = lambda parcel: None
        stamp = Stamp(START + 61_000, source="test")
        update = Update(FINAL, stamp, START + 61_000, score=Score(0, 0), voids="g1")
        world.live.accept([update], now_ms=START + 61_000)
        Drain(world.live, world.bells).match(FINAL)

    world.phones.before = cancel
    world.say(60, "goal", score=(1, 0), id="g1")
    told = {token for token, _ in world.phones.sent}
    assert len(told) == 1
    assert [message.kind for _, message in world.phones.sent] == [Kind.GOAL, Kind.GOAL_CANCELLED]


def cancelling(world: World, after: int, seconds: float, score: tuple[int, int], voids: str) -> None:
    """A goal is cancelled while an alert goes out: once that many have been handed over."""

    def cancel(parcel: Envelope) -> None:
        nonlocal after
        after -= 1
        if after:
            return
        at_ms = START + round(seconds * 1000)
        update = Update(FINAL, Stamp(at_ms, source="test"), at_ms, score=Score(*score), voids=voids)
        world.live.accept([update], now_ms=at_ms)
        Drain(world.live, world.bells).match(FINAL)

    world.phones.before = cancel


def test_a_goal_cancelled_while_its_merged_alert_goes_out_is_taken_back_from_those_it_had_reached(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "CHUNK", 2)
    for number in range(6):
        world.fan(f"fan-{number}")
    world.kick_off()
    world.say(60, "goal", score=(1, 0), id="g1")
    world.say(70, "goal", score=(2, 0), id="g2")
    world.say(75, "goal", score=(2, 1), id="g3", team=Side.AWAY)
    world.phones.sent.clear()
    cancelling(world, after=3, seconds=91, score=(1, 1), voids="g2")
    world.at(90)
    heard = {token: world.phones.bodies(token) for token in (f"fan-{number}" for number in range(6))}
    before, after = [f"fan-{n}" for n in (5, 4, 3, 2)], [f"fan-{n}" for n in (1, 0)]
    assert [len(heard[token]) for token in before] == [2, 2, 2, 2]
    for token in before:
        assert "2–1" in heard[token][0]
        assert "1–1" in heard[token][1]
    assert [world.phones.titles(token)[1] for token in before] == [world.phones.titles("fan-5")[1]] * 4
    for token in after:
        (body,) = heard[token]
        assert "1–1" in body
        assert "2–1" not in body
    assert [message.kind for token, message in world.phones.sent if token in after] == [Kind.GOAL, Kind.GOAL]
    world.say(120, "goal_cancelled", score=(1, 0), voids="g3", id="back")
    assert sum(world.phones.titles(token)[-1].startswith("Goal cancelled") for token in heard) == 6


def test_no_alert_of_a_match_shows_a_void_score_once_its_goal_is_cancelled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "CHUNK", 1)
    for name in ("b", "a"):
        world.fan(name, kinds=ALL & ~mask_of([Kind.GOAL]))
    world.kick_off()
    world.say(60, "goal", score=(1, 0), id="g1")
    cancelling(world, after=1, seconds=66, score=(0, 0), voids="g1")
    world.say(65, "red_card", score=(1, 0))
    assert "1–0" in world.phones.bodies("a")[0]
    assert "0–0" in world.phones.bodies("b")[0]
    assert len(world.phones.sent) == 2


def test_who_was_not_reached_hears_nothing_of_the_goals_end(world: World) -> None:
    for token in ("dropped", "dead", "fine"):
        world.fan(token)
    world.kick_off()
    world.phones.answers = {"dropped": Dropped("expired"), "dead": Gone("Unregistered", START - 1)}
    world.say(60, "goal", score=(1, 0), id="g1")
    world.phones.answers = {}
    world.say(90, "goal_cancelled", score=(0, 0), voids="g1")
    assert [token for token, _ in world.phones.sent] == ["fine", "fine"]


def test_what_came_too_late_to_be_told_is_not_taken_back(world: World) -> None:
    world.fan("fan")
    world.kick_off()
    world.phones.answers = {"fan": Later("Unavailable")}
    world.say(60, "goal", score=(1, 0), id="g1")
    world.phones.answers = {}
    world.at(60 + 601)
    world.say(60 + 602, "goal_cancelled", score=(0, 0), voids="g1")
    assert world.phones.sent == []


@pytest.mark.parametrize("last", [Kind.GOAL, Kind.RED_CARD])
def test_the_end_of_a_goal_waits_for_what_is_just_being_sent_of_its_match(world: World, last: Kind) -> None:
    """Otherwise the score with the goal could come after that without it, and stay on the lock screen."""
    world.fan("fan")
    world.kick_off()
    other = world.worker()
    before: list[Kind] = []

    def cancel(parcel: Envelope) -> None:
        if parcel.message.kind is not last:
            return
        world.phones.before = lambda parcel: None
        at_ms = world.now_ms + 1_000
        update = Update(FINAL, Stamp(at_ms, source="test"), at_ms, score=Score(0, 0), voids="g1")
        world.live.accept([update], now_ms=at_ms)
        Drain(world.live, world.bells).match(FINAL)
        while other.turn(now_ms=at_ms):
            pass
        before.extend(message.kind for _, message in world.phones.sent)

    world.phones.before = cancel
    world.say(60, "goal", score=(1, 0), id="g1")
    world.say(65, "red_card" if last is Kind.RED_CARD else None, score=(1, 0) if last is Kind.RED_CARD else None)
    for key in world.redis.keys("push:lease:*"):
        world.redis.delete(key)
    world.at(70)
    assert Kind.GOAL_CANCELLED not in before
    told = [message.kind for _, message in world.phones.sent]
    assert told == list(dict.fromkeys([Kind.GOAL, last, Kind.GOAL_CANCELLED]))
    assert "0–0" in world.phones.bodies("fan")[-1]


def test_quiet_hours_are_those_of_the_fans_own_zone(world: World) -> None:
    here = datetime.fromtimestamp(START / 1000, UTC)
    minute = here.hour * 60 + here.minute
    now_quiet = Quiet((minute - 60) % 1440, (minute + 120) % 1440)
    world.fan("utc", quiet=now_quiet)
    # Tokyo has no summer time and is nine hours on.
    world.fan("tokyo asleep", quiet=Quiet((minute + 480) % 1440, (minute + 660) % 1440), time_zone="Asia/Tokyo")
    world.fan("tokyo awake", quiet=now_quiet, time_zone="Asia/Tokyo")
    world.kick_off()
    world.say(60, "goal", score=(1, 0))
    assert [token for token, _ in world.phones.sent] == ["tokyo awake"]


def test_a_goal_told_before_quiet_hours_is_taken_back_in_them_without_a_sound(world: World) -> None:
    here = datetime.fromtimestamp(START / 1000 + 120, UTC)
    minute = here.hour * 60 + here.minute
    world.fan("sleeper", quiet=Quiet(minute, (minute + 60) % 1440))
    world.fan("awake")
    world.kick_off()
    world.say(50, "goal", score=(1, 0), id="g1")
    world.say(125, "goal_cancelled", score=(0, 0), voids="g1")
    world.say(300, "goal", score=(1, 0), id="g2")
    world.say(400, "goal_cancelled", score=(0, 0), voids="g2")
    told = [(message.kind, message.silent) for token, message in world.phones.sent if token == "sleeper"]
    assert told == [(Kind.GOAL, False), (Kind.GOAL_CANCELLED, True)]
    assert not any(message.silent for token, message in world.phones.sent if token == "awake")
    assert len(world.phones.titles("awake")) == 4


def test_another_try_that_comes_in_quiet_hours_makes_no_sound(world: World) -> None:
    here = datetime.fromtimestamp(START / 1000 + 120, UTC)
    minute = here.hour * 60 + here.minute
    world.fan("sleeper", quiet=Quiet(minute, (minute + 60) % 1440))
    world.kick_off()
    world.phones.answers = {"sleeper": Later("TooManyRequests", 75.0)}
    world.say(50, "goal", score=(1, 0))
    world.phones.answers = {}
    world.at(180)
    assert [message.silent for _, message in world.phones.sent] == [True]


def test_without_spoilers_neither_score_nor_goal_is_told(world: World) -> None:
    world.fan("calm", spoiler_free=True)
    world.kick_off()
    world.say(60, "goal", score=(1, 0))
    ((_, message),) = world.phones.sent
    assert "1" not in message.title + message.body
    assert "goal" not in (message.title + message.body).lower()


def test_words_are_in_the_devices_language(world: World) -> None:
    for locale in ("de-AT", "pt-BR", "zh"):
        world.fan(locale, locale=locale)
    world.kick_off()
    world.say(60, "goal", score=(1, 0))
    languages = {token: message.language for token, message in world.phones.sent}
    assert languages == {"de-AT": "de", "pt-BR": "pt_BR", "zh": "en"}


def test_history_late_edits_and_a_second_worker_tell_nothing(world: World) -> None:
    world.fan("fan")
    world.kick_off()
    world.say(400, "goal", score=(1, 0), id="old", at=START + 60_000)
    assert world.phones.sent == []
    world.say(500, "goal", score=(2, 0), id="new")
    assert len(world.phones.sent) == 1
    world.say(560, "goal", id="new", minute=9)
    world.say(600, "goal", score=(2, 0), id="new")
    world.push = world.worker()
    world.at(700)
    assert len(world.phones.sent) == 1


def test_devices_that_listen_to_topics_are_reached_by_one_condition_per_variant(world: World) -> None:
    world.fan("a", platform=Platform.ANDROID, topics="en")
    world.fan("b", platform=Platform.ANDROID, topics="en")
    world.fan("c", platform=Platform.ANDROID, topics="de-calm", spoiler_free=True)
    world.kick_off()
    world.say(60, "goal", score=(1, 0), id="g1")
    conditions = [token for token, _ in world.phones.sent]
    assert len(conditions) == 2
    assert any("'m.final.goal.en' in topics" in said and "'t.arg.goal.en' in topics" in said for said in conditions)
    assert [message.language for _, message in world.phones.sent] == ["en", "de"]
    world.say(120, "goal_cancelled", score=(0, 0), voids="g1")
    assert len([token for token, _ in world.phones.sent if "goal_cancelled" in token]) == 2


def test_topics_that_were_not_told_of_a_goal_hear_nothing_of_its_end(world: World) -> None:
    world.fan("a", platform=Platform.ANDROID, topics="en")
    world.fan("b", platform=Platform.ANDROID, topics="de")
    world.kick_off()

    def refuse(parcel: Envelope) -> None:
        if parcel.tag == "goal de":
            world.phones.answers[str(parcel.address)] = Later("UNAVAILABLE")

    world.phones.before = refuse
    world.say(60, "goal", score=(1, 0), id="g1")
    world.phones.answers.clear()
    world.say(62, "goal_cancelled", score=(0, 0), voids="g1")
    for key in world.redis.keys("push:lease:*"):
        world.redis.delete(key)
    world.at(75)
    assert [(message.language, message.kind) for _, message in world.phones.sent] == [
        ("en", Kind.GOAL),
        ("en", Kind.GOAL_CANCELLED),
    ]


def test_what_is_published_is_what_was_planned_unless_it_was_mended_since(world: World) -> None:
    world.fan("a", platform=Platform.ANDROID, topics="en")
    world.kick_off()
    cancelled: list[str] = []
    plan = world.alerts.plan

    def late(alert_id: str) -> Any:
        found = plan(alert_id)
        if not cancelled:
            cancelled.append(alert_id)
            stamp = Stamp(START + 61_000, source="test")
            update = Update(FINAL, stamp, START + 61_000, score=Score(0, 0), voids="g1")
            world.live.accept([update], now_ms=START + 61_000)
            Drain(world.live, world.bells).match(FINAL)
            world.push.hear(now_ms=START + 61_000)
        return found

    world.alerts.plan = late  # type: ignore[method-assign]
    world.say(60, "goal", score=(1, 0), id="g1")
    assert world.phones.sent == []


def test_a_topic_that_could_not_be_published_to_is_published_to_later_and_the_others_once(world: World) -> None:
    world.fan("a", platform=Platform.ANDROID, topics="en")
    world.fan("b", platform=Platform.ANDROID, topics="de")
    world.fan("c")
    world.kick_off()
    refused: list[str] = []

    def refuse(parcel: Envelope) -> None:
        if parcel.tag == "goal de" and not refused:
            refused.append(str(parcel.address))
            world.phones.answers[refused[0]] = Later("UNAVAILABLE")

    world.phones.before = refuse
    world.say(60, "goal", score=(1, 0))
    world.phones.answers.clear()
    for key in world.redis.keys("push:lease:*"):
        world.redis.delete(key)
    world.at(75)
    world.at(76)
    assert sorted(message.language for _, message in world.phones.sent) == ["de", "en", "en"]
    assert len(world.phones.titles("c")) == 1


def test_who_still_waits_for_another_try_hears_neither_of_a_goal_nor_of_its_end(world: World) -> None:
    world.fan("reached")
    world.fan("busy")
    world.kick_off()
    world.phones.answers = {"busy": Later("TooManyRequests", 60.0)}
    world.say(60, "goal", score=(1, 0), id="g1")
    world.phones.answers = {}
    world.say(90, "goal_cancelled", score=(0, 0), voids="g1")
    world.at(200)
    assert [token for token, _ in world.phones.sent] == ["reached", "reached"]


def test_news_that_meets_a_bug_is_set_aside_and_the_rest_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world.fan("fan", to="healthy")
    world.kick_off()
    hear = window.hear

    def fail(kept: window.Window, match: Match, *args: Any, **more: Any) -> window.WindowResult:
        if match.id == FINAL:
            raise ZeroDivisionError
        return hear(kept, match, *args, **more)

    monkeypatch.setattr(window, "hear", fail)
    world.say(60, "goal", score=(1, 0))
    world.say(61, "kickoff", score=(0, 0), match_id="healthy")
    assert world.phones.titles("fan") == ["Kick-off"]
    assert "push_parked match=final" in caplog.text
    monkeypatch.setattr(window, "hear", hear)
    world.fan("patient")
    world.alerts.unpark(before_ms=world.now_ms)
    world.at(62)
    assert world.phones.titles("patient") == ["Goal! Argentina"]


def counters(world: World) -> dict[str, int]:
    ((_, fields),) = world.alerts.recent(1)
    return {name: int(value) for name, value in fields.items() if value.isdecimal()}


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


def test_addresses_that_die_all_at_once_are_kept(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A wrong bundle makes Apple call every token one of another app."""
    for number in range(sender.DOUBTFUL):
        world.fan(f"fan-{number}")
        world.phones.answers[f"fan-{number}"] = Gone("DeviceTokenNotForTopic")
    world.fan("timed")
    world.kick_off()
    world.phones.answers["timed"] = Gone("Unregistered", START + 1)
    world.say(60, "goal", score=(1, 0))
    with Session(world.history.engine) as session:
        assert len(session.scalars(select(DeviceRow.id)).all()) == sender.DOUBTFUL
    assert (counters(world)["kept"], counters(world)["removed"]) == (sender.DOUBTFUL, 1)
    assert "addresses_kept" in caplog.text


def test_a_bug_in_the_middle_of_a_chunk_sends_nothing_twice(world: World, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(3):
        world.fan(f"fan-{number}")
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


def test_a_bug_in_planning_holds_up_no_other_alert(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world.fan("fan")
    world.kick_off()

    def fail(*args: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(world.push.planner, "_chunks", fail)
        world.say(60, "goal", score=(1, 0))
    assert "alert_parked" in caplog.text
    assert world.alerts.unplanned() == []
    world.say(160, "goal", score=(2, 0))
    assert len(world.phones.sent) == 1


def test_an_argument_a_service_refuses_costs_no_address(world: World) -> None:
    for number in range(5):
        world.fan(f"fan-{number}")
        world.phones.answers[f"fan-{number}"] = Dropped("INVALID_ARGUMENT")
    world.kick_off()
    world.say(60, "goal", score=(1, 0))
    with Session(world.history.engine) as session:
        assert len(session.scalars(select(DeviceRow.id)).all()) == 5
    assert counters(world)["failed:recorder:INVALID_ARGUMENT"] == 5


def test_our_own_fault_stops_the_alert(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(planner, "CHUNK", 2)
    for number in range(6):
        world.fan(f"fan-{number}")
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
    assert world.phones.titles("goals alone") == ["Goal! Argentina"]
    assert len(world.phones.titles("fan")) == 1
    assert "oal" not in world.phones.titles("fan")[0]
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


class Killed(BaseException):
    """kill -9, as seen from inside."""


@pytest.mark.faults
def test_what_a_killed_worker_held_is_sent_by_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "CHUNK", 3)
    for number in range(9):
        world.fan(f"fan-{number}")
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


def test_a_claim_holds_as_long_as_its_worker_lives(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "HOLD_S", 0.01)
    world.fan("fan")
    world.kick_off()
    until: list[float] = []

    def claimed_until() -> float:
        return float(world.redis.zrange("push:claimed", 0, 0, withscores=True)[0][1])

    def wait(parcel: Envelope) -> None:
        for _ in range(2):
            until.append(claimed_until())
            wait_until(lambda: claimed_until() > until[-1], "a renewal")

    world.phones.before = wait
    world.say(60, "goal", score=(1, 0))
    assert until == sorted(set(until))
    assert world.chunks.sending() == (0, 0)


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


@pytest.mark.faults
def test_a_killed_planner_goes_on_where_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "CHUNK", 2)
    for number in range(9):
        world.fan(f"fan-{number}")
    world.kick_off()
    put, puts = world.chunks.put, 0

    def die(*args: Any) -> bool:
        nonlocal puts
        puts += 1
        if puts == 3:
            raise Killed
        return put(*args)

    monkeypatch.setattr(world.chunks, "put", die)
    with pytest.raises(Killed):
        world.say(60, "goal", score=(1, 0))
    for key in world.redis.keys("push:lease:*"):
        world.redis.delete(key)
    world.at(61)
    assert sorted(token for token, _ in world.phones.sent) == [f"fan-{number}" for number in range(9)]


def test_two_planners_of_one_alert_make_one_plan(world: World) -> None:
    world.fan("fan")
    world.kick_off()
    stamp = Stamp(START + 60_000, source="test")
    goal = Event("g", "goal", stamp, stamp, team=Side.HOME)
    world.live.accept([Update(FINAL, stamp, START + 60_000, event=goal, score=Score(1, 0))], now_ms=START + 60_000)
    Drain(world.live, world.bells).match(FINAL)
    world.push.hear(now_ms=START + 60_000)
    (alert_id,) = world.alerts.unplanned()
    plan = world.alerts.plan(alert_id)
    assert plan
    assert world.chunks.put(plan, 0, [(1, ALL)], "0 1")
    assert not world.chunks.put(plan, 0, [(1, ALL)], "0 1")
    assert world.push.planner._chunks(plan, decode_alert(plan.alert)) > 0
    assert world.alerts.unplanned() == [alert_id]
    assert world.chunks.sending() == (1, 0)


def test_recently_active_devices_are_told_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, token in enumerate(("old", "older", "newest")):
        user_id = world.fan(token)
        active = START + [2, 1, 3][number] * 86_400_000
        world.accounts.add_device(user_id, Device(Platform.IOS, token), now_ms=active)
    monkeypatch.setattr(planner, "CHUNK", 1)
    world.kick_off()
    world.say(60, "goal", score=(1, 0))
    assert [token for token, _ in world.phones.sent] == ["newest", "old", "older"]


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
    assert [sender._latency(ms) for ms in (0, 250, 251, 10**9)] == [
        "within_ms:250",
        "within_ms:250",
        "within_ms:500",
        "within_ms:more",
    ]


def test_defaults_leave_out_what_few_want() -> None:
    assert Kind.LINEUPS not in DEFAULT_KINDS
