"""Readers of held requests that are answered together, and what a hub asks of readers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from api.delivery.answer import RenderedAnswer
from api.delivery.snapshot import Snapshot
from db.domain import Cursor

# later(seconds, action): do it then; the answer takes it back.
Later = Callable[[float, Callable[[], None]], Callable[[], None]]


class Waiter(Protocol):
    """Of one held request. hold: the group it waits in, None once released."""

    hold: WaitGroup | None

    def release(self, answer: RenderedAnswer) -> None: ...


class Subscriber(Protocol):
    """Of a stream."""

    def offer(self, snapshot: Snapshot) -> None: ...

    def beat(self) -> None: ...

    def end(self) -> None: ...


class WaitGroup:
    """All who wait with one cursor. They are answered together: when the topic moves, or when its slot ends.

    readers: and the cursor each came with.
    end: takes back the end of the slot.
    """

    __slots__ = ("cursor", "end", "readers", "topic")

    def __init__(self, topic: str, cursor: Cursor) -> None:
        self.topic = topic
        self.cursor = cursor
        self.readers: dict[Waiter, Cursor] = {}
        self.end: Callable[[], None] | None = None
