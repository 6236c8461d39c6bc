"""Scores for those who do not wait: always checked against Redis, rendered once per version.

An edge that refills after a purge must not get yesterday's bytes, so each read asks Redis for the version. Requests
that come while one such question is on its way share the next one: under load a hundred readers cost one round trip.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict

from api.delivery.listener import read
from api.delivery.snapshot import OF_BOARD, Snapshot
from db.domain.errors import Unavailable, Undecodable
from db.live.store import LiveStore

logger = logging.getLogger(__name__)

# Snapshots kept rendered: a day's matches, a few KB each.
KEPT = 2_048
# s. After a question that Redis did not answer, nobody asks again for so long. Each would wait for the time limit, and
# a reader who is handed on to the ordinary way would wait for it twice.
OUTAGE_S = 0.25


class ReadBatch:
    """Topics that are asked for together, and what came of it."""

    __slots__ = ("done", "error", "snapshots", "topics")

    def __init__(self) -> None:
        self.topics: dict[str, None] = {}
        self.snapshots: dict[str, Snapshot | None] = {}
        self.error: Unavailable | None = None
        self.done = False


class TopicLane:
    """Topics that are out of reach together. In a cluster those of a shard, so that nobody waits for another's."""

    def __init__(self) -> None:
        self.batch = ReadBatch()
        self.lock = threading.Lock()
        self.outage = ""
        self.outage_until = 0.0

    def note(self, error: Unavailable) -> None:
        self.outage, self.outage_until = error.message, time.monotonic() + OUTAGE_S

    def check(self) -> None:
        """Raises Unavailable for a moment after an outage."""
        if time.monotonic() < self.outage_until:
            raise Unavailable(self.outage)


class SnapshotReader:
    def __init__(self, live: LiveStore) -> None:
        self.live = live
        self.kept: OrderedDict[str, Snapshot] = OrderedDict()
        self.lanes: dict[int | None, TopicLane] = {None: TopicLane()}

    def _lane(self, topic: str) -> TopicLane:
        """The board, which all shards make, shares that of a Redis that is no cluster."""
        return self.lanes.setdefault(self._number(topic), TopicLane())

    def _number(self, topic: str) -> int | None:
        if topic in OF_BOARD or not self.live.sharded.is_cluster:
            return None
        return self.live.sharded.of(topic).number

    def read(self, topic: str) -> Snapshot | None:
        """The topic as it is in Redis at some moment after this call; None if it is not there. Raises Unavailable,
        and Undecodable."""
        lane = self._lane(topic)
        batch = lane.batch
        batch.topics[topic] = None
        with lane.lock:
            if not batch.done:
                # Whoever comes from here on would come too late for this one.
                lane.batch = ReadBatch()
                self._ask(batch)
        if batch.error:
            raise batch.error
        if topic in batch.snapshots:
            return batch.snapshots[topic]
        # Asked a moment too late by another thread, or beside one that cannot be rendered.
        with lane.lock:
            return self.read_all([topic])[topic]

    def _ask(self, batch: ReadBatch) -> None:
        try:
            batch.snapshots = self.read_all(list(batch.topics))
        except Unavailable as error:
            batch.error = error
        except Undecodable:
            # As below, and it has been told.
            pass
        except Exception as error:
            # A bug with one of them: each asks for its own, so that the others are served and that one says what it is.
            logger.warning("batch_unreadable topics=%d reason=%s", len(batch.topics), type(error).__name__)
        batch.done = True

    def read_all(self, topics: list[str]) -> dict[str, Snapshot | None]:
        """As they are in Redis now; None for what is not there. Raises Unavailable, Undecodable."""
        lanes = {self._lane(topic) for topic in topics}
        for lane in lanes:
            lane.check()
        try:
            return self._read_all(topics)
        except Unavailable as error:
            # Of topics of several lanes, nobody knows which of them is out of reach.
            for lane in lanes if len(lanes) == 1 else ():
                lane.note(error)
            raise

    def _read_all(self, topics: list[str]) -> dict[str, Snapshot | None]:
        versions = self.live.matches.versions([None if topic in OF_BOARD else topic for topic in topics])
        current = dict(zip(topics, versions, strict=True))
        kept = {topic: held for topic in topics if (held := self._kept(topic, current[topic]))}
        stale = [topic for topic in topics if topic not in kept and current[topic] is not None]
        fresh = dict(zip(stale, read(self.live, stale), strict=True))
        for snapshot in filter(None, fresh.values()):
            self._keep(snapshot)
        return dict.fromkeys(topics) | kept | fresh

    def _kept(self, topic: str, version: int | None) -> Snapshot | None:
        kept = self.kept.get(topic)
        return kept if kept and kept.version == version else None

    def _keep(self, snapshot: Snapshot) -> None:
        self.kept[snapshot.topic] = snapshot
        self.kept.move_to_end(snapshot.topic)
        if len(self.kept) > KEPT:
            self.kept.popitem(last=False)
