"""The matches that pages list, as they are now."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from api.delivery import render
from api.delivery.snapshot import BOARD, Snapshot
from api.pages.clock import Body
from api.services import here
from db.domain import Match, Phase
from db.domain.errors import Unavailable
from db.sql.history import MatchFilter

# Rows of a list, earliest start first: 50 matches from SQL take 4 ms, of the 5 that a page may. The page's modules read
# on.
LISTED = 40
_IN_PLAY = frozenset({Phase.LIVE, Phase.BREAK})


@dataclass(frozen=True, slots=True)
class LiveMatches:
    """Those of a version of the board, by id."""

    version: int
    by_id: Mapping[str, Body]


def live_matches() -> LiveMatches:
    """From the board's own body, once a version: to decode the matches again would take ten times as long. Raises
    Unavailable."""
    snapshot = here().reader.read(BOARD)
    if snapshot is None:
        return LiveMatches(0, {})
    return here().pages.get("live", snapshot.version, lambda: _live(snapshot))


def _live(snapshot: Snapshot) -> LiveMatches:
    return LiveMatches(snapshot.version, {one["match_id"]: one for one in json.loads(snapshot.json)["matches"]})


def live_now() -> Mapping[str, Body]:
    """None of them without Redis."""
    with suppress(Unavailable):
        return live_matches().by_id
    return {}


def live_version() -> int | None:
    """Of the board; None without Redis."""
    with suppress(Unavailable):
        return live_matches().version
    return None


def listed(wanted: MatchFilter, live: Mapping[str, Body], now_ms: int) -> list[Body]:
    """LISTED matches. live: those in play, by id. Raises Unavailable without SQL."""
    matches, _ = here().history.matches(wanted, LISTED)
    return as_now(matches, live, now_ms)


def as_now(matches: Iterable[Match], live: Mapping[str, Body], now_ms: int) -> list[Body]:
    """History is written a moment after the score: those in play are taken from the board, and those that may have
    begun or ended since from Redis."""
    known = list(matches)
    doubtful = [match.id for match in known if match.id not in live and _may_have_moved(match, now_ms)]
    newer: dict[str, Match] = {}
    with suppress(Unavailable):
        newer = {match.id: match for match in here().live.matches.readable(doubtful)} if doubtful else {}
    return [live.get(match.id) or render.summary(newer.get(match.id, match)) for match in known]


def _may_have_moved(match: Match, now_ms: int) -> bool:
    if match.phase in _IN_PLAY:
        return True
    return match.phase is Phase.SCHEDULED and match.start_time is not None and match.start_time <= now_ms
