"""Real Redis and SQL: what becomes of alerts on their way while a cancellation that nobody named waits."""

from __future__ import annotations

import pytest

from db.domain import Kind
from notify.content.window import UNNAMED_HOLD_MS
from notify.transports.outcome import Later
from tests.support.push import START, World
from workers.push import planner

HOLD_S = UNNAMED_HOLD_MS / 1000


def kinds(world: World, token: str) -> list[Kind]:
    return [message.kind for to, message in world.phones.sent if to == token]


def test_an_alert_on_its_way_goes_on_while_the_score_may_be_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "CHUNK", 1)
    for name in ("first", "second", "third"):
        world.fan(name)
    world.kick_off()
    world.meanwhile(after=1, seconds=60, score=(0, 0))
    world.say(60, score=(1, 0))
    assert [kinds(world, name) for name in ("first", "second", "third")] == [[Kind.GOAL]] * 3
    assert all("1–0" in world.phones.scores(name)[0] for name in ("first", "second", "third"))
    world.say(64, score=(1, 0))
    world.at(60 + HOLD_S)
    assert len(world.phones.sent) == 3


def test_the_end_is_told_to_exactly_those_who_were_told_the_goal_by_then(world: World) -> None:
    """Who is to be tried again hears neither of the goal nor of its end."""
    world.fan("reached")
    world.fan("busy")
    world.kick_off()
    world.phones.answers = {"busy": Later("TooManyRequests", 60.0)}
    world.say(60, score=(1, 0))
    world.phones.answers = {}
    world.say(90, score=(0, 0))
    assert kinds(world, "reached") == [Kind.GOAL]
    world.at(90 + HOLD_S)
    world.at(200)
    assert kinds(world, "reached") == [Kind.GOAL, Kind.GOAL_CANCELLED]
    assert kinds(world, "busy") == []
    assert "0–0" in world.phones.scores("reached")[1]


def test_another_try_that_comes_while_it_waits_brings_the_goal_and_then_its_end(world: World) -> None:
    world.fan("busy")
    world.kick_off()
    world.phones.answers = {"busy": Later("TooManyRequests", 5.0)}
    world.say(60, score=(1, 0))
    world.phones.answers = {}
    world.say(62, score=(0, 0))
    world.at(62 + HOLD_S - 1)
    assert kinds(world, "busy") == [Kind.GOAL]
    world.at(62 + HOLD_S)
    assert kinds(world, "busy") == [Kind.GOAL, Kind.GOAL_CANCELLED]


def test_a_worker_is_woken_when_a_cancellation_has_stood(world: World) -> None:
    world.fan("fan")
    world.kick_off()
    world.say(60, score=(1, 0))
    world.say(90, score=(0, 0))
    assert world.alerts.work_at() == START + 90_000 + UNNAMED_HOLD_MS
    world.say(94, "goal_cancelled", score=(0, 0))
    assert world.alerts.work_at() is None
    assert kinds(world, "fan") == [Kind.GOAL, Kind.GOAL_CANCELLED]
    world.at(200)
    assert len(world.phones.sent) == 2
