"""Where a match stands: every word of its status, in the order of the source, folded from the beginning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from db.domain.event import Event, period_at, tellings_of
from db.domain.evidence import beside_of
from db.domain.ledger import Ledger
from db.domain.stamp import Key, Mark
from db.domain.track import tellings
from db.domain.vocabulary import IMPLIES, IN_PLAY, Phase, Status, phase_of

_BY_PERIOD = {1: Status.FIRST_HALF, 2: Status.SECOND_HALF, 3: Status.ET_FIRST, 4: Status.ET_SECOND, 5: Status.SHOOTOUT}
# The last period that has been played, wholly or in part.
_PLAYED = {
    **{_BY_PERIOD[period]: period for period in _BY_PERIOD},
    **{Status.HALF_TIME: 1, Status.BREAK_BEFORE_ET: 2, Status.ET_HALF_TIME: 3, Status.BREAK_BEFORE_PENS: 4},
}
# How far a match has come. A whistle told again under its id is an edit where the match has come further since.
_COURSE = (
    *(Status.SCHEDULED, Status.LIVE, Status.FIRST_HALF, Status.HALF_TIME, Status.SECOND_HALF),
    *(Status.BREAK_BEFORE_ET, Status.ET_FIRST, Status.ET_HALF_TIME, Status.ET_SECOND),
    *(Status.BREAK_BEFORE_PENS, Status.SHOOTOUT, Status.ENDED, Status.FINISHED),
)
RANK = {status: rank for rank, status in enumerate(_COURSE)}
# Of two words of one moment, the one that is further on; what no course has, a break-off or a verdict, is further yet.
_TIE = {status: RANK.get(status, len(_COURSE) + n) for n, status in enumerate(Status)}
# What a kick-off or a resumption after a break begins, if it names no period.
_AFTER_BREAK = {
    Status.HALF_TIME: Status.SECOND_HALF,
    Status.BREAK_BEFORE_ET: Status.ET_FIRST,
    Status.ET_HALF_TIME: Status.ET_SECOND,
    Status.BREAK_BEFORE_PENS: Status.SHOOTOUT,
}
# A period ends and the next begins in these: without added time they name neither.
_BETWEEN_PERIODS = (45, 90, 105, 120)
# Authority decided these scores; the goals of the play stand beside them.
DECREED = (Status.AWARDED, Status.WALKOVER)
_BEGINNINGS = (Status.FIRST_HALF, Status.LIVE)
_RESTING = (Phase.SCHEDULED, Phase.BREAK)


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the status, as of its mark.

    status: None where it is a word that we do not know.
    is_weak: implied by play, not said.
    is_resumed: play goes on in the period of its minute.
    is_kickoff: play begins in the period of its minute.
    is_repeat: its event said the same before.
    is_undated: it bears no time; its mark is of its arrival.
    """

    key: Key
    mark: Mark
    status: Status | None
    is_weak: bool = False
    is_resumed: bool = False
    is_kickoff: bool = False
    is_repeat: bool = False
    is_undated: bool = False
    minute: int | None = None
    added_minute: int | None = None
    period: int | None = None
    event_id: str = ""


@dataclass(slots=True)
class Standing:
    """What the words come to.

    at: the mark of the word in force, None before the first.
    begun: where the match began anew after it was abandoned; what is older does not count.
    decreed: since when authority has set the score.
    words: every status it had since it began.
    readings: whistles told again that count, by event id and mark: what they tell is of that moment.
    """

    sport: str
    status: Status = Status.SCHEDULED
    at: Mark | None = None
    is_said: bool = False
    begun: Key | None = None
    decreed: Key | None = None
    abandoned: bool = False
    last_play: Status | None = None
    words: set[Status] = field(default_factory=set)
    readings: set[tuple[str, Mark]] = field(default_factory=set)

    @property
    def phase(self) -> Phase:
        return phase_of(self.status)


def standing_of(ledger: Ledger, events: Mapping[str, Event], sport: str) -> Standing:
    """Fold every dated word; then those that bear no time, which never take back what a dated one says.

    events: those of the ledger, the tellings of one goal joined where its sender gives no ids.
    """
    words = sorted(_words(ledger, events, sport), key=_order)
    dated = any(not word.is_weak and word.status for word in words)
    standing = Standing(sport)
    for word in words if dated else sorted([*words, *_undated(ledger)], key=_order):
        _fold(standing, word)
    if dated:
        _fold_undated(standing, ledger)
    return standing


def _order(word: Word) -> tuple[object, ...]:
    tie = _TIE[word.status] if word.status else -1
    return (word.key, not word.is_weak, word.is_repeat, tie, word.minute or 0, word.event_id)


def _words(ledger: Ledger, events: Mapping[str, Event], sport: str) -> Iterator[Word]:
    for value, mark in tellings(ledger.words):
        minute = mark.minute if mark.minute >= 0 else None
        yield Word(ledger.order(mark), mark, None if value.startswith("?") else Status(value), minute=minute)
    for event in events.values():
        # A goal that was taken back was play all the same.
        if not event.voided or event.type in IN_PLAY:
            memo, name = beside_of(event).memo, ("words", ledger.unnumbered, sport)
            if name not in memo:
                memo[name] = list(_words_of(ledger, event, sport))
            yield from memo[name]


