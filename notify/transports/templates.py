"""Finished requests of a message, made once for all addresses that get the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Generic, TypeVar, cast

from notify.content.message import Message

# Messages at hand: a chunk has one per language and manner, and each may be needed passively too.
TEMPLATES_MAX = 64

T = TypeVar("T")


class Templates(Generic[T]):
    """By identity of the message, which is kept beside its template so that its id is not used again."""

    def __init__(self) -> None:
        self.by_key: dict[tuple[int, object], tuple[Message, object]] = {}

    def of(self, message: Message, sort: object, make: Callable[[], T]) -> T:
        return cast(T, self._of(message, sort, make))

    def silent(self, message: Message) -> Message:
        """The same message without a sound, always the same one."""
        if message.silent:
            return message
        return cast(Message, self._of(message, "silent", lambda: replace(message, silent=True)))

    def _of(self, message: Message, sort: object, make: Callable[[], object]) -> object:
        key = (id(message), sort)
        entry = self.by_key.get(key)
        if entry is None:
            if len(self.by_key) >= TEMPLATES_MAX:
                self.by_key.clear()
            entry = self.by_key[key] = (message, make())
        return entry[1]

    def clear(self) -> None:
        self.by_key.clear()
