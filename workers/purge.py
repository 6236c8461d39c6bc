"""From the purge mailbox to the CDN: coalesced, in the vendor's chunks and budget, again where it failed, and once more
two seconds later. Whatever the CDN does, it happens here: no goal waits for it."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from cdn.backends.base import Backend, Outcome, PurgeResult
from cdn.keys import is_soft
from db.domain.errors import Unavailable
from db.live import metrics
from db.live.purges import DuePurge, Purges
from workers.boot import services
from workers.queues import Doorbells

logger = logging.getLogger(__name__)

# Between two looks: what is committed meanwhile travels in one call. The first
# purge after a quiet time goes at once.
COALESCE_S = 0.05
# The job stays for the second purge of what it purged; after this long RQ counts it and the worker hears signals.
LIFE_S = 5.0
# A fetch that began before the commit may fill the cache after the purge, at the edge or at its shield; by then it has
# landed (Fastly, "Purging best practices": about 2 s).
REBOUND_MS = 2_000
# Full jitter below these (s), doubling at each failure.
RETRY_S, RETRY_MOST_S = 0.25, 30.0
# Keys looked at together: ten calls of the vendors' chunks, and all matches of a Saturday.
LOOK_MOST = 1_000


def drain() -> None:
    """The job behind the purge bell."""
    here = services()
    try:
        drain_pending(_purger(), here.bells)
    except Unavailable as error:
        logger.warning("purge_waits reason=%r", error.message)


@lru_cache(maxsize=1)
def _purger() -> Purger:
    here = services()
    return Purger(here.purges, here.cdn)


def drain_pending(purger: Purger, bells: Doorbells) -> None:
    """Purge until nothing is left, then silence the bell. While nothing can be purged it waits, unless other jobs do:
    then what is left is for the clock to ring for."""
    started = time.monotonic()
    while time.monotonic() - started < LIFE_S:
        pause_s = purger.round(time.time_ns() // 1_000_000)
        gives_way = pause_s is not None and pause_s > COALESCE_S and bells.waiting() > 0
        if (pause_s is None or gives_way) and purger.purges.silence():
            return
        if gives_way:
            return
        time.sleep(COALESCE_S)
    bells.purge()


@dataclass(slots=True)
class RetryState:
    """How purges of one kind, hard or soft, are doing. A failure keeps those waiting that it failed for, not what is
    committed after it: the CDN may have come back, and a goal's purge is worth a try at once."""

    failures: int = 0
    failed_at_ms: int = 0
    not_before_ms: int = 0
    told: str = ""

    def is_open_to(self, one: DuePurge, now_ms: int) -> bool:
        return now_ms >= self.not_before_ms or one.at_ms > self.failed_at_ms


