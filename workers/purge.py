"""Purges the CDN: coalesced, in the vendor's chunk size and budget, retried, and repeated two seconds later.

A failing CDN delays this job only, never a goal.
"""

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
from db.backoff import doubled
from db.domain.errors import Unavailable
from db.live import metrics
from db.live.purges import DuePurge, Purges
from workers.boot import services
from workers.queues import Doorbells

logger = logging.getLogger(__name__)

# Between two rounds: changes committed meanwhile share a call. The first purge after a quiet time goes at once.
COALESCE_S = 0.05
# The job stays for the second purge. Only between jobs does RQ count it and the worker handle signals.
LIFE_S = 5.0
# A fetch that began before the commit may fill the cache after the purge. By then it has finished
# (Fastly, "Purging best practices": about 2 s), or what it brings is kept for no longer than a live score
# (cdn/varnish/fetch.vcl).
REBOUND_MS = 2_000
# Full jitter below these (s), doubling at each failure.
RETRY_S, RETRY_MAX_S = 0.25, 30.0
# Keys per round: ten calls of the usual chunk size, and all matches of a Saturday.
DUE_KEYS_MAX = 1_000


def drain() -> None:
    """The job behind the purge doorbell."""
    resources = services()
    try:
        if resources.shards.is_frozen():
            return
        drain_pending(_purger(), resources.bells)
    except Unavailable as error:
        logger.warning("purge_waits reason=%r", error.message)


@lru_cache(maxsize=1)
def _purger() -> Purger:
    resources = services()
    return Purger(resources.purges, resources.cdn)


def drain_pending(purger: Purger, bells: Doorbells) -> None:
    """Purge until nothing is left, then clear the doorbell.

    While nothing can be purged it waits, unless other jobs wait: then it ends and the clock rings again.
    """
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
    """Retries of one kind of purge, hard or soft. Only keys due before the failure wait: a newer goal is tried at once.

    failures: in a row.
    failed_at_ms: newest key of the failed call.
    not_before_ms: next attempt for the keys that failed.
    last_reason: logged last, so that each reason is logged once.
    """

    failures: int = 0
    failed_at_ms: int = 0
    not_before_ms: int = 0
    last_reason: str = ""

    def is_ready_for(self, purge: DuePurge, now_ms: int) -> bool:
        return now_ms >= self.not_before_ms or purge.at_ms > self.failed_at_ms


