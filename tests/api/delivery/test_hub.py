"""The hub without sockets, Redis or a clock of its own: who is held, why each is answered, and what is forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from api.delivery.answer import RenderedAnswer, WaitOutcome
from api.delivery.hub import TOPICS_MAX
from db.domain import HOLD_MS, Cursor
from tests.support.hub import NOW, V1, V2, Client, Clock, CountingHub, Stream, ask, assert_empty, body, hold, score

# Why a held request is answered.


def test_a_change_releases_all_who_wait_in_whichever_slot_with_the_same_bytes(hub: CountingHub, clock: Clock) -> None:
    clients = [hold(hub, clock, slot=slot) for slot in (0, 1, 0)]
    hub.know(score(V2))
    assert [client.told["held"] for client in clients] == ["changed"] * 3
    assert len({id(client.answers[0]) for client in clients}) == 1
    assert clients[0].told["next"] == f"/api/score/m/wait/{V2}.0"
    assert hub.ended == {WaitOutcome.CHANGED: 3}
    assert_empty(hub)
    assert clock.planned == {}


def test_a_slot_that_ends_answers_with_the_next_slot_and_the_same_version(hub: CountingHub, clock: Clock) -> None:
    client = hold(hub, clock)
    clock.pass_(HOLD_MS)
    assert client.told == {
        "version": V1,
        "next": f"/api/score/m/wait/{V1}.1",
        "poll_after_ms": 2_000,
        "held": "timeout",
    }
    assert hub.ended == {WaitOutcome.TIMEOUT: 1}
    assert_empty(hub)
    assert hold(hub, clock, slot=1).hold


@pytest.mark.parametrize("slot", [2, 3, 4])
def test_the_present_slot_and_its_neighbours_are_held_for_twenty_seconds_at_most(
    hub: CountingHub, clock: Clock, slot: int
) -> None:
    clock.pass_(3 * HOLD_MS)  # 5 s into slot 3
    client = hold(hub, clock, slot=slot)
    clock.pass_(HOLD_MS)
    assert client.told["held"] == "timeout"
    following = Cursor.parse(client.told["next"].rpartition("/")[2])
    assert following
    assert following.slot > slot
    # And that one is worth holding: an edge that kept this answer cannot make its readers spin.
    assert hold(hub, clock, slot=following.slot).hold


@pytest.mark.parametrize(("slot", "held"), [(0, "behind"), (1, "behind"), (5, "ahead"), (999_999_999, "ahead")])
def test_slots_further_off_are_answered_at_once(hub: CountingHub, clock: Clock, slot: int, held: str) -> None:
    clock.pass_(3 * HOLD_MS)
    client, answer = ask(hub, clock, slot=slot)
    assert (body(answer)["held"], body(answer)["next"]) == (held, f"/api/score/m/wait/{V1}.3")
    assert client.hold is None
    assert_empty(hub)


@pytest.mark.parametrize(("version", "held"), [(V1 - 1, "behind"), (0, "behind"), (V1 + 1, "ahead")])
def test_other_versions_are_answered_at_once(hub: CountingHub, clock: Clock, version: int, held: str) -> None:
    _, answer = ask(hub, clock, version=version)
    assert (body(answer)["held"], body(answer)["version"]) == (held, V1)
    assert hub.ended == {WaitOutcome(held): 1}


def test_a_full_hub_answers_with_the_same_cursor(hub: CountingHub, clock: Clock) -> None:
    held = [hold(hub, clock) for _ in range(hub.most)]
    _, answer = ask(hub, clock, slot=1)
    assert (body(answer)["held"], body(answer)["next"]) == ("full", f"/api/score/m/wait/{V1}.1")
    assert body(answer)["poll_after_ms"] == 2_000
    hub.leave(held[0])
    assert hold(hub, clock).hold


def test_a_full_hub_still_tells_of_a_change(hub: CountingHub, clock: Clock) -> None:
    for _ in range(hub.most):
        hold(hub, clock)
    _, answer = ask(hub, clock, version=V1 - 1)
    assert body(answer)["held"] == "behind"


def test_an_emptied_hub_answers_each_with_the_cursor_it_came_with(hub: CountingHub, clock: Clock) -> None:
    clients = [hold(hub, clock, slot=slot) for slot in (0, 1)]
    hub.drain()
    assert [client.told["next"][-2:] for client in clients] == [".0", ".1"]
    assert [client.told["held"] for client in clients] == ["draining"] * 2
    assert all(client.answers[0].close for client in clients)
    _, answer = ask(hub, clock)
    assert answer
    assert answer.close
    assert (body(answer)["held"], body(answer)["next"]) == ("draining", f"/api/score/m/wait/{V1}.0")
    assert hub.ended == {WaitOutcome.DRAINING: 3}
    assert_empty(hub)
    clock.pass_(HOLD_MS)
    assert len(clients[0].answers) == 1


def test_a_client_that_left_is_answered_no_more(hub: CountingHub, clock: Clock) -> None:
    left, stays = hold(hub, clock), hold(hub, clock)
    hub.leave(left)
    hub.leave(left)
    hub.know(score(V2))
    assert left.answers == []
    assert stays.told["held"] == "changed"
    assert hub.ended == {WaitOutcome.GONE: 1, WaitOutcome.CHANGED: 1}
    assert_empty(hub)


def test_the_last_to_leave_takes_the_timer_along(hub: CountingHub, clock: Clock) -> None:
    hub.leave(hold(hub, clock))
    assert clock.planned == {}
    assert_empty(hub)


def test_leaving_after_the_answer_changes_nothing(hub: CountingHub, clock: Clock) -> None:
    client = hold(hub, clock)
    hub.know(score(V2))
    hub.leave(client)
    assert hub.ended == {WaitOutcome.CHANGED: 1}
    assert_empty(hub)


def test_ends_of_topics_are_spread_by_the_time_of_their_versions(clock: Clock) -> None:
    hub = CountingHub(1_000, clock.later)
    for n in range(100):
        topic = f"m{n}"
        hub.watch(topic)
        hub.know(score(NOW - n * 7_919, topic))
        hold(hub, clock, NOW - n * 7_919, n * 7_919 // HOLD_MS, topic)
    ends = sorted(at - NOW for at, _ in clock.planned.values())
    assert len(set(ends)) > 90
    assert 0 <= ends[0] < HOLD_MS // 10
    assert HOLD_MS * 9 // 10 < ends[-1] <= HOLD_MS


def test_one_timer_serves_all_of_a_slot(hub: CountingHub, clock: Clock) -> None:
    for _ in range(5):
        hold(hub, clock)
    assert len(clock.planned) == 1


def test_a_timer_that_has_come_is_not_taken_back(hub: CountingHub, clock: Clock) -> None:
    """Under gevent that would be to kill the greenlet that is just answering."""
    taken_back: list[float] = []

    def later(seconds: float, action: Callable[[], None]) -> Callable[[], None]:
        clock.later(seconds, action)
        return lambda: taken_back.append(seconds)

    hub.later = later
    client = hold(hub, clock)
    clock.pass_(HOLD_MS)
    assert client.told["held"] == "timeout"
    assert taken_back == []


def test_who_comes_late_into_a_slot_waits_less(hub: CountingHub, clock: Clock) -> None:
    hold(hub, clock)
    clock.pass_(14_000)
    late = hold(hub, clock)
    clock.pass_(1_000)
    assert late.told["held"] == "timeout"


# What is known.


def test_the_newest_version_wins_whatever_the_order(hub: CountingHub, clock: Clock) -> None:
    hub.know(score(V2))
    client = hold(hub, clock, V2)
    hub.know(score(V1))
    hub.know(score(V2))
    assert client.answers == []
    known = hub.snapshot("m")
    assert known
    assert known.version == V2


def test_what_nobody_watches_is_not_kept(hub: CountingHub) -> None:
    hub.know(score(V1, "other"))
    assert hub.snapshot("other") is None
    assert hub.watched() == ["m"]


def test_a_topic_is_forgotten_only_when_nobody_waits_for_it(hub: CountingHub, clock: Clock) -> None:
    client = hold(hub, clock)
    hub.forget("m")
    assert hub.snapshot("m")
    hub.leave(client)
    hub.forget("m")
    assert hub.watched() == []


def test_what_could_not_be_read_is_given_up_unless_something_is_known_or_somebody_waits(hub: CountingHub) -> None:
    for topic in ("unread", "streamed"):
        hub.watch(topic)
    hub.join("streamed", Stream())
    for topic in ("m", "unread", "streamed"):
        hub.give_up(topic)
    assert hub.watched() == ["m", "streamed"]


@pytest.mark.parametrize("kind", ["hold", "stream"])
def test_of_too_many_topics_the_oldest_that_nobody_waits_for_goes(hub: CountingHub, clock: Clock, kind: str) -> None:
    if kind == "hold":
        hold(hub, clock)
    else:
        hub.join("m", Stream())
    for n in range(TOPICS_MAX):
        hub.watch(f"m{n}")
        hub.know(score(V1, f"m{n}"))
    assert len(hub.watched()) == TOPICS_MAX
    assert hub.snapshot("m")
    assert "m0" not in hub.watched()


def test_a_topic_too_many_is_watched_all_the_same(clock: Clock) -> None:
    hub = CountingHub(10, clock.later)
    stream = Stream()
    for n in range(TOPICS_MAX):
        hub.watch(f"m{n}")
        hub.know(score(V1, f"m{n}"))
        hub.join(f"m{n}", stream)
    hub.watch("m")
    hub.know(score(V1))
    assert hub.snapshot("m")


# Threads, as under Flask's own server.


def test_threads_that_ask_leave_and_change_lose_nobody(clock: Clock) -> None:
    hub = CountingHub(1_000_000, clock.later)
    hub.watch("m")
    hub.know(score(V1))
    clients: list[list[Client]] = [[] for _ in range(4)]
    faults: list[BaseException] = []

    def come_and_go(mine: list[Client]) -> None:
        try:
            for n in range(500):
                client = Client()
                version = hub.snapshots["m"].version  # type: ignore[union-attr]
                answer = hub.ask("m", Cursor(version), client, version)
                if answer is None and n % 3 == 0:
                    hub.leave(client)
                elif answer is None:
                    mine.append(client)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=come_and_go, args=(mine,)) for mine in clients]
    for thread in threads:
        thread.start()
    for version in range(V1 + 1, V1 + 300):
        hub.know(score(version))
    for thread in threads:
        thread.join()
    hub.know(score(V1 + 1_000))
    assert faults == []
    assert {len(client.answers) for mine in clients for client in mine} == {1}
    assert_empty(hub)


def test_a_bug_with_one_reader_leaves_none_of_the_others_without_an_answer(
    hub: CountingHub, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Client):
        def release(self, answer: RenderedAnswer) -> None:
            raise ZeroDivisionError

    first, broken, last = hold(hub, clock), Broken(), Client()
    for reader in (broken, last):
        assert hub.ask("m", Cursor(V1), reader, clock.now_ms) is None
    hub.know(score(V2))
    assert {first.told["version"], last.told["version"]} == {V2}
    assert "release_failed" in caplog.text
    assert_empty(hub)


def test_who_has_no_place_is_answered_as_if_all_were_taken(hub: CountingHub, clock: Clock) -> None:
    answer = hub.ask("m", Cursor(V1), None, clock.now_ms)
    assert (body(answer)["held"], body(answer)["next"]) == ("full", f"/api/score/m/wait/{V1}.0")
    assert body(hub.ask("m", Cursor(V1 - 1), None, clock.now_ms))["held"] == "behind"
    assert_empty(hub)


def test_answers_at_once_share_their_bytes_for_a_second(hub: CountingHub, clock: Clock) -> None:
    first, second = (ask(hub, clock, version=V1 - 1)[1] for _ in range(2))
    assert first is second
    clock.pass_(1_000)
    assert ask(hub, clock, version=V1 - 1)[1] is not first
