"""Reads from the event loop: those that come while Redis is being asked are asked together next."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from api.delivery.snapshot import Snapshot
from api.delivery.wait_group import Later

logger = logging.getLogger(__name__)

# Given the topic as it is in Redis; None where it is not there, or could not be read.
Give = Callable[[Snapshot | None], None]


class Store(Protocol):
    def read_all(self, topics: list[str]) -> dict[str, Snapshot | None]: ...


class ReadQueue:
    """A read costs no greenlet of its own, and a thousand of them one round trip."""

    def __init__(self, store: Store, later: Later) -> None:
        self.store = store
        self.later = later
        self.waiting: dict[str, list[Give]] = {}
        self.reading = False

    def ask(self, topic: str, give: Give) -> None:
        """As the topic is at some moment after this call."""
        self.waiting.setdefault(topic, []).append(give)
        if not self.reading:
            self.reading = True
            self.later(0, self._read)

    def _read(self) -> None:
        try:
            while self.waiting:
                waiting, self.waiting = self.waiting, {}
                self._give(waiting, self._snapshots(list(waiting)))
        finally:
            self.reading = False

    def _snapshots(self, topics: list[str]) -> dict[str, Snapshot | None]:
        try:
            return self.store.read_all(topics)
        except Exception as error:
            # One of them may be the reason. Each is read by itself then, the ordinary way, which says what it is.
            logger.info("reads_failed topics=%d reason=%s", len(topics), type(error).__name__)
            return {}

    @staticmethod
    def _give(waiting: dict[str, list[Give]], snapshots: dict[str, Snapshot | None]) -> None:
        for topic, gives in waiting.items():
            for give in gives:
                try:
                    give(snapshots.get(topic))
                except Exception:
                    # A bug with one of them must not leave the others without an answer.
                    logger.exception("read_failed topic=%s", topic)