def _words_of(ledger: Ledger, event: Event, sport: str) -> Iterator[Word]:
    """The first word of an event is of its first moment, another word of the moment it is told in."""
    last: Status | str | None = None
    first = beside_of(event).first
    for telling in tellings_of(event):
        if telling.void:
            continue
        status = telling.status or _implied(telling.type, sport)
        word: Status | str | None = status or ("resumed" if telling.type == "resumed" else None)
        if word is None:
            continue
        mark = first if last is None else telling.marks[0]
        is_repeat = word == last
        if is_repeat and (mark == first or not _is_whistle(event)):
            continue
        yield Word(
            ledger.order(mark),
            mark,
            status,
            is_resumed=status is None,
            is_kickoff=telling.type == "kickoff" and telling.status is None,
            is_repeat=is_repeat,
            minute=event.minute,
            added_minute=event.added_minute,
            period=event.period,
            event_id=event.id,
        )
        last = word
    if last is None and event.type in IN_PLAY and not first.undated:
        yield Word(
            ledger.order(first), first, None, is_weak=True, minute=event.minute, period=event.period, event_id=event.id
        )


def _implied(type_: str | None, sport: str) -> Status | None:
    if type_ == "kickoff" and sport != "football":
        return Status.LIVE
    return IMPLIES.get(type_ or "")


def _is_whistle(event: Event) -> bool:
    return event.type in IMPLIES or event.type == "resumed"


def _undated(ledger: Ledger) -> list[Word]:
    """As of when each was first heard."""
    words = []
    for name, heard_at in ledger.undated.items():
        value = name.partition(" ")[0]
        mark = Mark(heard_at)
        words.append(Word(ledger.order(mark), mark, None if value.startswith("?") else Status(value), is_undated=True))
    return words


def _fold_undated(standing: Standing, ledger: Ledger) -> None:
    """An end or a break-off without a time holds if it was heard later; a new date ends a postponement."""
    for name, heard_at in sorted(ledger.undated.items(), key=lambda item: (item[1], item[0])):
        value, _, start = name.partition(" ")
        if value.startswith("?") or (standing.at is not None and heard_at <= standing.at.at):
            continue
        status, mark = Status(value), Mark(heard_at)
        phase = phase_of(status)
        is_new_date = phase is Phase.SCHEDULED and bool(start) and standing.at is not None
        is_moved = is_new_date and standing.phase is Phase.OFF and int(start) > standing.at.at  # type: ignore[union-attr]
        if phase in (Phase.FINISHED, Phase.OFF) or is_moved:
            _fold(standing, Word(ledger.order(mark), mark, status))


def _fold(standing: Standing, word: Word) -> None:
    if word.is_weak:
        _imply(standing, word)
    elif word.is_undated and word.status and phase_of(word.status) is Phase.SCHEDULED:
        # Repeated with every list of fixtures: it opens a match, and a new date ends a postponement.
        if standing.phase in (Phase.SCHEDULED, Phase.OFF):
            _say(standing, word)
    elif word.status is None and not word.is_resumed:
        # A word never heard of: the match goes on, and is certainly not over.
        if standing.phase is Phase.SCHEDULED:
            _set(standing, Status.LIVE, word)
    elif not word.is_repeat or _counts_again(standing, word):
        _say(standing, word)


def _counts_again(standing: Standing, word: Word) -> bool:
    if standing.phase is Phase.OFF:
        return True
    if word.is_resumed or word.status is None:
        return standing.phase is not Phase.LIVE
    in_force = RANK.get(standing.status, RANK.get(standing.last_play or Status.SCHEDULED, 0))
    return RANK.get(word.status, len(_COURSE)) >= in_force


def _say(standing: Standing, word: Word) -> None:
    status = word.status if word.status and not word.is_kickoff else _begun(standing, word)
    if standing.status in DECREED and status in (Status.ENDED, Status.FINISHED):
        return
    if word.is_resumed:
        standing.abandoned = False
    elif standing.abandoned and status in _BEGINNINGS:
        _begin_anew(standing, word)
    if status in DECREED:
        standing.decreed = word.key
    elif standing.status in DECREED:
        standing.decreed = None
    standing.abandoned = standing.abandoned or status is Status.ABANDONED
    standing.is_said = True
    if word.is_repeat:
        standing.readings.add((word.event_id, word.mark))
    _set(standing, status, word)


def _begin_anew(standing: Standing, word: Word) -> None:
    standing.begun, standing.abandoned = word.key, False
    standing.words.clear()


def _set(standing: Standing, status: Status, word: Word) -> None:
    standing.status, standing.at = status, word.mark
    standing.words.add(status)
    if phase_of(status) is Phase.LIVE:
        standing.last_play = status


def _begun(standing: Standing, word: Word) -> Status:
    """Play begins or goes on in the period of the minute; where that names none, in the one after a break, or in the
    one it was broken off in."""
    is_between = word.minute in _BETWEEN_PERIODS and not word.added_minute
    if standing.sport == "football" and word.period is None and (word.minute is None or is_between):
        after = None if word.is_repeat else _AFTER_BREAK.get(standing.status)
        if after is not None:
            return after
    if word.minute is None and word.period is None:
        return word.status or standing.last_play or Status.LIVE
    return _in_play(standing, word)


def _imply(standing: Standing, word: Word) -> None:
    """A goal ends a rest only if it falls after it: one of the first half may be entered during half-time. Where nobody
    ever says the status, each goal says how far play has come."""
    untold = not standing.is_said and standing.status in _PLAYED
    if not untold and standing.phase not in _RESTING:
        return
    if standing.sport == "football" and _period(word) <= _PLAYED.get(standing.status, 0):
        return
    _set(standing, _in_play(standing, word), word)


def _in_play(standing: Standing, word: Word) -> Status:
    if standing.sport != "football":
        return Status.LIVE
    return _BY_PERIOD.get(_period(word), Status.LIVE)


def _period(word: Word) -> int:
    return word.period or period_at(word.minute or 0)
