"""Reconciles Redis with SQL after a restart or failover: Redis may have come back empty, or older than SQL.

Matches are compared by version before anything is written to SQL again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from db.domain import Match
from db.domain.errors import Undecodable
from db.live.lineage import Lineage, Names
from db.live.partials import Partials
from db.live.sharding import Shard
from db.live.store import LiveStore
from db.sql.history import History
from db.undecodable import tell

logger = logging.getLogger(__name__)

# Matches written to SQL lately. Nobody restores an older backup in an emergency, and 10,000 versions are compared in
# less than a second.
RECENT_MS = 7 * 24 * 60 * 60 * 1000
# Versions per comparison: one query and one pipeline.
PAGE = 500
# A stale match: its end was never reported. Football with extra time, kicks and an hour's interruption takes less than
# five hours. A match that pauses for longer, such as a cricket test overnight, comes back with its next update.
STALE_START_MS = 6 * 60 * 60 * 1000
STALE_SILENT_MS = 3 * 60 * 60 * 1000


def reconcile(live: LiveStore, history: History, *, now_ms: int) -> Names:
    """Reconcile the shards of a Redis that may have lost data; returns its names, recorded from then on.

    Usually there is nothing to do, at the cost of one read. Raises Unavailable; safe to repeat.
    """
    lineage = Lineage(live.sharded)
    names, recorded = lineage.read()
    if names != recorded:
        both = list(zip(live.sharded.shards, names, recorded, strict=True))
        for shard, name, before in both:
            if name != before:
                live.board.renew(shard, name)
        _compare(live, history, now_ms, {shard: not before for shard, name, before in both if name != before})
        lineage.record(names)
    return names


def stale_bounds(now_ms: int) -> dict[str, int]:
    """Stale matches started before the first time and had no update since the second (ms)."""
    return {"started_before": now_ms - STALE_START_MS, "silent_since": now_ms - STALE_SILENT_MS}


def _compare(live: LiveStore, history: History, now_ms: int, changed: Mapping[Shard, bool]) -> None:
    """changed: shards, and whether each is new. Then it holds only matches that arrived since, all partial; otherwise
    differing matches become partial."""
    after, compared, restored, older = "", 0, 0, 0
    while recent := history.recent(PAGE, after, since=now_ms - RECENT_MS, **stale_bounds(now_ms)):
        after = recent[-1].id
        page = [match for match in recent if live.sharded.of(match.id) in changed]
        present = dict(zip(page, live.matches.versions([match.id for match in page]), strict=True))
        restored += _restore(live, history, [match.id for match in page if match.live and present[match] is None])
        differing = [match.id for match, version in present.items() if version not in (None, match.version)]
        Partials(live.sharded).add(differing, now_ms=now_ms)
        older += len(differing)
        compared += len(page)
        if restored or older:
            logger.warning("live_compared matches=%d restored=%d differing=%d", compared, restored, older)
    if restored and all(changed.values()):
        logger.warning("live_rebuilt matches=%d", restored)


def _restore(live: LiveStore, history: History, match_ids: Iterable[str]) -> int:
    return sum(live.commits.restore(match) for match_id in match_ids if (match := _stored(history, match_id)))


def _stored(history: History, match_id: str) -> Match | None:
    """The match in SQL; None if this release cannot read it."""
    try:
        return history.stored(match_id)
    except Undecodable as error:
        tell(error)
        return None
