"""What a reader works with while it holds the lease: accept, report, wait, and know when to stop."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event
from typing import Any, Protocol

from db.domain import Match, Update
from db.domain.errors import Refused, Unavailable
from db.live import metrics
from db.live.feeds import FeedHealth, FeedStates
from db.live.store import LiveStore
from db.refusal import refused_payload
from workers.queues import Doorbells

logger = logging.getLogger(__name__)

# Health is written at most this often: a busy stream has thirty messages a second.
REPORT_S = 1.0
# Updates that wait unapplied at which a feed stops reading until workers have caught up, as the endpoint answers 429.
BACKLOG_WAIT_S = 0.5


class FeedReader(Protocol):
    """One provider. `read` returns when the session halts, and raises Unavailable when the connection is lost.

    silent_after_s: a healthy feed is heard more often than this.
    """

    name: str
    silent_after_s: float

    def read(self, session: FeedSession) -> None: ...


class FeedSession:
    """resolve: gives updates the match ids that we know their matches by.

    halt: set when the process ends or another one has the lease.
    backlog_max: updates that may wait unapplied.
    position: what was kept for the next start. Raises Unavailable where it cannot be read.
    """

    def __init__(
        self,
        reader: FeedReader,
        live: LiveStore,
        bells: Doorbells,
        states: FeedStates,
        halt: Event,
        *,
        backlog_max: int,
        resolve: Callable[[Sequence[Update]], list[Update]] = list,
    ) -> None:
        self.live = live
        self.bells = bells
        self.states = states
        self.halt = halt
        self.backlog_max = backlog_max
        self.resolve = resolve
        holder = f"{socket.gethostname()}:{os.getpid()}"
        self.health = FeedHealth(reader.name, holder, since=now_ms(), silent_after_s=reader.silent_after_s)
        self.position = states.position(reader.name)
        self._reported_s = 0.0

    @property
    def name(self) -> str:
        return self.health.name

    def accept(self, parse: Callable[[bytes, int], Sequence[Update]], body: bytes, *, delivery: str = "") -> int:
        """Parse a message and put its updates safely into Redis; returns how many.

        parse: of (body, ms of its arrival). A refused message is kept with its reason, and counted. delivery:
        `{feed}:{id}` of a message that can come again, which is then taken once. Raises Unavailable where Redis is
        away: the message was not taken and has to be read again.
        """
        received_at = now_ms()
        self.heard()
        metrics.FEED_MESSAGES.add(feed=self.name)
        self._note(messages=self.health.messages + 1)
        try:
            updates = parse(body, received_at)
        except Refused as error:
            self._refuse(body, error, received_at)
            return 0
        self._count_differences(updates)
        return self.put(updates, delivery=delivery)

    def put(self, updates: Sequence[Update], *, delivery: str = "") -> int:
        """Raises Unavailable where they are not safe. The clock rings for a doorbell that cannot be rung now."""
        if not updates:
            return 0
        self._wait_for_workers()
        _, shards = self.live.inbox.accept(self.resolve(updates), now_ms=now_ms(), delivery=delivery)
        metrics.FEED_UPDATES.add(len(updates), feed=self.name)
        self._note(updates=self.health.updates + len(updates))
        for shard in shards:
            try:
                self.bells.ingest(shard)
            except Unavailable as error:
                logger.warning("feed_bell_unrung feed=%s shard=%d reason=%r", self.name, shard, error.message)
        return len(updates)

    def heard(self) -> None:
        """The provider has sent something, be it a heartbeat."""
        if not self.health.connected:
            self._note(connected=True, since=now_ms(), reason="")
            logger.info("feed_connected feed=%s", self.name)
        self._note(heard_at=now_ms())
        self.report()

    def lost(self, reason: str) -> None:
        """The connection is lost, or a request failed."""
        metrics.FEED_RECONNECTS.add(feed=self.name)
        self._note(connected=False, since=now_ms(), reconnects=self.health.reconnects + 1, reason=reason)
        logger.warning("feed_lost feed=%s reason=%r", self.name, reason)
        self.report(at_once=True)

    def gap(self) -> None:
        """Messages may have been missed and are asked for again."""
        metrics.FEED_GAPS.add(feed=self.name)
        self._note(gaps=self.health.gaps + 1)

    def quota(self, left: int | None) -> None:
        self._note(quota_left=left)

    def keep(self, **changed: Any) -> None:
        """Remember where to go on after a restart. Raises Unavailable."""
        self.position |= changed
        self.states.keep_position(self.name, self.position)

    def report(self, *, at_once: bool = False) -> None:
        """Write the health, at most once a second. A Redis that is away is noticed by `accept`."""
        if not at_once and time.monotonic() - self._reported_s < REPORT_S:
            return
        self._reported_s = time.monotonic()
        try:
            self.states.report(self.health)
        except Unavailable as error:
            logger.debug("feed_unreported feed=%s reason=%r", self.name, error.message)

    def _note(self, **changed: Any) -> None:
        self.health = replace(self.health, **changed)

    def _count_differences(self, updates: Sequence[Update]) -> None:
        """Where a provider's document differs from the live state that it repairs."""
        documents = [update for update in updates if update.is_document and (update.score or update.status)]
        for document, match in zip(documents, self.live.matches.read([d.match_id for d in documents]), strict=True):
            for field in _differing(document, match) if match else ():
                metrics.FEED_DIFFERENCES.add(feed=self.name, field=field)
                logger.info("feed_differs feed=%s match=%s field=%s", self.name, document.match_id, field)

    def _refuse(self, body: bytes, error: Refused, received_at: int) -> None:
        metrics.FEED_REFUSED.add(feed=self.name)
        self._note(refused=self.health.refused + 1)
        payload = refused_payload(self.name, body, error, received_at)
        self.live.refusals.keep(payload)
        logger.warning("feed_refused feed=%s id=%s code=%s", self.name, payload.id, payload.code)

    def _wait_for_workers(self) -> None:
        while self.live.inbox.backlog() > self.backlog_max and not self.halt.wait(BACKLOG_WAIT_S):
            self.report()


def _differing(document: Update, match: Match) -> list[str]:
    """`score`, `status`, or both. A match that another source tells may differ for as long as it does."""
    fields = ["score"] if document.score and document.score != match.score else []
    return [*fields, "status"] if document.status and document.status is not match.status else fields


def now_ms() -> int:
    return time.time_ns() // 1_000_000
