"""Topics: one publication for each kind and variant, and none too many."""

from __future__ import annotations

from threading import Event
from typing import Any

import pytest

from db.domain import (
    Kind,
    Platform,
    Score,
    Stamp,
    Update,
)
from notify.transports.base import Condition, Envelope
from notify.transports.outcome import Delivered, Later, Unknown
from tests.support.push import FINAL, START, Killed, World, counters
from workers.ingest import Drain


def test_devices_that_listen_to_topics_are_reached_by_one_condition_per_variant(world: World) -> None:
    world.fan("a", platform=Platform.ANDROID, topics="en")
    world.fan("b", platform=Platform.ANDROID, topics="en")
    world.fan("c", platform=Platform.ANDROID, topics="de-calm", spoiler_free=True)
    world.kick_off()
    world.say(60, "goal", score=(1, 0), id="g1")
    conditions = [token for token, _ in world.phones.sent]
    assert len(conditions) == 2
    assert any(
        "'m.final.goal.en' in topics" in condition and "'t.arg.goal.en' in topics" in condition
        for condition in conditions
    )
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
    world.end_leases()
    world.at(75)
    assert [(message.language, message.kind) for _, message in world.phones.sent] == [
        ("en", Kind.GOAL),
        ("en", Kind.GOAL_CANCELLED),
    ]


def test_what_is_published_is_what_was_planned_unless_it_was_mended_since(world: World) -> None:
    world.fan("a", platform=Platform.ANDROID, topics="en")
    world.kick_off()
    cancelled: list[str] = []
    plan = world.plans.plan

    def late(alert_id: str) -> Any:
        planned = plan(alert_id)
        if not cancelled:
            cancelled.append(alert_id)
            stamp = Stamp(START + 61_000, source="test")
            update = Update(FINAL, stamp, START + 61_000, score=Score(0, 0), voids="g1")
            world.live.inbox.accept([update], now_ms=START + 61_000)
            Drain(world.live, world.bells).match(FINAL)
            world.push.read_mailboxes(now_ms=START + 61_000)
        return planned

    world.plans.plan = late  # type: ignore[method-assign]
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
    world.end_leases()
    world.at(75)
    world.at(76)
    assert sorted(message.language for _, message in world.phones.sent) == ["de", "en", "en"]
    assert len(world.phones.headlines("c")) == 1


@pytest.mark.faults
@pytest.mark.parametrize("step", ["begin_topic", "count_topic"])
def test_a_worker_killed_beside_a_topics_request_makes_no_second_one(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    world.fan("a", platform=Platform.ANDROID, topics="en")
    world.kick_off()
    original = getattr(world.plans, step)

    def die(*args: Any, **options: Any) -> None:
        original(*args, **options)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(world.plans, step, die)
        with pytest.raises(Killed):
            world.say(60, "goal", score=(1, 0))
    sent = len(world.phones.sent)
    world.end_leases()
    world.push = world.worker()
    world.at(75)
    assert len(world.phones.sent) == sent <= 1


def test_a_topic_that_may_have_got_it_gets_no_second_one_and_hears_of_its_end(world: World) -> None:
    world.fan("a", platform=Platform.ANDROID, topics="en")
    world.kick_off()
    attempts: list[Kind] = []

    def fail(envelope: Envelope) -> None:
        attempts.append(envelope.message.kind)
        outcome = Unknown("no_answer") if envelope.message.kind is Kind.GOAL else Delivered()
        world.phones.answers[str(envelope.address)] = outcome

    world.phones.before = fail
    world.say(60, "goal", score=(1, 0), id="g1")
    world.at(75)
    assert attempts == [Kind.GOAL]
    assert counters(world)["unknown"] == 1
    world.say(90, "goal_cancelled", score=(0, 0), voids="g1")
    assert attempts == [Kind.GOAL, Kind.GOAL_CANCELLED]


def test_a_slow_topic_delays_no_device(world: World) -> None:
    """The topic is answered only once the first device has its alert."""
    world.fan("a", platform=Platform.ANDROID, topics="en")
    world.fan("phone")
    world.kick_off()
    planned = Event()
    put = world.chunks.put

    def note(*args: Any, **options: Any) -> bool:
        planned.set()
        return put(*args, **options)

    def wait(envelope: Envelope) -> None:
        assert not isinstance(envelope.address, Condition) or planned.wait(60)

    world.chunks.put = note  # type: ignore[method-assign]
    world.phones.before = wait
    world.say(60, "goal", score=(1, 0))
    assert len(world.phones.sent) == 2
