"""Reads from the event loop, which are asked of Redis together."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from api.delivery.read_queue import ReadQueue
from api.delivery.snapshot import Snapshot
from tests.support.hub import Clock, score

V = 1_700_000_000_000


class Store:
    """meanwhile: what happens while a read is on its way, once."""

    def __init__(self) -> None:
        self.reads: list[list[str]] = []
        self.failing = False
        self.meanwhile: list[Callable[[], None]] = []

    def read_all(self, topics: list[str]) -> dict[str, Snapshot | None]:
        self.reads.append(topics)
        if self.meanwhile:
            self.meanwhile.pop()()
        if self.failing:
            raise ZeroDivisionError
        return {topic: score(V + len(self.reads), topic) if topic != "no-such" else None for topic in topics}


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def queue(store: Store, clock: Clock) -> ReadQueue:
    return ReadQueue(store, clock.later)


def versions(queue: ReadQueue, *topics: str) -> list[int | None]:
    given: list[int | None] = []
    for topic in topics:
        queue.ask(topic, lambda snapshot: given.append(snapshot.version if snapshot else None))
    return given


def test_those_who_come_together_cost_one_read(queue: ReadQueue, store: Store, clock: Clock) -> None:
    given = versions(queue, "m", "n", "m", "no-such")
    assert store.reads == []
    clock.pass_(0)
    assert store.reads == [["m", "n", "no-such"]]
    assert given == [V + 1, V + 1, V + 1, None]


def test_who_comes_during_a_read_gets_what_is_read_after(queue: ReadQueue, store: Store, clock: Clock) -> None:
    late: list[int | None] = []
    store.meanwhile = [lambda: queue.ask("m", lambda snapshot: late.append(snapshot and snapshot.version))]
    first = versions(queue, "m")
    clock.pass_(0)
    assert (first, late) == ([V + 1], [V + 2])
    assert versions(queue, "m") == []
    clock.pass_(0)
    assert len(store.reads) == 3


def test_a_read_that_fails_gives_nobody_anything_and_the_next_is_tried(
    queue: ReadQueue, store: Store, clock: Clock
) -> None:
    store.failing = True
    given = versions(queue, "m", "n")
    clock.pass_(0)
    assert given == [None, None]
    store.failing = False
    given = versions(queue, "m")
    clock.pass_(0)
    assert given == [V + 2]


def test_a_bug_with_one_leaves_none_of_the_others_without(
    queue: ReadQueue, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    queue.ask("m", lambda _: 1 // 0)  # type: ignore[arg-type, return-value]
    given = versions(queue, "m")
    clock.pass_(0)
    assert given == [V + 1]
    assert "read_failed" in caplog.text
