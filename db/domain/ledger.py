"""What one source told of a match, as far as score, shoot-out, status and clock follow from it.

A ledger is only added to, and what it holds does not depend on the order of arrival. Events that bear on the score or
the status are kept with every telling; what all others bear beside them, scores, words and minutes, is thinned
(`track`). So it costs the same at two thousand events as at twenty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from db.domain.event import Event, Telling, retold, unfolded
from db.domain.evidence import ClockReading, Evidence, ScoreRevision
from db.domain.match_info import MatchInfo
from db.domain.record import replace
from db.domain.report import MatchReport, kept_snapshots
from db.domain.score import Score
from db.domain.stamp import Key, Mark, Stamp, by_sequence, by_time, mark_of
from db.domain.track import Track, added, removed
from db.domain.update import Update
from db.domain.vocabulary import IMPLIES, KEY_TYPES

# A stamp this far ahead of its arrival is a wrong clock, not a fast one: it counts as of its arrival. Clocks of senders
# are off by seconds; clamping those would let arrival decide (30 s of skew, clamped: 24 of 400 matches depended on it).
AHEAD_MS = 5 * 60_000
# Minutes kept, the newest first. One would do, were there no edits that arrive before what they edit.
CLOCKS_KEPT = 8
# Scores that ordinary events were told anew with. A provider edits a card's score now and then, not by the hundred.
CHANGES_KEPT = 64


@dataclass(frozen=True, slots=True)
class Ledger:
    """events: those that bear on score or status, by id.
    boards: scores that stand beside no such event; `b1-0` bare, `e1-0` beside an event, `d1-0` in a polled document,
    `n1-0` with the voiding of a goal by name.
    shootouts: the same of kicks.
    words: statuses told, and `?word` for a word that we do not know.
    snapshots: the newest whole documents.
    listed, present: when each event was first listed in one, and when last (ms).
    undated: `status start_time` → when first heard (ms), of statuses that bear no time.
    decided_by: newest word of how the match was decided.
    info, info_at: what is known besides the play, and since when each field.
    unnumbered: a dated message without a sequence was told, so numbers do not order the whole.
    heard_at: ms of the newest arrival that said something new.
    ahead_at: ms since which it has been ahead of the source in force, 0 where it is not.
    clamped: how many of its messages claimed to be from more than AHEAD_MS ahead of their arrival.
    """

    events: dict[str, Event] = field(default_factory=dict)
    boards: Track = field(default_factory=dict)
    shootouts: Track = field(default_factory=dict)
    words: Track = field(default_factory=dict)
    changes: tuple[ScoreRevision, ...] = ()
    clocks: tuple[ClockReading, ...] = ()
    snapshots: tuple[MatchReport, ...] = ()
    listed: dict[str, int] = field(default_factory=dict)
    present: dict[str, int] = field(default_factory=dict)
    undated: dict[str, int] = field(default_factory=dict)
    decided_by: tuple[Mark, str] | None = None
    info: MatchInfo = field(default_factory=MatchInfo)
    info_at: dict[str, tuple[Mark, int]] = field(default_factory=dict)
    unnumbered: bool = False
    heard_at: int = 0
    ahead_at: int = 0
    clamped: int = 0

    def order(self, mark: Mark) -> Key:
        """The one order of all that the source says: by its numbers where everything bears one, else by time."""
        return by_time(mark) if self.unnumbered else by_sequence(mark)


def entered(ledger: Ledger, update: Update, records: Mapping[str, Event]) -> tuple[Ledger, dict[str, Event]]:
    """The ledger with one update more, and the events it touched.

    records: the events of the match that are no part of the ledger, as far as the update names them.
    """
    before, sent = ledger, update
    update = _arrived(update)
    if update.stamp.at > 0 and update.stamp.sequence is None and not ledger.unnumbered:
        ledger = replace(ledger, unnumbered=True)
    ledger = _with_info(ledger, update)
    touched: dict[str, Event] = {}
    if update.event is not None:
        ledger = _with_event(ledger, update.event.id, _telling(update, update.event), records, touched)
        ledger = _with_words(ledger, update) if update.stamp.undated else ledger
    else:
        ledger = _with_words(_with_bare(ledger, update), update)
    if update.voids is not None:
        by = update.event.id if update.event else None
        void = Telling(update.stamp, void=True, by=by, created_at=update.received_at)
        ledger = _with_event(ledger, update.voids, void, {**records, **touched}, touched)
    if update.decided_by is not None:
        ledger = replace(ledger, decided_by=newer(ledger.decided_by, (mark_of(update.stamp), update.decided_by)))
    ledger = _with_snapshot(ledger, update)
    if ledger == before:
        return before, touched
    return (ledger if update is sent else replace(ledger, clamped=ledger.clamped + 1)), touched


def _arrived(update: Update) -> Update:
    """What claims to be from the future counts as of its arrival."""
    if not update.received_at or update.stamp.at <= update.received_at + AHEAD_MS:
        return update
    event = update.event
    if event is not None:
        event = replace(event, stamp=_no_later(event.stamp, update), since=_no_later(event.since, update))
    return replace(update, stamp=_no_later(update.stamp, update), event=event)


def _no_later(stamp: Stamp, update: Update) -> Stamp:
    return replace(stamp, at=update.received_at) if stamp.at > update.received_at + AHEAD_MS else stamp


def _telling(update: Update, event: Event) -> Telling:
    return Telling(
        event.stamp,
        since=event.since if event.since != event.stamp else None,
        type=event.type,
        team=event.team,
        minute=event.minute,
        added_minute=event.added_minute,
        period=event.period if event.period is not None else update.period,
        player=event.player,
        assist=event.assist,
        detail=event.detail,
        home_score=event.home_score,
        away_score=event.away_score,
        voids=event.voids if event.voids is not None else update.voids,
        board=update.score,
        shootout=update.shootout,
        status=update.status if not update.stamp.undated else None,
        created_at=event.created_at or update.received_at,
    )


def _with_event(
    ledger: Ledger, event_id: str, telling: Telling, records: Mapping[str, Event], touched: dict[str, Event]
) -> Ledger:
    before = ledger.events.get(event_id) or records.get(event_id)
    after = retold(before, event_id, telling)
    touched[event_id] = after
    if after is before and (event_id in ledger.events or not is_key(after)):
        return ledger
    if before is not None and event_id not in ledger.events:
        ledger = without_event(ledger, before)
    if is_key(after):
        return replace(ledger, events={**ledger.events, event_id: unfolded(after)})
    return with_event(ledger, after)


def is_key(event: Event) -> bool:
    """Whether score or status may follow from it, by any telling of it."""
    return event.type in KEY_TYPES or any(telling.type in KEY_TYPES for telling in event.tellings)


def with_event(ledger: Ledger, event: Event) -> Ledger:
    """What the event bears beside itself is entered."""
    beside = Evidence(event)
    changes = kept_changes((*ledger.changes, *beside.changes)) if beside.changes else ledger.changes
    clocks = _with_clock(ledger.clocks, beside.clock) if beside.clock else ledger.clocks
    return replace(ledger, **_tracks(ledger, beside, added), changes=changes, clocks=clocks)


def without_event(ledger: Ledger, event: Event) -> Ledger:
    """Before an event is told anew, or becomes a goal: what it bore until now is taken back."""
    beside = Evidence(event)
    changes = tuple(change for change in ledger.changes if change not in beside.changes)
    clocks = tuple(clock for clock in ledger.clocks if clock.event_id != event.id)
    return replace(ledger, **_tracks(ledger, beside, removed), changes=changes, clocks=clocks)


def _tracks(ledger: Ledger, beside: Evidence, step: Callable[[Track, str, Mark], Track]) -> dict[str, Any]:
    """step: `added` or `removed`."""
    boards, shootouts, words = ledger.boards, ledger.shootouts, ledger.words
    for score, mark in beside.boards:
        boards = step(boards, _board("e", score), mark)
    for score, mark in beside.shootouts:
        shootouts = step(shootouts, _board("e", score), mark)
    for status, mark in beside.words:
        words = step(words, status, mark)
    return {"boards": boards, "shootouts": shootouts, "words": words}


def _with_bare(ledger: Ledger, update: Update) -> Ledger:
    """What a message tells that is about no event: each is a reading of its own moment."""
    mark = mark_of(update.stamp, update.minute, update.added_minute)
    is_document = update.is_document or update.present is not None
    channel = "n" if update.voids else "d" if is_document else "b"
    if update.score is not None and not mark.undated:
        ledger = replace(ledger, boards=added(ledger.boards, _board(channel, update.score), mark))
    if update.shootout is not None:
        channel = "d" if is_document and not mark.undated else "b"
        ledger = replace(ledger, shootouts=added(ledger.shootouts, _board(channel, update.shootout), mark))
    if update.minute is not None or update.clock is not None:
        clock = ClockReading(mark, update.minute, update.added_minute, update.period, update.clock)
        ledger = replace(ledger, clocks=_with_clock(ledger.clocks, clock))
    return ledger


def _with_words(ledger: Ledger, update: Update) -> Ledger:
    implied = IMPLIES.get(update.event.type) if update.event else None
    status = update.status or implied
    word = status.value if status else f"?{update.status_word}" if update.status_word else None
    if word is None:
        return ledger
    if not update.stamp.undated:
        return replace(ledger, words=added(ledger.words, word, mark_of(update.stamp, update.minute)))
    name = f"{word} {(update.info and update.info.start_time) or ''}"
    if ledger.undated.get(name, update.received_at + 1) <= update.received_at:
        return ledger
    return replace(ledger, undated={**ledger.undated, name: update.received_at})


def _board(channel: str, score: Score) -> str:
    return f"{channel}{score.home}-{score.away}"


def kept_changes(changes: Iterable[ScoreRevision]) -> tuple[ScoreRevision, ...]:
    return tuple(sorted(dict.fromkeys(changes), key=_change_order))[-CHANGES_KEPT:]


def _change_order(change: ScoreRevision) -> tuple[object, ...]:
    return (*by_time(change.mark), change.mark.origin, change.score.home, change.score.away)


def _with_clock(clocks: tuple[ClockReading, ...], clock: ClockReading) -> tuple[ClockReading, ...]:
    """Most often it is the newest of them, by time and by number."""
    if not clocks or len(clocks) > CLOCKS_KEPT:
        return kept_clocks((*clocks, clock))
    mark, last = clock.mark, clocks[-1].mark
    if by_time(mark) <= by_time(last) or by_sequence(mark) <= max(by_sequence(reading.mark) for reading in clocks):
        return kept_clocks((*clocks, clock))
    return (*clocks[1 - CLOCKS_KEPT :], clock)


def kept_clocks(clocks: Iterable[ClockReading]) -> tuple[ClockReading, ...]:
    ordered = sorted(dict.fromkeys(clocks), key=_clock_order)
    kept = ordered[-CLOCKS_KEPT:]
    if any(clock.mark.sequence is not None for clock in ordered):
        numbered = sorted(ordered, key=lambda clock: by_sequence(clock.mark))[-CLOCKS_KEPT:]
        kept = [clock for clock in ordered if clock in kept or clock in numbered]
    return tuple(kept)


def _clock_order(clock: ClockReading) -> tuple[object, ...]:
    return (*by_time(clock.mark), clock.minute or 0, clock.added_minute or 0, clock.clock or "", clock.event_id)


def newer(kept: tuple[Mark, str] | None, word: tuple[Mark, str] | None) -> tuple[Mark, str] | None:
    if word is None:
        return kept
    return word if kept is None or (by_time(word[0]), word[1]) > (by_time(kept[0]), kept[1]) else kept


def _with_info(ledger: Ledger, update: Update) -> Ledger:
    """Each field by its newest stamp. Of undated words the one that arrives later wins: they have no other order."""
    if update.info is None:
        return ledger
    heard = update.received_at if update.stamp.undated else 0
    at = (mark_of(update.stamp), heard)
    info, info_at = ledger.info, dict(ledger.info_at)
    for name in MatchInfo.__slots__:
        value, known_at = getattr(update.info, name), info_at.get(name)
        if update.stamp.undated and value == getattr(info, name):
            continue
        if value is None or (known_at and info_order(at, value) < info_order(known_at, getattr(info, name))):
            continue
        info, info_at[name] = replace(info, **{name: value}), at
    return replace(ledger, info=info, info_at=info_at)


def info_order(at: tuple[Mark, int], value: object) -> tuple[object, ...]:
    mark, heard = at
    return (*by_time(mark), heard, repr(value))


def _with_snapshot(ledger: Ledger, update: Update) -> Ledger:
    if update.present is None:
        return ledger
    snapshot = MatchReport(mark_of(update.stamp), update.present, update.score, update.lists)
    kept = kept_snapshots((*ledger.snapshots, snapshot))
    at = snapshot.mark.at
    first = {event_id: at for event_id in snapshot.ids if at < ledger.listed.get(event_id, at + 1)}
    last = {event_id: at for event_id in snapshot.ids if at > ledger.present.get(event_id, 0)}
    listed, present = {**ledger.listed, **first}, {**ledger.present, **last}
    return replace(ledger, snapshots=kept, listed=listed, present=present)
