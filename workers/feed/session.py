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
from workers.feed.reconciliation import Difference, Reconciliation, documents
from workers.queues import Doorbells

logger = logging.getLogger(__name__)

# Health is written at most this often: a busy stream has thirty messages a second.
REPORT_S = 1.0
# Updates that wait unapplied at which a feed stops reading until workers have caught up, as the endpoint answers 429.
BACKLOG_WAIT_S = 0.5


class FeedReader(Protocol):
    """One provider. `read` returns when the session halts, and raises Unavailable when the connection is lost.

    silent_after_s: a healthy feed is heard more often than this.
    places: processes that may read it at once.
    """

    name: str
    silent_after_s: float
    places: int

    def read(self, session: FeedSession) -> None: ...


class FeedSession:
    """place: the name that its health has.
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
        place: str,
        halt: Event,
        *,
        backlog_max: int,
    ) -> None:
        self.live = live
        self.bells = bells
        self.states = states
        self.halt = halt
        self.backlog_max = backlog_max
        holder = f"{socket.gethostname()}:{os.getpid()}"
        self.name = reader.name
        self.health = FeedHealth(place, holder, since=now_ms(), silent_after_s=reader.silent_after_s)
        self.position = states.position(reader.name)
        self.reconciliation = Reconciliation()
        self._reported_s = 0.0

    def accept(self, parse: Callable[[bytes, int], Sequence[Update]], body: bytes, *, delivery: str = "") -> int | None:
        """Parse a message and put its updates safely into Redis; returns how many, None where it is refused.

        parse: of (body, ms of its arrival). A refused message is kept with its reason, and counted. delivery:
        `{feed}:{id}` of a message that can come again, which is then taken once. Raises Unavailable where Redis is
        away or nearly full: the message was not taken and has to be read again.
        """
        received_at = now_ms()
        self.heard()
        metrics.FEED_MESSAGES.add(feed=self.name)
        self._note(messages=self.health.messages + 1)
        self.live.room.check()
        try:
            updates = self.live.names.resolved(parse(body, received_at))
        except Refused as error:
            self.refuse(body, error, received_at)
            return None
        self._reconcile(updates)
        return self.put(updates, delivery=delivery)

    def put(self, updates: Sequence[Update], *, delivery: str = "") -> int:
        """updates: with the ids that we know their matches by. Raises Unavailable where they are not safe.

        The clock rings for a doorbell that cannot be rung now.
        """
        if not updates:
            return 0
        self._wait_for_workers()
        is_new, shards = self.live.inbox.accept(updates, now_ms=now_ms(), delivery=delivery)
        if is_new:
            metrics.FEED_UPDATES.add(len(updates), feed=self.name)
            self._note(updates=self.health.updates + len(updates))
        for shard in shards:
            try:
                self.bells.ingest(shard)
            except Unavailable as error:
                logger.warning("feed_bell_unrung feed=%s shard=%d reason=%r", self.name, shard, error.message)
        return len(updates)

    def refuse(self, body: bytes, error: Refused, received_at: int, *, provider: str = "") -> None:
        """Count a message that cannot be parsed, and keep it. provider: whose format it has, unless the feed's own."""
        metrics.FEED_REFUSED.add(feed=self.name)
        self._note(refused=self.health.refused + 1)
        payload = refused_payload(provider or self.name, body, error, received_at)
        self.live.refusals.keep(payload)
        logger.warning("feed_refused feed=%s id=%s code=%s", self.name, payload.id, payload.code)

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

    def failed(self, reason: str) -> None:
        """One of several requests failed, and the others did not."""
        metrics.FEED_RECONNECTS.add(feed=self.name)
        self._note(reconnects=self.health.reconnects + 1, reason=reason)
        logger.warning("feed_request_failed feed=%s reason=%r", self.name, reason)
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
            self.standing()
            self.states.report(self.health)
        except Unavailable as error:
            logger.debug("feed_unreported feed=%s reason=%r", self.name, error.message)

    def _note(self, **changed: Any) -> None:
        self.health = replace(self.health, **changed)

    def _reconcile(self, updates: Sequence[Update]) -> None:
        """Where documents differ from the live state that they repair."""
        match_ids = list(dict.fromkeys(document.match_id for document in documents(updates)))
        if match_ids:
            self._count(self.reconciliation.compare(updates, self._known(match_ids), now_ms()))

    def reconcile_list(self, listed: Sequence[str], source: str) -> list[str]:
        """Matches that were not repaired by their documents, or that the provider's list of all matches in play lacks.

        source: under whose name their updates are accepted. Raises Unavailable.
        """
        live = [match for match in self.live.board.read().matches if match.source == source]
        self._count(self.reconciliation.compare_list(listed, live, now_ms()))
        return self.standing()

    def standing(self) -> list[str]:
        """Matches that differ although their documents were applied. Raises Unavailable."""
        due = self.reconciliation.due(now_ms())
        if due:
            self.reconciliation.recheck(self._known(due), now_ms())
        standing = self.reconciliation.standing()
        metrics.FEED_DIFFERING.set(len(standing), feed=self.name)
        self._note(differing=len(standing))
        return standing

    def _known(self, match_ids: Sequence[str]) -> dict[str, Match]:
        return {match.id: match for match in self.live.matches.readable(match_ids)}

    def _count(self, differences: Sequence[Difference]) -> None:
        for difference in differences:
            metrics.FEED_DIFFERENCES.add(feed=self.name, field=difference.field)
            logger.info("feed_differs feed=%s match=%s field=%s", self.name, difference.match_id, difference.field)
        self._note(differences=self.health.differences + len(differences))

    def _wait_for_workers(self) -> None:
        while self.live.inbox.backlog() > self.backlog_max and not self.halt.wait(BACKLOG_WAIT_S):
            self.report()


def now_ms() -> int:
    return time.time_ns() // 1_000_000