class Purger:
    """Purges what is due. Keeps the state of retries from job to job."""

    def __init__(self, purges: Purges, backend: Backend) -> None:
        self.purges = purges
        self.backend = backend
        self.retries = {False: RetryState(), True: RetryState()}
        # No calls before this time: the budget is spent, or the CDN asked for a pause.
        self.paused_until_ms = 0

    def round(self, now_ms: int) -> float | None:
        """Purge what is due; returns seconds until the next round, None if nothing is left. Raises Unavailable."""
        due = self._worthwhile(self.purges.due(now_ms, DUE_KEYS_MAX), now_ms) if now_ms >= self.paused_until_ms else []
        failed: set[bool] = set()
        began = time.monotonic()
        for chunk, soft in self._chunks(due, now_ms):
            if soft in failed:
                continue
            # Calls take time, and a pause counts from the answer that asked for it.
            at_ms = now_ms + round((time.monotonic() - began) * 1000)
            if at_ms < self.paused_until_ms or self._throttled(at_ms):
                break
            if not self._purge(chunk, soft, at_ms):
                failed.add(soft)
        return self._pause_s(now_ms)

    def _pause_s(self, now_ms: int) -> float | None:
        next_ms = self.purges.next_ms()
        if next_ms is None:
            return None
        waiting = [retry.not_before_ms for retry in self.retries.values() if retry.failures]
        return max(0, next_ms - now_ms, self.paused_until_ms - now_ms, min(waiting, default=0) - now_ms) / 1000

    def _worthwhile(self, due: list[DuePurge], now_ms: int) -> list[DuePurge]:
        """Drop keys whose copies have expired, or will before the CDN could purge them."""
        expired = [purge for purge in due if purge.is_moot(now_ms)]
        brief = [purge for purge in due if purge.lifetime_s <= self.backend.floor_s]
        if expired:
            metrics.PURGE_MOOT.add(len(expired), cdn=self.backend.name)
            logger.warning("purge_moot cdn=%s keys=%d first=%s", self.backend.name, len(expired), expired[0].key)
        dropped = {*expired, *brief}
        self.purges.ack(list(dropped), again_at_ms=None)
        return [purge for purge in due if purge not in dropped]

    def _chunks(self, due: list[DuePurge], now_ms: int) -> Iterator[tuple[list[DuePurge], bool]]:
        """Chunks of the vendor's maximum number of keys; scores before lists."""
        for soft, retry in self.retries.items():
            mine = [purge for purge in due if (self.backend.soft and is_soft(purge.key)) is soft]
            chosen = [purge for purge in mine if retry.is_ready_for(purge, now_ms)]
            keys = iter(dict.fromkeys(purge.key for purge in chosen))
            while chunk := set(islice(keys, self.backend.max_keys)):
                yield [purge for purge in chosen if purge.key in chunk], soft

    def _throttled(self, now_ms: int) -> bool:
        wait_s = self.backend.budget.take(now_ms / 1000)
        if wait_s:
            metrics.PURGE_THROTTLED.add(cdn=self.backend.name)
            self.paused_until_ms = now_ms + round(wait_s * 1000)
        return bool(wait_s)

    def _purge(self, chunk: list[DuePurge], soft: bool, now_ms: int) -> bool:
        started = time.monotonic()
        keys = list(dict.fromkeys(purge.key for purge in chunk))
        outcome = self.backend.purge(keys, soft=soft)
        took_ms = round((time.monotonic() - started) * 1000)
        metrics.PURGE_REQUESTS.add(cdn=self.backend.name, result=outcome.result)
        if outcome.result is not PurgeResult.DONE:
            self._failed(self.retries[soft], outcome, chunk, now_ms + took_ms)
            return False
        self.retries[soft] = RetryState()
        self._done(chunk, keys, now_ms + took_ms)
        kind, first = "soft" if soft else "hard", ",".join(keys[:5])
        logger.info("purged cdn=%s keys=%d kind=%s ms=%d first=%s", self.backend.name, len(keys), kind, took_ms, first)
        return True

    def _done(self, chunk: list[DuePurge], keys: list[str], now_ms: int) -> None:
        again = [purge for purge in chunk if purge.lifetime_s > self.backend.rebound_above_s]
        self.purges.ack(again, again_at_ms=now_ms + REBOUND_MS)
        self.purges.ack([purge for purge in chunk if purge not in again], again_at_ms=None)
        metrics.PURGE_KEYS.add(len(keys), cdn=self.backend.name)
        for purge in chunk:
            if not purge.rebound:
                metrics.PURGE_SECONDS.observe(max(0, now_ms - purge.at_ms) / 1000, cdn=self.backend.name)

    def _failed(self, retry: RetryState, outcome: Outcome, chunk: list[DuePurge], now_ms: int) -> None:
        """Back off. A refusal, which a person must fix, waits longest. Each reason is logged once."""
        retry.failures += 1
        max_s = doubled(RETRY_S, retry.failures, RETRY_MAX_S)
        wait_s = RETRY_MAX_S if outcome.result is PurgeResult.REFUSED else random.uniform(0, max_s)
        retry.not_before_ms = now_ms + round(wait_s * 1000)
        retry.failed_at_ms = max(purge.at_ms for purge in chunk)
        if outcome.retry_after_s:
            self.paused_until_ms = now_ms + round(outcome.retry_after_s * 1000)
        if outcome.reason != retry.last_reason:
            retry.last_reason = outcome.reason
            if outcome.result is PurgeResult.REFUSED:
                logger.error("purge_refused cdn=%s keys=%d reason=%r", self.backend.name, len(chunk), outcome.reason)
            else:
                logger.warning("purge_failed cdn=%s keys=%d reason=%r", self.backend.name, len(chunk), outcome.reason)
