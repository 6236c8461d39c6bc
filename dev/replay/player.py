"""Plays deliveries through several connections at a chosen speed, each match in its own order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing

from dev.recordings.story import MINUTE_MS
from dev.replay.disorder import Delivery, batched
from dev.replay.ingest_client import IngestClient

# Such a long gap occurs only between matches; it is played as one minute.
SILENCE_MS = 60 * MINUTE_MS


class Pace:
    """Due times of a recording in seconds after the start. speed: match time per real time, 0 for all at once."""

    def __init__(self, times_ms: Iterable[int], speed: float) -> None:
        self.due: dict[int, float] = {}
        elapsed, before = 0, None
        for at_ms in sorted(set(times_ms)):
            gap = at_ms - before if before is not None else 0
            elapsed += gap if gap <= SILENCE_MS else MINUTE_MS
            before = at_ms
            self.due[at_ms] = elapsed / 1000 / speed if speed else 0.0


def lanes(deliveries: list[Delivery], count: int, batch: int) -> list[list[Delivery]]:
    """Deal matches to `count` connections in turn. A match stays on one connection, which keeps its order."""
    lane_of: dict[str | None, int] = {}
    dealt: list[list[Delivery]] = [[] for _ in range(count)]
    for delivery in deliveries:
        lane = lane_of.setdefault(delivery.message.match_id, len(lane_of) % count)
        dealt[lane].append(delivery)
    return [batched(lane, batch) for lane in dealt if lane]


class Player:
    """Plays all lanes. Counters for the progress line: sent, again (retries), at_ms (newest message sent)."""

    def __init__(
        self, open_client: Callable[[Callable[[float], object]], IngestClient], dealt: list[list[Delivery]]
    ) -> None:
        self.open_client = open_client
        self.dealt = dealt
        self.total = sum(map(len, dealt))
        self.sent = self.again = self.at_ms = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def play(self, speed: float, watch: Callable[[Player], None], every_s: float) -> None:
        """Returns when everything is sent. Raises the error of the first failing connection and stops the others."""
        pace = Pace((delivery.message.at_ms for lane in self.dealt for delivery in lane), speed)
        started = time.monotonic()
        with ThreadPoolExecutor(max(1, len(self.dealt))) as pool:
            running = {pool.submit(self._play_lane, lane, pace, started) for lane in self.dealt}
            try:
                while running:
                    done, running = wait(running, timeout=every_s, return_when=FIRST_EXCEPTION)
                    for lane in done:
                        lane.result()
                    if running:
                        watch(self)
            finally:
                self._stop.set()

    def _play_lane(self, lane: list[Delivery], pace: Pace, started: float) -> None:
        with closing(self.open_client(self._stop.wait)) as client:
            for delivery in lane:
                due = started + pace.due[delivery.message.at_ms]
                if self._stop.wait(max(0.0, due - time.monotonic())):
                    return
                self._count(delivery, client.send(delivery))

    def _count(self, delivery: Delivery, again: int) -> None:
        with self._lock:
            self.sent, self.again = self.sent + 1, self.again + again
            self.at_ms = max(self.at_ms, delivery.message.at_ms)
