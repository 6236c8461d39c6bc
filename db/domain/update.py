"""What a provider says, in our words. Feeds turn bytes into these; `reduce` turns these into a match."""

from __future__ import annotations

from dataclasses import dataclass

from db.domain.documents import Lineups, Stats
from db.domain.event import Event
from db.domain.match_info import MatchInfo
from db.domain.score import Score
from db.domain.stamp import Stamp
from db.domain.vocabulary import SCORING, Status


@dataclass(frozen=True, slots=True)
class Update:
    """One thing a provider said of one match.

    received_at: ms, when we heard it; every other time is the sender's.
    event: the timeline entry it tells of, if any (its `since` and `stamp` are this stamp). score, shootout: the
    provider's scoreboard at that moment, None where it does not say. status_word: the provider's word where it is
    none of ours. voids: the id of an event that no longer stands. is_document: it tells of the match as a whole, was
    asked for, and may be behind what is pushed. present: where such a document lists *all* events of the types `lists`,
    their ids; a known event of these types which is missing there may have been taken back. lineups, stats: all that is
    known of them, as of the stamp; no score follows from them.
    """

    match_id: str
    stamp: Stamp
    received_at: int = 0
    info: MatchInfo | None = None
    event: Event | None = None
    score: Score | None = None
    shootout: Score | None = None
    status: Status | None = None
    status_word: str | None = None
    decided_by: str | None = None
    minute: int | None = None
    added_minute: int | None = None
    period: int | None = None
    clock: str | None = None
    voids: str | None = None
    is_document: bool = False
    present: frozenset[str] | None = None
    lists: frozenset[str] = SCORING
    lineups: Lineups | None = None
    stats: Stats | None = None

    @property
    def is_tick(self) -> bool:
        """Whether it says nothing but what time it is: a match that has something due is worked out anew."""
        return self == Update(self.match_id, self.stamp, self.received_at)
