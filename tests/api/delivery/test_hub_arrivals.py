"""The hub while a topic is being read: a change at any moment is told, and those who arrive meanwhile are held."""

from __future__ import annotations

import itertools

import pytest

from api.delivery.answer import RenderedAnswer
from db.domain import Cursor
from tests.support.hub import NOW, V1, V2, Client, Clock, CountingHub, ask, assert_empty, body, score

# Subscribe, then check.


class Redis:
    """The match as it is in truth, and the news of it: each change is told to the listener, which reads."""

    def __init__(self, hub: CountingHub) -> None:
        self.hub = hub
        self.version = V1

    def change(self) -> None:
        self.version += 1
        if self.hub.awaited("m"):
            self.hub.know(score(self.version))
        else:
            self.hub.forget("m")


@pytest.mark.parametrize("moment", range(4))
def test_a_change_between_any_two_steps_of_a_request_is_told(clock: Clock, moment: int) -> None:
    """It is in what was read, or releases the hold. Nothing gives way between `know` and `ask`."""
    hub = CountingHub(10, clock.later)
    redis = Redis(hub)
    client, steps = Client(), itertools.count()

    def perhaps_change() -> None:
        if next(steps) == moment:
            redis.change()

    perhaps_change()
    hub.watch("m")
    perhaps_change()
    read = score(redis.version)
    perhaps_change()
    hub.know(read)
    answer = hub.ask("m", Cursor(V1), client, clock.now_ms)
    perhaps_change()
    told = body(answer) if answer else client.told
    assert (told["version"], told["held"]) == (V1 + 1, "behind" if answer else "changed")
    assert_empty(hub)


def test_a_change_while_a_topic_is_being_read_is_not_lost(hub: CountingHub, clock: Clock) -> None:
    """The read was under way before the change: what it brings is old already."""
    hub.forget("m")
    hub.watch("m")
    Redis(hub).change()
    hub.know(score(V1))
    _, answer = ask(hub, clock)
    assert body(answer)["version"] == V1 + 1


# Arrivals.


def test_the_first_to_arrive_has_the_topic_read_and_all_are_held(clock: Clock) -> None:
    hub = CountingHub(10, clock.later)
    clients = [Client() for _ in range(3)]
    assert [hub.arrive("m", Cursor(V1), client) for client in clients] == [True, False, False]
    assert hub.here == 3
    hub.watch("m")
    hub.know(score(V1))
    hub.admit("m", NOW)
    assert hub.here == 3
    assert all(client.hold for client in clients)
    hub.know(score(V2))
    assert [client.told["held"] for client in clients] == ["changed"] * 3
    assert_empty(hub)


def test_arrivals_are_answered_each_by_its_cursor(clock: Clock) -> None:
    hub = CountingHub(10, clock.later)
    behind, ahead, right = Client(), Client(), Client()
    for client, version in ((behind, V1 - 1), (ahead, V1 + 1), (right, V1)):
        hub.arrive("m", Cursor(version), client)
    hub.watch("m")
    hub.know(score(V1))
    hub.admit("m", NOW)
    assert (behind.told["held"], ahead.told["held"], right.answers) == ("behind", "ahead", [])
    assert hub.here == 1


def test_what_could_not_be_read_is_said_to_all_who_arrived(clock: Clock) -> None:
    hub = CountingHub(10, clock.later)
    clients = [Client(), Client(), Client()]
    for client in clients:
        hub.arrive("m", Cursor(V1), client)
    soon, late = (RenderedAnswer(b"{}", {"Retry-After": after}, status="503 Service Unavailable") for after in "28")
    hub.admit("m", NOW, [soon, late])
    assert [client.answers for client in clients] == [[soon], [late], [soon]]
    assert_empty(hub)
    assert hub.arrive("m", Cursor(V1), Client())


def test_who_leaves_before_the_topic_is_read_is_not_answered(clock: Clock) -> None:
    hub = CountingHub(10, clock.later)
    left, stays = Client(), Client()
    hub.arrive("m", Cursor(V1), left)
    hub.arrive("m", Cursor(V1), stays)
    hub.leave(left)
    assert hub.here == 1
    hub.watch("m")
    hub.know(score(V1))
    hub.admit("m", NOW)
    assert left.answers == []
    assert stays.hold


def test_arrivals_in_an_emptied_hub_are_sent_on(clock: Clock) -> None:
    hub = CountingHub(10, clock.later)
    client = Client()
    hub.arrive("m", Cursor(V1), client)
    hub.drain()
    hub.watch("m")
    hub.know(score(V1))
    hub.admit("m", NOW)
    assert client.told["held"] == "draining"
    assert_empty(hub)
