"""Merges a partial match in Redis with what SQL knows of it.

A match is partial if it started in Redis without reading SQL, or if Redis came back older than SQL (workers.reconcile).
Until it is merged it is not written to SQL, so no known column is lost, and followers are not notified, since a goal
may be known already.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from db.bugs import set_aside_on_bug
from db.domain import BY_FIRST_WORD, Match, Precedence, due_ms, merged
from db.live.metrics import MATCHES_MERGED
from db.live.partials import Partials
from db.live.store import LiveStore
from db.sql.history import History
from notify.content.window import concerns
from workers import ring
from workers.join import Joiner
from workers.queues import Doorbells

logger = logging.getLogger(__name__)

# Matches per batch: one query for all, and some 10 ms for each that SQL knows.
MATCHES = 50
# Outbox entries read at once, as in workers.history.
ENTRIES = 50
# Delay before a match that hit a bug, or that this release cannot read, is retried.
AGAIN_MS = 60_000


class Merger:
    """bells: rung after a merge; without them the clock rings.

    purging: whether a CDN is configured.
    precedence: of sources.
    """

    def __init__(
        self,
        live: LiveStore,
        history: History,
        bells: Doorbells | None = None,
        *,
        purging: bool = False,
        precedence: Precedence = BY_FIRST_WORD,
    ) -> None:
        self.live = live
        self.history = history
        self.bells = bells
        self.partials = Partials(live.sharded)
        self.purging = purging
        self.precedence = precedence
        self.joiner = Joiner(live, history, bells, purging=purging, precedence=precedence)

    def batch(self) -> int:
        """Merge the matches that are due; returns how many SQL knew. Raises Unavailable; safe to repeat."""
        match_ids = self.partials.due(_now_ms(), MATCHES)
        stored, names = self.history.versions(match_ids), self.history.names.unmerged(match_ids)
        for match_id in match_ids:
            self._merge_or_park(match_id, is_stored=match_id in stored, names=names.get(match_id, ()))
        return len(stored)

    def _merge_or_park(self, match_id: str, *, is_stored: bool, names: Sequence[str] = ()) -> None:
        """names: other ids of the match whose own records are to be joined to it."""

        def park() -> None:
            self.partials.put_off(match_id, until_ms=_now_ms() + AGAIN_MS)
            self.live.outbox.park(match_id, now_ms=_now_ms())

        with set_aside_on_bug("history_parked match=%s", match_id, aside=park):
            stored = self.history.stored(match_id) if is_stored else None
            # Retry after a concurrent commit.
            while not self._merged(match_id, stored):
                continue
            for name in names:
                self.joiner.join(match_id, name, now_ms=_now_ms())

    def _merged(self, match_id: str, stored: Match | None) -> bool:
        """False after a concurrent commit."""
        held = self.live.matches.load(match_id)
        if held.match is None:
            self.partials.forget(match_id)
            return True
        both = merged(held.match, stored, now_ms=_now_ms(), precedence=self.precedence)
        entries = self._scores_written(match_id) if stored else []
        purges = ring.purge_entries(held.match, both.match, both.shown) if self.purging and both.visible else []
        tell, due = concerns(both.match, both.told), due_ms(both.match, self.precedence)
        draws = ring.draws(held.match, both.match)
        committed = self.live.commits.merge(held, both, entries, purges=purges, tell=tell, draws=draws, due_ms=due)
        if not committed.done:
            return False
        if stored:
            logger.warning("match_merged match=%s version=%d stored=%d", match_id, committed.version, stored.version)
            MATCHES_MERGED.add()
        if self.bells:
            ring.ring(self.bells, committed)
        return True

    def _scores_written(self, match_id: str) -> list[str]:
        """Write the score of each version in the outbox; returns the ids of those entries."""
        entries: list[str] = []
        while len(entries) % ENTRIES == 0:
            changes = self.live.outbox.entries(match_id, ENTRIES, after=entries[-1] if entries else None)
            if not changes:
                break
            self.history.write_scores(changes)
            entries += [change.id for change in changes]
        return entries


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
