"""The one thread (a greenlet under gunicorn) that hears what changes and tells the hub."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from api.delivery import render
from api.delivery.hub import Hub
from api.delivery.snapshot import OF_BOARD, Snapshot
from db.domain.errors import Unavailable, Undecodable
from db.live import metrics
from db.live.pubsub import Gap, MatchChanged, NewsFeed
from db.live.store import LiveStore

logger = logging.getLogger(__name__)

# Readers of the board get names and the like together, but a goal or a whistle at once. Minutes, which tick four times
# a second over a Saturday's 246 matches, and cards, which no list shows, are not told.
BEAT_S = 1.0
# How long it listens before it looks at the clock.
LOOK_S = 1.0
RECONNECT_S = (0.1, 1.0)
# Its own, for a thread that draws from the shared one makes seeded tests of others unrepeatable.
JITTER = random.Random()
# Topics re-read in one round trip after a gap.
CHUNK = 200


class Listener(threading.Thread):
    """up: what the hub knows is current, or will be within a moment.
    warm: it was up once.
    lag_ms: from the last commit to its release.
    board_read_at: when the board was last read (time.monotonic).
    board_due: it has changed since.
    unread: topics whose master was out of reach when they changed.
    """

    def __init__(self, news: Callable[[], NewsFeed], live: LiveStore, hub: Hub) -> None:
        super().__init__(name="listener", daemon=True)
        self.news = news
        self.live = live
        self.hub = hub
        self.begun = self.up = False
        self.warm = threading.Event()
        self.beginning = threading.Lock()
        self.lag_ms: int | None = None
        self.board_read_at = 0.0
        self.board_due = False
        self.stopping = False
        self.unread: set[str] = set()
        self.retried_at = 0.0

    def heed(self) -> None:
        """Begin to listen, where it has not begun."""
        with self.beginning:
            if not self.begun:
                self.begun = True
                self.start()

    def stop(self) -> None:
        """It ends within a second, and listens no more."""
        self.stopping = True

    def run(self) -> None:
        while not self.stopping:
            feed = self.news()
            try:
                feed.subscribe()
                while not self.stopping:
                    self.hear(feed.next(self._wait_s()))
                    self.up = self.up and not feed.deaf
            except Unavailable as error:
                logger.warning("listener_cut_off reason=%r", error.message)
            except Exception:
                # A bug of ours must not leave this process deaf: whoever waits would wait for nothing.
                logger.exception("listener_failed")
            finally:
                self.up = False
                feed.close()
            time.sleep(JITTER.uniform(*RECONNECT_S))

    def hear(self, news: Sequence[MatchChanged | Gap]) -> None:
        metrics.HELD_READERS.set(self.hub.here)
        metrics.HELD_LIMIT.set(self.hub.limit)
        gaps = {entry.shard for entry in news if isinstance(entry, Gap)}
        if gaps:
            self._read_again(gaps)
        self._retry()
        changes = [entry for entry in news if isinstance(entry, MatchChanged)]
        self._matches({change.match_id: change.version for change in changes})
        self._board(changes)

    def _read_again(self, gaps: set[int | None]) -> None:
        """Nobody knows what was said while nobody listened. gaps: shards; None for all."""
        topics = [topic for topic in self.hub.watched() if None in gaps or self._shard(topic) in {*gaps, None}]
        for first in range(0, len(topics), CHUNK):
            self._know(topics[first : first + CHUNK])
        self.up = True
        self.warm.set()
        self.hub.ramp.begin()
        logger.info("listener_up topics=%d", len(topics))

    def _matches(self, changed: dict[str, int]) -> None:
        for match_id in changed:
            if not self.hub.awaited(match_id):
                self.hub.forget(match_id)
        awaited = [match_id for match_id in changed if self.hub.awaited(match_id)]
        if awaited:
            self._know(awaited)
        if changed:
            self.lag_ms = max(0, time.time_ns() // 1_000_000 - max(changed.values()))
        if awaited:
            metrics.HELD_LAG.observe((self.lag_ms or 0) / 1000)

    def _board(self, changes: Iterable[MatchChanged]) -> None:
        on_it = [change for change in changes if change.board and change.told]
        self.board_due = self.board_due or bool(on_it)
        if not self.board_due:
            return
        awaited = [topic for topic in OF_BOARD if self.hub.awaited(topic)]
        for topic in set(OF_BOARD) - set(awaited):
            self.hub.forget(topic)
        if not awaited:
            self.board_due = False
        elif any(change.urgent for change in on_it) or self._wait_s() <= 0:
            self._know(awaited)
            self.board_read_at, self.board_due = time.monotonic(), False

    def _shard(self, topic: str) -> int | None:
        """None for the board, which all shards make."""
        return None if topic in OF_BOARD else self.live.sharded.of(topic).number

    def _know(self, topics: Sequence[str]) -> None:
        """Where one master of several is out of reach, its topics are read later, and the others now."""
        if not self.live.sharded.is_cluster:
            self._tell(topics)
            return
        for group in by_shard(self.live, topics).values():
            try:
                self._tell(group)
            except Unavailable:
                self.unread.update(group)

    def _retry(self) -> None:
        """What was out of reach, once in a while."""
        if self.unread and time.monotonic() - self.retried_at > LOOK_S:
            topics, self.unread = sorted(self.unread), set()
            self.retried_at = time.monotonic()
            self._know(topics)

    def _tell(self, topics: Sequence[str]) -> None:
        for snapshot in self._read(topics):
            if snapshot:
                self.hub.know(snapshot)

    def _read(self, topics: Sequence[str]) -> list[Snapshot | None]:
        """What cannot be rendered keeps none of the others from its readers."""
        try:
            return read(self.live, topics)
        except Unavailable:
            raise
        except Exception as error:
            if len(topics) > 1:
                return [snapshot for topic in topics for snapshot in self._read([topic])]
            if not isinstance(error, Undecodable):
                logger.exception("topic_unreadable topic=%s", topics[0])
            return []

    def _wait_s(self) -> float:
        return max(0.0, self.board_read_at + BEAT_S - time.monotonic()) if self.board_due else LOOK_S


def by_shard(live: LiveStore, topics: Iterable[str]) -> dict[int | None, list[str]]:
    """Topics that are out of reach together, in the order asked; the board is by itself."""
    groups: dict[int | None, list[str]] = {}
    for topic in topics:
        groups.setdefault(None if topic in OF_BOARD else live.sharded.of(topic).number, []).append(topic)
    return groups


def read(live: LiveStore, topics: Sequence[str]) -> list[Snapshot | None]:
    """Topics from Redis, in the order asked; None for a match that is not there. Raises Unavailable, Undecodable."""
    match_ids = [topic for topic in topics if topic not in OF_BOARD]
    boards = render.boards(live.board.read()) if len(match_ids) < len(topics) else {}
    scores = {match.id: render.score(match) for match in live.matches.read(match_ids) if match}
    return [boards.get(topic) or scores.get(topic) for topic in topics]
