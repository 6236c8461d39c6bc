"""A cancelled goal is corrected for exactly those who got it, whatever is being sent at that moment."""

from __future__ import annotations

import pytest

from db.domain import (
    Kind,
    Score,
    Side,
    Stamp,
    Update,
    mask_of,
)
from notify.transports.base import Envelope
from notify.transports.outcome import Dropped, Gone, Later
from tests.support.push import ALL, FINAL, START, World
from workers.ingest import Drain
from workers.push import planner


def test_a_cancelled_goal_is_told_to_exactly_those_who_heard_of_it(world: World) -> None:
    world.fan("told")
    world.fan("never", kinds=ALL & ~mask_of([Kind.GOAL]))
    world.fan("incurious", kinds=ALL & ~mask_of([Kind.GOAL_CANCELLED]))
    world.kick_off()
    world.say(60, "goal", score=(1, 0), id="g1")
    world.fan("late")
    world.say(120, "goal_cancelled", score=(0, 0), voids="g1")
    assert [token for token, _ in world.phones.sent if "cancelled" in _.body.lower()] == ["told"]
    assert "0–0" in world.phones.scores("told")[-1]
    world.say(150, "goal_cancelled", score=(0, 0), voids="g1", id="e-again")
    assert len(world.phones.headlines("told")) == 2


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
        world.live.inbox.accept([update], now_ms=START + 61_000)
        Drain(world.live, world.bells).match(FINAL)

    world.phones.before = cancel
    world.say(60, "goal", score=(1, 0), id="g1")
    tokens = {token for token, _ in world.phones.sent}
    assert len(tokens) == 1
    assert [message.kind for _, message in world.phones.sent] == [Kind.GOAL, Kind.GOAL_CANCELLED]


def test_a_goal_cancelled_while_its_merged_alert_goes_out_is_taken_back_from_those_it_had_reached(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "CHUNK", 2)
    world.fans(6)
    world.kick_off()
    world.say(60, "goal", score=(1, 0), id="g1")
    world.say(70, "goal", score=(2, 0), id="g2")
    world.say(75, "goal", score=(2, 1), id="g3", team=Side.AWAY)
    world.phones.sent.clear()
    world.meanwhile(after=3, seconds=91, score=(1, 1), voids="g2")
    world.at(90)
    heard = {token: world.phones.scores(token) for token in (f"fan-{number}" for number in range(6))}
    before, after = [f"fan-{n}" for n in (5, 4, 3, 2)], [f"fan-{n}" for n in (1, 0)]
    assert [len(heard[token]) for token in before] == [2, 2, 2, 2]
    for token in before:
        assert "2–1" in heard[token][0]
        assert "1–1" in heard[token][1]
    assert [world.phones.headlines(token)[1] for token in before] == [world.phones.headlines("fan-5")[1]] * 4
    for token in after:
        (body,) = heard[token]
        assert "1–1" in body
        assert "2–1" not in body
    assert [message.kind for token, message in world.phones.sent if token in after] == [Kind.GOAL, Kind.GOAL]
    world.say(120, "goal_cancelled", score=(1, 0), voids="g3", id="back")
    assert sum(world.phones.headlines(token)[-1].startswith("Goal cancelled") for token in heard) == 6


def test_no_alert_of_a_match_shows_a_void_score_once_its_goal_is_cancelled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "CHUNK", 1)
    for name in ("b", "a"):
        world.fan(name, kinds=ALL & ~mask_of([Kind.GOAL]))
    world.kick_off()
    world.say(60, "goal", score=(1, 0), id="g1")
    world.meanwhile(after=1, seconds=66, score=(0, 0), voids="g1")
    world.say(65, "red_card", score=(1, 0))
    assert "1–0" in world.phones.scores("a")[0]
    assert "0–0" in world.phones.scores("b")[0]
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
        world.live.inbox.accept([update], now_ms=at_ms)
        Drain(world.live, world.bells).match(FINAL)
        while other.turn(now_ms=at_ms):
            pass
        before.extend(message.kind for _, message in world.phones.sent)

    world.phones.before = cancel
    world.say(60, "goal", score=(1, 0), id="g1")
    world.say(65, "red_card" if last is Kind.RED_CARD else None, score=(1, 0) if last is Kind.RED_CARD else None)
    world.end_leases()
    world.at(70)
    assert Kind.GOAL_CANCELLED not in before
    kinds = [message.kind for _, message in world.phones.sent]
    assert kinds == list(dict.fromkeys([Kind.GOAL, last, Kind.GOAL_CANCELLED]))
    assert "0–0" in world.phones.scores("fan")[-1]


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


def test_who_may_have_got_a_goal_hears_of_its_end_once(world: World) -> None:
    """Without an answer nobody knows whether the first request rang."""
    for token in ("waiting", "repeated", "refused"):
        world.fan(token)
    world.kick_off()
    world.phones.answers = {
        "waiting": Later("no_answer", 300.0, possibly_sent=True),
        "repeated": Later("no_answer", possibly_sent=True),
        "refused": Later("TooManyRequests", 300.0),
    }
    world.say(60, "goal", score=(1, 0), id="g1")
    world.phones.answers = {}
    world.at(70)
    world.say(90, "goal_cancelled", score=(0, 0), voids="g1")
    world.at(60 + 300 * 1.5)
    kinds = {
        token: [message.kind for to, message in world.phones.sent if to == token] for token, _ in world.phones.sent
    }
    assert kinds == {"repeated": [Kind.GOAL, Kind.GOAL_CANCELLED], "waiting": [Kind.GOAL_CANCELLED]}


def test_who_may_have_got_a_goal_before_it_expired_hears_of_its_end(world: World) -> None:
    world.fan("fan")
    world.kick_off()
    world.phones.answers = {"fan": Later("no_answer", possibly_sent=True)}
    world.say(60, "goal", score=(1, 0), id="g1")
    world.phones.answers = {"fan": Dropped("expired")}
    world.at(70)
    world.phones.answers = {}
    world.say(90, "goal_cancelled", score=(0, 0), voids="g1")
    assert [message.kind for _, message in world.phones.sent] == [Kind.GOAL_CANCELLED]
