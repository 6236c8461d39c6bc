"""Applies inboxes to the live state: a match's updates go through `reduce` into one commit."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from db.bugs import set_aside_on_bug
from db.domain import BY_FIRST_WORD, Document, Match, Precedence, Update, due_ms, essential, is_visible, reduce
from db.domain.errors import Unavailable
from db.live.commits import CommitResult
from db.live.inbox import InboxHead
from db.live.matches import EventName, StoredMatch
from db.live.metrics import FEED_LAG, SOURCES_TAKEN_OVER, STAMPS_CLAMPED
from db.live.room import APPLIED_MAX
from db.live.store import LiveStore
from notify.content.window import concerns
from workers import ring
from workers.boot import services
from workers.queues import Doorbells

logger = logging.getLogger(__name__)

# Updates per commit. A burst is a few dozen per match; more only lengthens the Lua script, which blocks Redis
# (100 commands are about 0.1 ms).
BATCH = 100
# Sources whose lag is measured: a label's value is a row for ever. Older events than this are no news.
LAG_SOURCES = ("generic", "sportradar", "statsperform", "openligadb", "football_data")
LAG_MAX_MS = 5 * 60 * 1000
# An RQ job costs about 5 ms of overhead, a drain 1 ms. So the job lingers and polls before it ends, unless other jobs
# wait. 5 ms between polls add 2.5 ms to a goal on average. Measured: bench/ingest.py.
LINGER_S, LOOK_S = 0.25, 0.005
# Maximum life of a job: only between jobs does RQ count it and the worker handle signals.
LIFE_S = 2.0
# Matches cached after this process wrote them, so that the next update need not read them. Checked by revision.
REMEMBERED = 512


def drain_shard(shard: int) -> None:
    """The job behind an ingest doorbell: apply everything pending in one shard, then clear its doorbell. Without Redis,
    or where it is nearly full, the clock rings again.

    Raises Refused in a worker that started before the number of shards changed: it would look under the wrong keys.
    """
    try:
        if services().shards.agree_in(shard):
            drain_pending(_drain(), shard)
    except Unavailable as error:
        logger.warning("ingest_waits shard=%d reason=%r", shard, error.message)


@lru_cache(maxsize=1)
def _drain() -> Drain:
    resources = services()
    settings = resources.settings
    return Drain(resources.live, resources.bells, purging=settings.cdn != "null", precedence=resources.precedence)


def drain_pending(drain: Drain, shard: int) -> None:
    """Drain while there is work, linger, then clear the doorbell. At the end of its life it rings for the next job."""
    started = busy = time.monotonic()
    while time.monotonic() - started < LIFE_S:
        waiting = drain.live.inbox.pending(shard)
        for match_id in waiting:
            _drain_or_park(drain, match_id)
        if waiting:
            busy = time.monotonic()
        elif time.monotonic() - busy < LINGER_S and drain.bells.waiting() == 0:
            time.sleep(LOOK_S)
        elif drain.live.inbox.clear_bell(shard):
            return
    drain.bells.ingest(shard)


def _drain_or_park(drain: Drain, match_id: str) -> None:
    """A match that hits a bug is parked with an error and retried, so that it does not stop the others."""

    def park() -> None:
        drain.live.inbox.park(match_id, now_ms=time.time_ns() // 1_000_000)

    with set_aside_on_bug("match_parked match=%s", match_id, aside=park):
        drain.match(match_id)


class Drain:
    """Applies inboxes. Several may work on one match: one commit succeeds, the others read again.

    A goal waits for no database: a match missing in Redis starts empty and partial, and is merged with SQL separately
    (workers.merge).
    """

    def __init__(
        self,
        live: LiveStore,
        bells: Doorbells,
        *,
        purging: bool = False,
        precedence: Precedence = BY_FIRST_WORD,
    ) -> None:
        self.live = live
        self.bells = bells
        self.purging = purging
        self.precedence = precedence
        self.remembered: OrderedDict[str, StoredMatch] = OrderedDict()

    def match(self, match_id: str) -> None:
        """Apply the match's whole inbox, batch by batch."""
        left = 1
        while left:
            waiting = self.live.inbox.head(match_id, BATCH)
            left = self._apply(match_id, waiting) if waiting.ids else self.live.inbox.settle(match_id)

    def _apply(self, match_id: str, waiting: InboxHead) -> int:
        """Apply one batch in one commit; returns the number of entries left in the inbox."""
        self.live.room.check(APPLIED_MAX)
        current = self._current(match_id, waiting)
        if current.rev != waiting.rev:
            # Another process committed since the inbox was read: the entries may be applied already.
            return 1
        after, facts = reduce(current.match, *waiting.updates, precedence=self.precedence)
        self._keep_documents(after, waiting.updates)
        visible = is_visible(current.match, after, facts)
        purges = ring.purge_entries(current.match, after, facts) if self.purging and visible else []
        tell = visible and concerns(after, facts)
        committed = self.live.commits.commit(
            current,
            after,
            facts,
            waiting.ids,
            visible=visible,
            purges=purges,
            tell=tell,
            draws=visible and ring.draws(current.match, after),
            due_ms=due_ms(after, self.precedence),
        )
        self.remembered.pop(match_id, None)
        if committed.done:
            _report_sources(current.match, after)
            _observe_lag(waiting.updates, now_ms=time.time_ns() // 1_000_000)
            self._follow(after, committed, visible)
        return committed.left

    def _keep_documents(self, match: Match, updates: Iterable[Update]) -> None:
        """Before the commit, which drops the entries: a repeat changes nothing."""
        for update in updates:
            documents: list[Document | None] = [update.lineups, update.stats]
            for document in documents:
                if document is None:
                    continue
                kept = self.live.documents.put(
                    match.id,
                    document,
                    source=update.stamp.source,
                    at_ms=update.stamp.at or update.received_at,
                    purge=ring.document_purge(match, document) if self.purging else "",
                )
                ring.ring_document(self.bells, kept)

    def _follow(self, after: Match, committed: CommitResult, visible: bool) -> None:
        self._remember(StoredMatch(after, committed.rev))
        if visible:
            score = f"{after.score.home}-{after.score.away}" if after.score else None
            logger.info(
                "match_applied match=%s version=%d status=%s score=%s minute=%s",
                after.id,
                committed.version,
                after.status.value,
                score,
                after.minute,
            )
        ring.ring(self.bells, committed)

    def _current(self, match_id: str, waiting: InboxHead) -> StoredMatch:
        """The match at its revision, with the events that the updates refer to; from the cache where it is current."""
        names = _named(waiting.updates)
        remembered = self.remembered.get(match_id)
        if remembered and remembered.match and remembered.rev == waiting.rev:
            return replace(remembered, match=self.live.matches.with_named(remembered.match, names))
        return self.live.matches.load(match_id, names)

    def _remember(self, current: StoredMatch) -> None:
        assert current.match is not None  # noqa: S101 - for the type checker
        self.remembered[current.match.id] = replace(current, match=essential(current.match))
        if len(self.remembered) > REMEMBERED:
            self.remembered.popitem(last=False)


def _report_sources(before: Match | None, after: Match) -> None:
    """Log and count a change of source, and stamps clamped because a sender's clock is wrong."""
    if before is not None and before.source not in ("", after.source):
        logger.warning("source_taken_over match=%s from=%s to=%s", after.id, before.source, after.source)
        SOURCES_TAKEN_OVER.add()
    ledgers_before = before.ledgers if before else {}
    for source, ledger in after.ledgers.items():
        clamped = ledger.clamped - (ledgers_before[source].clamped if source in ledgers_before else 0)
        if clamped > 0:
            logger.warning("stamps_clamped match=%s source=%s messages=%d", after.id, source, clamped)
            STAMPS_CLAMPED.add(clamped, source=source)


def _observe_lag(updates: Iterable[Update], *, now_ms: int) -> None:
    """How long from each event to its commit. What is older is an edit, a replay or a catch-up."""
    for update in updates:
        age_ms = now_ms - update.stamp.at
        if (
            update.event
            and not update.stamp.undated
            and 0 <= age_ms < LAG_MAX_MS
            and update.stamp.source in LAG_SOURCES
        ):
            FEED_LAG.observe(age_ms / 1000, source=update.stamp.source)


def _named(updates: Iterable[Update]) -> list[EventName]:
    """The events that the updates contain or void."""
    names: dict[EventName, None] = {}
    for update in updates:
        for event_id in (update.event.id if update.event else None, update.voids):
            if event_id is not None:
                names[update.stamp.source, event_id] = None
    return list(names)
