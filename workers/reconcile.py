"""A Redis that was started anew, or took another's place, may have come back empty, or older than SQL.

Its matches are compared with those of SQL, by their versions, before anything is written to SQL again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from db.domain import Match
from db.domain.errors import Undecodable
from db.live.lineage import Lineage
from db.live.live import LiveStore
from db.live.partials import Partials
from db.sql.history import History
from db.undecodable import tell

logger = logging.getLogger(__name__)

# Matches of which SQL was told lately: no copy that anybody restores in an emergency is older, and 10,000 versions are
# compared in less than a second.
RECENT_MS = 7 * 24 * 60 * 60 * 1000
# Versions compared at once: one query and one pipeline.
PAGE = 500
# A match whose end nobody told. Football with extra time, kicks and an hour's interruption is over within five hours;
# one that rests for longer than the silence, a test match overnight, comes back with its next news.
FORSAKEN_START_MS = 6 * 60 * 60 * 1000
FORSAKEN_SILENT_MS = 3 * 60 * 60 * 1000


def reconcile(live: LiveStore, history: History, *, now_ms: int) -> str:
    """Bring a Redis that may have lost something level with SQL; returns its name, by which it is known from then on.

    Nothing to do, as nearly always, is one look into Redis. Raises Unavailable, and may be repeated.
    """
    lineage = Lineage(live.redis)
    name, recorded = lineage.read()
    if name != recorded:
        _compare(live, history, now_ms, is_new=not recorded)
        lineage.record(name)
    return name


def forsaken(now_ms: int) -> dict[str, int]:
    """Began before the one moment, and nothing was told since the other (ms)."""
    return {"started_before": now_ms - FORSAKEN_START_MS, "silent_since": now_ms - FORSAKEN_SILENT_MS}


def _compare(live: LiveStore, history: History, now_ms: int, *, is_new: bool) -> None:
    """is_new: it holds nothing but what came since, all of it partial; else what differs is marked as partial."""
    after, compared, restored, older = "", 0, 0, 0
    while page := history.recent(PAGE, after, since=now_ms - RECENT_MS, **forsaken(now_ms)):
        present = dict(zip(page, live.versions([match.id for match in page]), strict=True))
        restored += _restore(live, history, [match.id for match in page if match.live and present[match] is None])
        differing = [match.id for match, version in present.items() if version not in (None, match.version)]
        Partials(live.redis).add(differing, now_ms=now_ms)
        older += len(differing)
        compared += len(page)
        after = page[-1].id
        if restored or older:
            logger.warning("live_compared matches=%d restored=%d differing=%d", compared, restored, older)
    if is_new and restored:
        logger.warning("live_rebuilt matches=%d", restored)


def _restore(live: LiveStore, history: History, match_ids: Iterable[str]) -> int:
    return sum(live.restore(match) for match_id in match_ids if (match := _stored(history, match_id)))


def _stored(history: History, match_id: str) -> Match | None:
    """None where this release cannot read it."""
    try:
        return history.stored(match_id)
    except Undecodable as error:
        tell(error)
        return None
