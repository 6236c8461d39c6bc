"""`derive`: what was told of a match → the match. Nothing that is shown is edited; it is worked out anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from db.domain.absence import absences
from db.domain.event import Event
from db.domain.evidence import ClockReading, beside_of
from db.domain.fold import FoldResult, folded
from db.domain.identity import hidden, joined
from db.domain.items import bare, decreed_board, goal_items, kick_items
from db.domain.ledger import Ledger
from db.domain.match import Match
from db.domain.match_info import MatchInfo
from db.domain.record import replace
from db.domain.score import Score
from db.domain.scoreline import cards_of, scorers_of
from db.domain.stamp import Key, Mark, Stamp, stamp_of
from db.domain.status import Standing, standing_of
from db.domain.vocabulary import IMPLIES, KICKS, Phase, Status

_EXTRA_TIME = frozenset({Status.BREAK_BEFORE_ET, Status.ET_FIRST, Status.ET_HALF_TIME, Status.ET_SECOND})


def derive(match: Match) -> Match:
    """The match that follows from its ledgers. Its events are those of the ledger in force, and any others it has."""
    source, ledger = match.source, match.ledgers[match.source]
    info = _info_of(match)
    events, gone = joined(ledger)
    standing = standing_of(ledger, events, info["sport"])
    absent = absences(ledger, events)
    items, decreed = decreed_board(goal_items(ledger, events, standing, absent), standing)
    items, base = bare(items)
    goals = folded(items, base)
    kicks = folded(kick_items(ledger, events, standing, absent), None)
    shown = {event.id: _shown(event, goals, kicks, standing, ledger, source) for event in events.values()}
    shown |= {event_id: _left_out(shown[event_id], stamp_of(mark, source)) for event_id, mark in absent.items()}
    shown |= {event_id: hidden(ledger.events[event_id]) for event_id in gone}
    is_football = info["sport"] == "football"
    board, kicks_board = decreed or goals.board, kicks.board
    # Copied once: a match has forty fields, and a goal waits for each copy.
    match = replace(
        match,
        **info,
        **_clock_of(ledger, events, standing, source),
        status=standing.status,
        status_at=stamp_of(standing.at, source) if standing.at else None,
        told=board.score if board else None,
        told_at=stamp_of(board.mark, source) if board else None,
        kicks_told=kicks_board.score if kicks_board else None,
        kicks_told_at=stamp_of(kicks_board.mark, source) if kicks_board else None,
        score=decreed.score if decreed else goals.score,
        shootout=_shootout(kicks, ledger, standing),
        scorers=scorers_of(shown[event_id] for event_id in goals.sides) if is_football else None,
        cards=cards_of(shown.values()) if is_football else None,
        events={**match.events, **shown} if shown else match.events,
    )
    decided_by = _decided_by(match, ledger, standing)
    return match if decided_by == match.decided_by else replace(match, decided_by=decided_by)


def derived_events(match: Match) -> Match:
    """A stored match, with the events that follow from its ledgers beside what was stored of it."""
    return replace(match, events={**match.events, **derive(match).events})


def _info_of(match: Match) -> dict[str, Any]:
    """What is known besides the play: by the source in force, and from the others what it does not say."""
    ledgers = [match.ledgers[match.source], *(one for name, one in match.ledgers.items() if name != match.source)]
    fields: dict[str, Any] = {}
    for name in MatchInfo.__slots__:
        values = (getattr(ledger.info, name) for ledger in ledgers)
        fields[name] = next((value for value in values if value is not None), None)
    return {**fields, "sport": fields["sport"] or "football"}


def _shown(
    event: Event, goals: FoldResult, kicks: FoldResult, standing: Standing, ledger: Ledger, source: str
) -> Event:
    """The event with the side it counts for and whether it stands, as the fold found."""
    placed = goals.sides.get(event.id) or kicks.sides.get(event.id)
    if placed:
        memo = beside_of(event).memo
        name = ("shown", source, *placed)
        if name not in memo:
            side, mark = placed
            memo[name] = replace(event, team=side, since=stamp_of(mark, source), void_at=None, named_void=True)
        return memo[name]  # type: ignore[no-any-return]
    void = goals.voids.get(event.id) or kicks.voids.get(event.id)
    if void:
        return replace(_voided(event, stamp_of(void[0], source)), named_void=void[1])
    begun = standing.begun
    if begun is not None and event.type and ledger.order(beside_of(event).first) < begun and not event.voided:
        return _voided(event, stamp_of(standing.at or Mark(0), source))
    return event


def _voided(event: Event, stamp: Stamp) -> Event:
    voided = replace(event, void_at=stamp)
    return voided if voided.voided else replace(voided, since=stamp)


def _left_out(event: Event, stamp: Stamp) -> Event:
    """Documents lack it. Of goals and kicks the fold has said so already."""
    return event if event.voided else replace(_voided(event, stamp), named_void=False)


def _shootout(kicks: FoldResult, ledger: Ledger, standing: Standing) -> Score | None:
    """Kicks scored, beside the score and never in it. A total of nothing is no evidence that there are any."""
    missed = any(event.type in KICKS and not event.voided for event in ledger.events.values())
    scored = kicks.score is not None and (kicks.score.home or kicks.score.away)
    if scored or missed or standing.status is Status.SHOOTOUT or Status.SHOOTOUT in standing.words:
        return kicks.score or Score(0, 0)
    return None


def _clock_of(ledger: Ledger, events: Mapping[str, Event], standing: Standing, source: str) -> dict[str, Any]:
    """The newest minute by the first word of it: an edit moves no clock."""
    clocks = [*ledger.clocks, *(clock for event in events.values() if (clock := beside_of(event).clock))]
    keyed = sorted(((ledger.order(clock.mark), clock) for clock in clocks), key=_clock_place)
    keyed = [item for item in keyed if standing.begun is None or item[0] >= standing.begun]
    if not keyed:
        return dict.fromkeys(("minute", "added_minute", "period", "clock", "clock_at"))
    clock = keyed[-1][1]
    period = next((item[1].period for item in reversed(keyed) if item[1].period is not None), None)
    return {
        "minute": clock.minute,
        "added_minute": clock.added_minute,
        "period": period,
        "clock": clock.clock,
        "clock_at": stamp_of(clock.mark, source),
    }


def _clock_place(item: tuple[Key, ClockReading]) -> tuple[object, ...]:
    key, clock = item
    return (key, clock.minute or 0, clock.added_minute or 0, clock.clock or "", clock.event_id)


def _decided_by(match: Match, ledger: Ledger, standing: Standing) -> str | None:
    """How a finished match was decided: as told, else as its words and its clock say."""
    decided_by = ledger.decided_by[1] if ledger.decided_by else None
    if match.phase is not Phase.FINISHED or match.status in (Status.AWARDED, Status.WALKOVER):
        return decided_by
    if match.shootout is not None or Status.SHOOTOUT in standing.words:
        return "penalties"
    return "extra_time" if _went_to_extra_time(match, standing) else decided_by or "regular"


def _went_to_extra_time(match: Match, standing: Standing) -> bool:
    if match.sport != "football":
        return False
    if standing.words & _EXTRA_TIME or (match.minute or 0) > 105:
        return True
    return any(IMPLIES.get(event.type) in _EXTRA_TIME and not event.voided for event in match.events.values())
