"""The one thread (a greenlet under gunicorn) that hears what changes and tells the hub."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterable, Sequence

from api.delivery import render
from api.delivery.hub import Hub
from api.delivery.snapshot import BOARD, Snapshot
from db.domain.errors import Unavailable, Undecodable
from db.live import metrics
from db.live.pubsub import ChangeFeed, Gap, MatchChanged
from db.live.store import LiveStore

logger = logging.getLogger(__name__)

# Minutes tick four times a second over a Saturday's 246 matches: the board's readers get them together once a second,
# but a goal or a whistle at once.
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
    """

    def __init__(self, redis_url: str, live: LiveStore, hub: Hub) -> None:
        super().__init__(name="listener", daemon=True)
        self.redis_url = redis_url
        self.live = live
        self.hub = hub
        self.begun = self.up = False
        self.warm = threading.Event()
        self.beginning = threading.Lock()
        self.lag_ms: int | None = None
        self.board_read_at = 0.0
        self.board_due = False
        self.stopping = False

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
            feed = ChangeFeed(self.redis_url)
            try:
                feed.subscribe()
                while not self.stopping:
                    self.hear(feed.next(self._wait_s()))
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
        if any(isinstance(entry, Gap) for entry in news):
            self._read_again()
        changes = [entry for entry in news if isinstance(entry, MatchChanged)]
        self._matches({change.match_id: change.version for change in changes})
        self._board(changes)

    def _read_again(self) -> None:
        """Nobody knows what was said while nobody listened."""
        topics = self.hub.watched()
        for first in range(0, len(topics), CHUNK):
            self._know(topics[first : first + CHUNK])
        self.up = True
        self.warm.set()
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
        on_it = [change for change in changes if change.board]
        self.board_due = self.board_due or bool(on_it)
        if not self.board_due:
            return
        if not self.hub.awaited(BOARD):
            self.hub.forget(BOARD)
            self.board_due = False
        elif any(change.urgent for change in on_it) or self._wait_s() <= 0:
            self._know([BOARD])
            self.board_read_at, self.board_due = time.monotonic(), False

    def _know(self, topics: Sequence[str]) -> None:
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


def read(live: LiveStore, topics: Sequence[str]) -> list[Snapshot | None]:
    """Topics from Redis, in the order asked; None for a match that is not there. Raises Unavailable, Undecodable."""
    matches = iter(live.matches.read([topic for topic in topics if topic != BOARD]))
    snapshots: list[Snapshot | None] = []
    for topic in topics:
        if topic == BOARD:
            board = live.board.read()
            snapshots.append(render.board(board.version, board.matches))
        else:
            match = next(matches)
            snapshots.append(render.score(match) if match else None)
    return snapshots
