"""What Redis and SQL know of a match, made one, beside the scores: it is done where SQL is at hand.

A partial match began in Redis without a look into SQL, or Redis came back older than SQL (workers.reconcile). Until it
is merged nothing of it is written to SQL, so that no known column is replaced by less, and its followers hear nothing,
for a goal that SQL knows is no news.
"""

from __future__ import annotations

import logging
import time

from db.bugs import set_aside_on_bug
from db.domain import BY_FIRST_WORD, Match, Precedence, due_ms, merged
from db.live.live import LiveStore
from db.live.metrics import MATCHES_MERGED
from db.live.partials import Partials
from db.sql.history import History
from notify.content.window import concerns
from workers import ring
from workers.queues import Doorbells

logger = logging.getLogger(__name__)

# Matches compared in one look: one query for all of them, and some 10 ms for each that SQL knows.
MATCHES = 50
# Outbox entries read at once, as in workers.history.
ENTRIES = 50
# One that met a bug, or cannot be read by this release, is tried again as a parked one is.
AGAIN_MS = 60_000


class Merger:
    """bells: rung for what a merge fills; without them the clock rings."""

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
        self.partials = Partials(live.redis)
        self.purging = purging
        self.precedence = precedence

    def batch(self) -> int:
        """Merge those that are due; returns how many of them SQL knew. Raises Unavailable, and may be repeated."""
        match_ids = self.partials.due(_now_ms(), MATCHES)
        stored = self.history.versions(match_ids)
        for match_id in match_ids:
            self._merge_or_park(match_id, is_stored=match_id in stored)
        return len(stored)

    def _merge_or_park(self, match_id: str, *, is_stored: bool) -> None:
        def park() -> None:
            self.partials.put_off(match_id, until_ms=_now_ms() + AGAIN_MS)
            self.live.park_history(match_id, now_ms=_now_ms())

        with set_aside_on_bug("history_parked match=%s", match_id, aside=park):
            stored = self.history.stored(match_id) if is_stored else None
            # Again, where another commit came between.
            while not self._merged(match_id, stored):
                continue

    def _merged(self, match_id: str, stored: Match | None) -> bool:
        """False where another commit came between."""
        held = self.live.hold(match_id)
        if held.match is None:
            self.partials.forget(match_id)
            return True
        both = merged(held.match, stored, now_ms=_now_ms(), precedence=self.precedence)
        entries = self._scores_written(match_id) if stored else []
        purges = ring.purge_entries(held.match, both.match, both.shown) if self.purging and both.visible else []
        tell, due = concerns(both.match, both.told), due_ms(both.match, self.precedence)
        committed = self.live.merge(held, both, entries, purges=purges, tell=tell, due_ms=due)
        if not committed.done:
            return False
        if stored:
            logger.warning("match_merged match=%s version=%d stored=%d", match_id, committed.version, stored.version)
            MATCHES_MERGED.add()
        if self.bells:
            ring.ring(self.bells, committed)
        return True

    def _scores_written(self, match_id: str) -> list[str]:
        """What each version in the outbox showed, written; returns the entries, of which the merge keeps the rest."""
        entries: list[str] = []
        while len(entries) % ENTRIES == 0:
            changes = self.live.outbox(match_id, ENTRIES, after=entries[-1] if entries else None)
            if not changes:
                break
            self.history.write_scores(changes)
            entries += [change.id for change in changes]
        return entries


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