class Purger:
    """Purges what is due, and remembers from job to job how the CDN is doing."""

    def __init__(self, purges: Purges, backend: Backend) -> None:
        self.purges = purges
        self.backend = backend
        self.lanes = {False: RetryState(), True: RetryState()}
        # Until then nothing at all is called: the budget is spent, or the CDN asked for a pause.
        self.shut_until_ms = 0

    def round(self, now_ms: int) -> float | None:
        """Returns in how many seconds there may be more to do; None if nothing is left. Raises Unavailable (Redis)."""
        due = self._worthwhile(self.purges.due(now_ms, LOOK_MOST), now_ms) if now_ms >= self.shut_until_ms else []
        failed: set[bool] = set()
        began = time.monotonic()
        for chunk, soft in self._chunks(due, now_ms):
            if soft in failed:
                continue
            # Each call takes its time, and a pause runs from the answer that asks for it.
            at_ms = now_ms + round((time.monotonic() - began) * 1000)
            if at_ms < self.shut_until_ms or self._throttled(at_ms):
                break
            if not self._purge(chunk, soft, at_ms):
                failed.add(soft)
        return self._pause_s(now_ms)

    def _pause_s(self, now_ms: int) -> float | None:
        next_ms = self.purges.next_ms()
        if next_ms is None:
            return None
        waiting = [lane.not_before_ms for lane in self.lanes.values() if lane.failures]
        return max(0, next_ms - now_ms, self.shut_until_ms - now_ms, min(waiting, default=0) - now_ms) / 1000

    def _worthwhile(self, due: list[DuePurge], now_ms: int) -> list[DuePurge]:
        """Without what has expired by itself or will before the CDN could have purged it."""
        moot = [one for one in due if one.is_moot(now_ms)]
        brief = [one for one in due if one.lifetime_s <= self.backend.floor_s]
        if moot:
            metrics.PURGE_MOOT.add(len(moot), cdn=self.backend.name)
            logger.warning("purge_moot cdn=%s keys=%d first=%s", self.backend.name, len(moot), moot[0].key)
        dropped = {*moot, *brief}
        self.purges.ack(list(dropped), again_at_ms=None)
        return [one for one in due if one not in dropped]

    def _chunks(self, due: list[DuePurge], now_ms: int) -> Iterator[tuple[list[DuePurge], bool]]:
        """At most the vendor's number of keys in each; scores before lists."""
        for soft, lane in self.lanes.items():
            mine = [one for one in due if (self.backend.soft and is_soft(one.key)) is soft]
            chosen = [one for one in mine if lane.is_open_to(one, now_ms)]
            keys = iter(dict.fromkeys(one.key for one in chosen))
            while chunk := set(islice(keys, self.backend.max_keys)):
                yield [one for one in chosen if one.key in chunk], soft

    def _throttled(self, now_ms: int) -> bool:
        wait_s = self.backend.budget.take(now_ms / 1000)
        if wait_s:
            metrics.PURGE_THROTTLED.add(cdn=self.backend.name)
            self.shut_until_ms = now_ms + round(wait_s * 1000)
        return bool(wait_s)

    def _purge(self, chunk: list[DuePurge], soft: bool, now_ms: int) -> bool:
        started = time.monotonic()
        keys = list(dict.fromkeys(one.key for one in chunk))
        outcome = self.backend.purge(keys, soft=soft)
        took_ms = round((time.monotonic() - started) * 1000)
        metrics.PURGE_REQUESTS.add(cdn=self.backend.name, result=outcome.result)
        if outcome.result is not PurgeResult.DONE:
            self._failed(self.lanes[soft], outcome, chunk, now_ms + took_ms)
            return False
        self.lanes[soft] = RetryState()
        self._done(chunk, keys, now_ms + took_ms)
        said = (self.backend.name, len(keys), "soft" if soft else "hard", took_ms, ",".join(keys[:5]))
        logger.info("purged cdn=%s keys=%d kind=%s ms=%d first=%s", *said)
        return True

    def _done(self, chunk: list[DuePurge], keys: list[str], now_ms: int) -> None:
        again = [one for one in chunk if one.lifetime_s > self.backend.rebound_above_s]
        self.purges.ack(again, again_at_ms=now_ms + REBOUND_MS)
        self.purges.ack([one for one in chunk if one not in again], again_at_ms=None)
        metrics.PURGE_KEYS.add(len(keys), cdn=self.backend.name)
        for one in chunk:
            if not one.rebound:
                metrics.PURGE_SECONDS.observe(max(0, now_ms - one.at_ms) / 1000, cdn=self.backend.name)

    def _failed(self, lane: RetryState, outcome: Outcome, chunk: list[DuePurge], now_ms: int) -> None:
        """Wait, longer each time; a refusal, which a person must mend, waits longest. The same reason is told once."""
        lane.failures += 1
        most_s = min(RETRY_MOST_S, RETRY_S * 2**lane.failures)
        wait_s = RETRY_MOST_S if outcome.result is PurgeResult.REFUSED else random.uniform(0, most_s)
        lane.not_before_ms = now_ms + round(wait_s * 1000)
        lane.failed_at_ms = max(one.at_ms for one in chunk)
        if outcome.retry_after_s:
            self.shut_until_ms = now_ms + round(outcome.retry_after_s * 1000)
        if outcome.reason != lane.told:
            lane.told = outcome.reason
            said = (self.backend.name, len(chunk), outcome.reason)
            if outcome.result is PurgeResult.REFUSED:
                logger.error("purge_refused cdn=%s keys=%d reason=%r", *said)
            else:
                logger.warning("purge_failed cdn=%s keys=%d reason=%r", *said)
