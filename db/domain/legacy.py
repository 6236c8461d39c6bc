"""A match as the first release kept it, with a ledger made from that. Needed until none of those is stored."""

from __future__ import annotations

from dataclasses import replace

from db.domain.event import Event, Telling, tellings_of, unfolded
from db.domain.evidence import ClockReading
from db.domain.ledger import Ledger, is_key
from db.domain.match import Match
from db.domain.match_info import MatchInfo
from db.domain.score import Score
from db.domain.stamp import Mark, Stamp, mark_of
from db.domain.track import Track, added


def with_ledgers(match: Match) -> Match:
    """match: with all its events. Its scoreboard, status and clock become tellings of their moments."""
    source = next((stamp.source for stamp in _stamps(match) if stamp is not None and stamp.source), "generic")
    status_at = match.status_at
    ledger = Ledger(
        events={event.id: _without_board(event, match) for event in match.events.values() if is_key(event)},
        boards=_board(match.told, match.told_at),
        shootouts=_board(match.kicks_told, match.kicks_told_at),
        words=added({}, match.status.value, mark_of(status_at)) if status_at and not status_at.undated else {},
        clocks=_clocks(match),
        undated={} if status_at and not status_at.undated else {f"{match.status} {match.start_time or ''}": 0},
        decided_by=_decided_by(match),
        unnumbered=any(stamp is not None and stamp.at > 0 and stamp.sequence is None for stamp in _stamps(match)),
        heard_at=match.updated_at,
    )
    return replace(match, source=source, first=source, ledgers={source: _with_info(ledger, match)})


def _stamps(match: Match) -> list[Stamp | None]:
    stamps = [match.told_at, match.status_at, match.clock_at, match.kicks_told_at]
    return stamps + [event.since for event in match.events.values()]


def _without_board(event: Event, match: Match) -> Event:
    """The scoreboard that was kept counts what was told before it; a goal told since speaks for itself."""
    told_at = match.told_at
    if told_at is None or event.since.newer(told_at):
        return unfolded(event)
    tellings: tuple[Telling, ...] = tuple(replace(telling, board=None) for telling in tellings_of(event))
    return replace(event, tellings=tellings)


def _board(score: Score | None, at: Stamp | None) -> Track:
    return added({}, f"n{score.home}-{score.away}", mark_of(at)) if score and at else {}


def _clocks(match: Match) -> tuple[ClockReading, ...]:
    if match.clock_at is None:
        return ()
    mark = mark_of(match.clock_at, match.minute, match.added_minute)
    return (ClockReading(mark, match.minute, match.added_minute, match.period, match.clock),)


def _decided_by(match: Match) -> tuple[Mark, str] | None:
    """`regular` was worked out, and may yet turn out to be otherwise."""
    if match.decided_by in (None, "regular"):
        return None
    return mark_of(match.status_at or Stamp(0)), match.decided_by or ""


def _with_info(ledger: Ledger, match: Match) -> Ledger:
    at = mark_of(match.info_at or Stamp(0)), 0
    values = {name: getattr(match, name) for name in MatchInfo.__slots__}
    if values["sport"] == "football":
        values["sport"] = None
    info_at = {name: at for name, value in values.items() if value is not None}
    return replace(ledger, info=MatchInfo(**values), info_at=info_at)
