"""`merged`: what Redis has of a match and what history has → the match, and what is new to whom."""

from __future__ import annotations

from dataclasses import dataclass, replace

from db.domain.derive import derive
from db.domain.facts import clock_of, facts_between, is_visible
from db.domain.legacy import with_ledgers
from db.domain.match import Fact, Match
from db.domain.sources import Precedence, chosen
from db.domain.union import united


@dataclass(frozen=True, slots=True)
class MergeResult:
    """stored_version: that of history, 0 where it does not have the match.
    visible: a reader of what Redis had can tell the difference.
    shown: what changes for readers. told: what changes for followers, who know all that history knows.
    """

    match: Match
    stored_version: int
    visible: bool
    shown: tuple[Fact, ...]
    told: tuple[Fact, ...]

    @property
    def is_stored(self) -> bool:
        return self.stored_version > 0


def merged(present: Match, stored: Match | None, *, now_ms: int, precedence: Precedence) -> MergeResult:
    """Both with all their events. What either was told counts, whichever is the older."""
    if stored is None:
        return MergeResult(present, 0, visible=False, shown=(), told=facts_between(None, present))
    if not stored.ledgers:
        stored = with_ledgers(stored)
    both = chosen(_both(present, stored), derive, now_ms=now_ms, precedence=precedence)
    after = _with_clock_of(derive(both), present, stored)
    shown = facts_between(present, after)
    visible = is_visible(present, after, shown) or stored.version > present.version
    return MergeResult(after, stored.version, visible, shown, facts_between(stored, after))


def joined(match: Match, other: Match, *, now_ms: int, precedence: Precedence) -> MergeResult:
    """One match that was told of under two ids: the first, with what was told under the second. Both with all events.

    Always a new version, above those of both: whoever comes from the other id holds one of its versions.
    """
    if not other.ledgers:
        other = with_ledgers(other)
    both = replace(united(match, replace(other, id=match.id)), first=match.first or other.first)
    after = _with_clock_of(derive(chosen(both, derive, now_ms=now_ms, precedence=precedence)), match, other)
    shown = facts_between(match, after)
    return MergeResult(after, other.version, True, shown, shown)


def _both(present: Match, stored: Match) -> Match:
    """The source in force is that of the record that knew both; names of events are as history has them."""
    knows_both = stored.source in present.ledgers
    both = united(present, stored) if knows_both else united(stored, present)
    return replace(both, first=stored.first or present.first)


def _with_clock_of(match: Match, *records: Match) -> Match:
    """A minute is as old as the record that it comes from."""
    heard = (record.minute_at for record in records if clock_of(record) == clock_of(match))
    return replace(match, minute_at=next(heard, records[0].minute_at))
