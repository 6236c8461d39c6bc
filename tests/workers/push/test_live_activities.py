"""Broadcasts of a match's state: in order, by one worker at a time, until they are on the screens."""

from __future__ import annotations

import pytest

from db.domain import Platform, Status
from db.sql.audience import BroadcastChannel
from notify.transports.base import Envelope
from notify.transports.outcome import ConfigFault, Later, Outcome, Unknown
from tests.support.push import FINAL, START, World

CHANNEL = BroadcastChannel(FINAL, "production", "channel")


def shown(world: World) -> list[tuple[object, int]]:
    """Home goals and timestamp of each state sent to the channel."""
    return [(message.state["home_score"], message.state_at) for to, message in world.phones.sent if "Channel" in to]


def test_two_workers_never_publish_one_match_at_once(world: World) -> None:
    world.audience.keep_channel(CHANNEL, now_ms=START)
    world.kick_off()
    other = world.worker()

    def overtake(envelope: Envelope) -> None:
        world.phones.before = lambda envelope: None
        assert not other.activities.turn(now_ms=world.now_ms)

    world.phones.before = overtake
    world.say(60, "goal", score=(1, 0))
    assert [goals for goals, _ in shown(world)] == [1]


def test_a_state_that_a_slow_worker_sends_late_has_the_older_timestamp_and_is_followed_by_the_newest(
    world: World,
) -> None:
    world.audience.keep_channel(CHANNEL, now_ms=START)
    world.kick_off()
    other = world.worker()

    def stall(envelope: Envelope) -> None:
        """Its lease runs out while it sleeps before the request."""
        world.phones.before = lambda envelope: None
        world.end_leases("broadcast-")
        push, world.push = world.push, other
        world.say(61, "goal", score=(2, 0))
        world.push = push

    world.phones.before = stall
    world.say(60, "goal", score=(1, 0))
    world.at(70)
    states = shown(world)
    assert [goals for goals, _ in states] == [2, 1, 2]
    stamps = [at for _, at in states]
    assert stamps[1] < stamps[0] <= stamps[2]


def test_changes_within_one_second_have_timestamps_in_order(world: World) -> None:
    world.audience.keep_channel(CHANNEL, now_ms=START)
    world.kick_off()
    for goals in (1, 2, 3):
        world.say(60 + goals / 100, score=(goals, 0))
    stamps = [at for _, at in shown(world)]
    assert len(stamps) == len(set(stamps)) == 3
    assert stamps == sorted(stamps)


@pytest.mark.parametrize(
    ("fault", "pause_s"),
    [(ConfigFault("TopicMismatch"), 60), (Later("TooManyRequests"), 5), (Unknown("no_answer"), 5)],
)
def test_a_state_that_was_not_accepted_is_sent_until_it_is(world: World, fault: Outcome, pause_s: int) -> None:
    world.audience.keep_channel(CHANNEL, now_ms=START)
    world.kick_off()
    address = "Channel(id='channel')"
    world.phones.answers = {address: fault}
    world.say(60, "goal", score=(1, 0))
    world.phones.answers = {}
    world.at(60 + pause_s - 1)
    assert shown(world) == []
    world.at(60 + pause_s)
    assert [goals for goals, _ in shown(world)] == [1]


def test_apps_with_data_messages_get_the_state_by_the_topic_of_the_match(world: World) -> None:
    world.fan("pixel", platform=Platform.ANDROID, topics="en-data")
    world.kick_off()
    world.say(60, "goal", id="g1", score=(1, 0))
    updates = [message for to, message in world.phones.sent if to == f"Topic(name='u.{FINAL}')"]
    assert [(message.is_state, message.state["home_score"]) for message in updates] == [(True, 1)]
    assert [scorer["team"] for scorer in updates[0].state["scorers"]] == ["home"]  # type: ignore[attr-defined]


def test_while_apple_is_away_apps_on_android_get_each_state_once(world: World) -> None:
    world.audience.keep_channel(CHANNEL, now_ms=START)
    world.fan("pixel", platform=Platform.ANDROID, topics="en-data")
    world.kick_off()
    world.phones.answers = {"Channel(id='channel')": Later("breaker_open")}
    world.say(60, "goal", score=(1, 0))
    for second in (65, 70, 75):
        world.at(second)
    world.say(80, status=Status.HALF_TIME)
    world.phones.answers = {}
    world.at(90)
    updates = [message for to, message in world.phones.sent if to == f"Topic(name='u.{FINAL}')"]
    assert [(message.state["home_score"], message.urgent) for message in updates] == [(1, True), (1, False)]
    states = [message for to, message in world.phones.sent if "Channel" in to]
    assert [(message.state["home_score"], message.urgent) for message in states] == [(1, True)]


def test_a_match_has_one_channel_in_an_environment(world: World) -> None:
    assert world.audience.keep_channel(CHANNEL, now_ms=START)
    assert not world.audience.keep_channel(BroadcastChannel(FINAL, "production", "second"), now_ms=START)
    assert world.audience.channels([FINAL]) == [CHANNEL]
