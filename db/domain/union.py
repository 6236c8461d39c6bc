"""Two records of one match into one: what either was told, the other knows too. Needed where a store lost some.

A record is a set of tellings, so the union does not depend on which of the two is the older.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from db.domain.event import Event, retold, tellings_of, unfolded
from db.domain.ledger import (
    Ledger,
    info_order,
    is_key,
    kept_changes,
    kept_clocks,
    newer,
    with_event,
    without_event,
)
from db.domain.match import Match
from db.domain.match_info import MatchInfo
from db.domain.report import kept_snapshots
from db.domain.track import Track, added

Events = Mapping[str, Event]


def united(match: Match, other: Match) -> Match:
    """The first with what the second was told. Both with all their events; `derive` then says what follows."""
    ledgers, elsewhere = dict(match.ledgers), dict(match.elsewhere)
    events = dict(match.events)
    for source, ledger in other.ledgers.items():
        own, theirs = _events_of(match, source), _events_of(other, source)
        ledger_here = match.ledgers.get(source)
        both = united_events(own, theirs)
        ledgers[source] = _joined(ledger_here, ledger, own, theirs, both) if ledger_here is not None else ledger
        if source == match.source:
            events = both
        else:
            elsewhere[source] = both
    source = match.source or other.source
    if not match.source:
        events = elsewhere.pop(source, {})
    # The names under which events are stored depend on who was heard first: that is settled by what is stored longest.
    return replace(
        match, source=source, first=other.first or match.first, ledgers=ledgers, elsewhere=elsewhere, events=events
    )


def _events_of(match: Match, source: str) -> Events:
    return match.events if source == match.source else match.elsewhere.get(source, {})


def united_events(mine: Events, other: Events) -> dict[str, Event]:
    """Events with the tellings of both."""
    events = dict(other)
    for event_id, event in mine.items():
        for telling in tellings_of(event) if event_id in events else ():
            events[event_id] = retold(events[event_id], event_id, telling)
        events.setdefault(event_id, event)
    return events


def _joined(ledger: Ledger, other: Ledger, own: Events, theirs: Events, both: Events) -> Ledger:
    """What an event bears beside itself follows from all its tellings, so it is taken out of both before."""
    ledger, other = _bare(ledger, own, both), _bare(other, theirs, both)
    events = united_events(_bearing(ledger, own, other), _bearing(other, theirs, ledger))
    ledger = replace(
        ledger,
        events={key: unfolded(event) for key, event in events.items()},
        boards=_both(ledger.boards, other.boards),
        shootouts=_both(ledger.shootouts, other.shootouts),
        words=_both(ledger.words, other.words),
        changes=kept_changes((*ledger.changes, *other.changes)),
        clocks=kept_clocks((*ledger.clocks, *other.clocks)),
        snapshots=kept_snapshots((*ledger.snapshots, *other.snapshots)),
        listed=_first(ledger.listed, other.listed),
        present=_last(ledger.present, other.present),
        undated=_first(ledger.undated, other.undated),
        decided_by=newer(ledger.decided_by, other.decided_by),
        unnumbered=ledger.unnumbered or other.unnumbered,
        heard_at=max(ledger.heard_at, other.heard_at),
        clamped=max(ledger.clamped, other.clamped),
    )
    for event_id, event in both.items():
        if event_id in ledger.events:
            continue
        if is_key(event):
            ledger = replace(ledger, events={**ledger.events, event_id: unfolded(event)})
        elif own.get(event_id) != event or theirs.get(event_id) != event:
            ledger = with_event(ledger, event)
    return _with_info(ledger, other)


def _bare(ledger: Ledger, events: Events, both: Events) -> Ledger:
    """Without what those of its events bear of which the other record knows more."""
    for event_id, event in events.items():
        if event_id not in ledger.events and both[event_id] != event:
            ledger = without_event(ledger, event)
    return ledger


def _bearing(ledger: Ledger, events: Events, other: Ledger) -> Events:
    """The events of the ledger, and those that bear on the score by what the other record was told of them alone."""
    return {**{key: events[key] for key in other.events if key in events}, **ledger.events}


def _first(mine: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: min(some[name] for some in (mine, other) if name in some) for name in {**other, **mine}}


def _last(mine: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: max(some.get(name, 0) for some in (mine, other)) for name in {**other, **mine}}


def _both(track: Track, other: Track) -> Track:
    for values in other.values():
        for value, marks in values.items():
            for mark in marks:
                track = added(track, value, mark)
    return track


def _with_info(ledger: Ledger, other: Ledger) -> Ledger:
    info, info_at = ledger.info, dict(ledger.info_at)
    for name in MatchInfo.__slots__:
        value, at = getattr(other.info, name), other.info_at.get(name)
        if value is None or at is None:
            continue
        if name not in info_at or info_order(at, value) > info_order(info_at[name], getattr(info, name)):
            info, info_at[name] = replace(info, **{name: value}), at
    return replace(ledger, info=info, info_at=info_at)
