"""A hub in a test's hands: its clock, and readers that remember what they were told."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from api.delivery.answer import RenderedAnswer, WaitOutcome
from api.delivery.hub import Hub
from api.delivery.snapshot import Snapshot
from api.delivery.wait_group import Later, WaitGroup
from db.domain import Cursor, Phase

NOW = 1_700_000_000_000
V1, V2 = NOW - 5_000, NOW - 1_000


class Clock:
    """Time in the test's hands; `later` as the hub wants it."""

    def __init__(self) -> None:
        self.now_ms = NOW
        self.planned: dict[int, tuple[int, Callable[[], None]]] = {}
        self.numbers = itertools.count()

    def later(self, seconds: float, action: Callable[[], None]) -> Callable[[], None]:
        number = next(self.numbers)
        self.planned[number] = (self.now_ms + round(seconds * 1000), action)
        return lambda: self.planned.pop(number, None) and None

    def pass_(self, ms: int) -> None:
        until = self.now_ms + ms
        while due := sorted((at, number) for number, (at, _) in self.planned.items() if at <= until):
            self.now_ms, number = due[0]
            self.planned.pop(number)[1]()
        self.now_ms = until


class Client:
    """One held request."""

    def __init__(self) -> None:
        self.hold: WaitGroup | None = None
        self.answers: list[RenderedAnswer] = []

    def release(self, answer: RenderedAnswer) -> None:
        assert self.hold is None
        self.answers.append(answer)

    @property
    def told(self) -> dict[str, Any]:
        """The only answer it has had."""
        assert len(self.answers) == 1
        return body(self.answers[0])


class Stream:
    def __init__(self) -> None:
        self.offered: list[int] = []
        self.beats = self.ends = 0

    def offer(self, document: Snapshot) -> None:
        self.offered.append(document.version)

    def beat(self) -> None:
        self.beats += 1

    def end(self) -> None:
        self.ends += 1


def body(answer: RenderedAnswer | None) -> dict[str, Any]:
    assert answer
    found: dict[str, Any] = json.loads(answer.body)
    return found


def score(version: int, topic: str = "m") -> Snapshot:
    return Snapshot(topic, version, f"/api/score/{topic}", b'{"version":%d}' % version, 2_000, Phase.LIVE)


class CountingHub(Hub):
    """That counts how its readers ended."""

    def __init__(self, most: int, later: Later) -> None:
        self.ended: Counter[WaitOutcome] = Counter()
        super().__init__(most, later, lambda held, count: self.ended.update({held: count}))


def ask(
    hub: CountingHub, clock: Clock, version: int = V1, slot: int = 0, topic: str = "m"
) -> tuple[Client, RenderedAnswer | None]:
    client = Client()
    return client, hub.ask(topic, Cursor(version, slot), client, clock.now_ms)


def hold(hub: CountingHub, clock: Clock, version: int = V1, slot: int = 0, topic: str = "m") -> Client:
    client, answer = ask(hub, clock, version, slot, topic)
    assert answer is None
    assert client.hold is not None
    return client


def assert_empty(hub: CountingHub) -> None:
    assert (hub.here, hub.holds, hub.arrivals, hub.streams, hub.topics_of) == (0, {}, {}, {}, Counter())
