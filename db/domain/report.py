"""Whole documents, as far as they say what still stands: which events they list, and their score."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from db.domain.score import Score
from db.domain.stamp import Mark, by_time
from db.domain.vocabulary import SCORING

# Snapshots kept: the newest of each two seconds. Polled every second, eight of them reach back longer than absence has
# to last (`absence`), and the first one that lacks an event is hidden for no more than a second.
SNAPSHOTS_KEPT, SNAPSHOT_SPAN_MS = 8, 2_000


@dataclass(frozen=True, slots=True)
class MatchReport:
    """A document that lists all events of some types.

    ids: of those listed.
    score: its own, None where not told.
    lists: the types.
    """

    mark: Mark
    ids: frozenset[str]
    score: Score | None = None
    lists: frozenset[str] = SCORING


def kept_snapshots(snapshots: Iterable[MatchReport]) -> tuple[MatchReport, ...]:
    newest: dict[int, MatchReport] = {}
    for snapshot in sorted(snapshots, key=_snapshot_order):
        newest[snapshot.mark.at // SNAPSHOT_SPAN_MS] = snapshot
    return tuple([newest[span] for span in sorted(newest)][-SNAPSHOTS_KEPT:])


def _snapshot_order(snapshot: MatchReport) -> tuple[object, ...]:
    return (*by_time(snapshot.mark), repr(sorted(snapshot.ids)), repr(snapshot.score), repr(sorted(snapshot.lists)))
