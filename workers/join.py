"""Joins what was told of a match under another id to the match, once a person has said that both are one.

The other id then continues as the match: its readers are sent there, and it leaves the board.
"""

from __future__ import annotations

import logging

from db.codec import decode_document
from db.domain import (
    DocumentKind,
    Match,
    MatchInfo,
    Precedence,
    Stamp,
    Status,
    Update,
    due_ms,
    joined,
    united,
    with_ledgers,
)
from db.domain.errors import Unavailable
from db.live.partials import Partials
from db.live.store import LiveStore
from db.sql.history import History
from notify.content.window import concerns
from workers import ring
from workers.queues import Doorbells

logger = logging.getLogger(__name__)

# A delivery that was accepted just before the name was known is applied within milliseconds.
AGAIN_MS = 1_000


class Joiner:
    """bells: rung after a join; without them the clock rings."""

    def __init__(
        self, live: LiveStore, history: History, bells: Doorbells | None, *, purging: bool, precedence: Precedence
    ) -> None:
        self.live = live
        self.history = history
        self.bells = bells
        self.purging = purging
        self.precedence = precedence

    def join(self, match_id: str, name: str, *, now_ms: int) -> None:
        """Safe to repeat: a record is a set of tellings. Raises Unavailable."""
        if self.live.inbox.head(name, 1).ids:
            Partials(self.live.sharded).add([match_id], now_ms=now_ms + AGAIN_MS)
            return
        record = self._record(name)
        if record is not None:
            # Again after a concurrent commit.
            while not self._joined(match_id, record, now_ms):
                continue
            self._take_documents(name, match_id)
            self._tell(record, match_id, now_ms)
        self.history.names.mark_merged(name, now_ms=now_ms)
        logger.info("match_joined match=%s name=%s known=%s", match_id, name, record is not None)

    def _record(self, name: str) -> Match | None:
        """All that is known under an id, in Redis and in SQL."""
        live, stored = self.live.matches.load(name).match, self.history.stored(name)
        if stored is not None and not stored.ledgers:
            stored = with_ledgers(stored)
        return united(live, stored) if live and stored else live or stored

    def _joined(self, match_id: str, record: Match, now_ms: int) -> bool:
        """False after a concurrent commit."""
        held = self.live.matches.load(match_id)
        if held.match is None:
            return self._restored(match_id)
        both = joined(held.match, record, now_ms=now_ms, precedence=self.precedence)
        committed = self.live.commits.merge(
            held,
            both,
            (),
            purges=ring.purge_entries(held.match, both.match, both.shown) if self.purging else (),
            tell=concerns(both.match, both.told),
            draws=ring.draws(held.match, both.match),
            due_ms=due_ms(both.match, self.precedence),
        )
        if committed.done and self.bells:
            ring.ring(self.bells, committed)
        return committed.done

    def _take_documents(self, name: str, match_id: str) -> None:
        """Line-ups and statistics, too."""
        for kind in DocumentKind:
            stored = self.live.documents.read(name, kind) or self.history.documents.read(name, kind)
            for one in stored:
                document = decode_document(kind, one.text)
                self.live.documents.put(match_id, document, source=one.source, at_ms=one.at)

    def _restored(self, match_id: str) -> bool:
        """False where Redis has the match now. True where nobody knows it: then there is nothing to join to."""
        stored = self.history.stored(match_id)
        if stored is not None:
            self.live.commits.restore(stored)
        return stored is None

    def _tell(self, record: Match, match_id: str, now_ms: int) -> None:
        """The other id continues as the match."""
        moved = Update(
            record.id,
            Stamp(now_ms, source=record.source),
            now_ms,
            status=Status.REPLACED,
            info=MatchInfo(replaced_by=match_id),
        )
        _, shards = self.live.inbox.accept([moved], now_ms=now_ms)
        for shard in shards if self.bells else ():
            try:
                self.bells.ingest(shard)  # type: ignore[union-attr]
            except Unavailable as error:
                logger.warning("bell_unrung shard=%d reason=%r", shard, error.message)
