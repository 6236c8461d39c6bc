"""From the ledger to what is folded: goals, voidings, cancellations and boards, in the order of the source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from operator import itemgetter
from typing import Any

from db.domain.claims import Claim, claims_of, is_goal, is_kick, may_be_kick
from db.domain.event import Event, tellings_of
from db.domain.evidence import beside_of
from db.domain.fold import CANCELLED, READ, SCORED, VOIDED, Cancelled, Item, Read, Scored, Voided
from db.domain.lag import BOARD_LAG_MS, DOCUMENT_LAG_MS
from db.domain.ledger import Ledger
from db.domain.score import Score
from db.domain.stamp import Mark, by_sequence, by_time, mark_of
from db.domain.status import Standing
from db.domain.track import Track, newest
from db.domain.vocabulary import IMPLIES, KICKS, SCORING

# Events that read the scoreboard whenever they are told with another score.
_READINGS = frozenset({"goal_cancelled", "var_review", "resumed"}) | frozenset(IMPLIES)
# Boards of one moment: of a cancellation first, then of a goal, then others.
_RANK = {"goal_cancelled": 0, **dict.fromkeys(SCORING, 1)}
_OTHER = 2

# Spans of 250 matches that are live at once, twenty of each.
SPANS = 8_192
# By identity, with the values themselves, so that the identity holds.
_spans: dict[int, tuple[dict[str, tuple[Mark, ...]], bool, list[Any]]] = {}

Sortable = tuple[tuple[object, ...], Item]
_place_of = itemgetter(0)


def goal_items(
    ledger: Ledger, events: Mapping[str, Event], standing: Standing, absent: Mapping[str, Mark]
) -> list[Item]:
    """events: those of the ledger, the tellings of one goal joined where its sender gives no ids. absent: events that
    documents lack."""
    items: list[Sortable] = []
    for event in events.values():
        items += _of_event(ledger, events, event, standing)
    goals, _ = _cancellations(ledger, events, standing.sport)
    items += [_placed(item) for item in goals]
    items += _absent(ledger, events, absent, SCORING)
    is_bare = all(type(item) is Read for _, item in items)
    items += _boards(ledger, newest(ledger.boards) if is_bare else ledger.boards)
    for change in ledger.changes:
        read = Read(
            ledger.order(change.mark), _of_no_minute(change.mark), "e", change.score, ledger.order(change.first)
        )
        items.append((_place(read, _OTHER), read))
    return _in_order(items, standing)


def _of_event(ledger: Ledger, events: Mapping[str, Event], event: Event, standing: Standing) -> list[Sortable]:
    """Worked out once, unless it depends on another event."""
    readings = tuple(reading for reading in standing.readings if reading[0] == event.id)
    name = ("goal", standing.sport, ledger.unnumbered, ledger.listed.get(event.id, 0), readings)
    memo = beside_of(event).memo
    items = memo.get(name)
    if items is None:
        items = [*_claimed(ledger, events, event, standing.sport, is_goal), *_boards_of(ledger, event, standing)]
        if all(telling.by is None for telling in tellings_of(event)):
            memo[name] = items
    return items


def kick_items(
    ledger: Ledger, events: Mapping[str, Event], standing: Standing, absent: Mapping[str, Mark]
) -> list[Item]:
    items: list[Sortable] = []
    for event in events.values():
        if may_be_kick(event):
            items += _claimed(ledger, events, event, standing.sport, is_kick)
        items += _shootouts_of(ledger, event)
    if not items and not ledger.shootouts:
        return []
    _, kicks = _cancellations(ledger, events, standing.sport)
    items += [_placed(replace(item, score=None)) for item in kicks]
    items += _absent(ledger, events, absent, KICKS)
    items += _boards(ledger, ledger.shootouts)
    return _in_order(items, standing)


def _in_order(items: list[Sortable], standing: Standing) -> list[Item]:
    """Without what is older than the beginning, where the match began anew."""
    items.sort(key=_place_of)
    begun = standing.begun
    return [item for _, item in items if begun is None or item.key >= begun]


def bare(items: list[Item]) -> tuple[list[Item], Score | None]:
    """Where boards alone tell the score: those that may still differ by their lag, and the score before them."""
    boards = [item for item in items if type(item) is Read]
    if not boards or len(boards) < len(items):
        return items, None
    lag = DOCUMENT_LAG_MS if any(board.channel == "d" for board in boards) else BOARD_LAG_MS
    since = boards[-1].mark.at - 2 * lag
    first = next(n for n, board in enumerate(boards) if board.mark.at >= since)
    kept = boards[max(first - 1, 0) :]
    return list(kept), kept[0].score


def decreed_board(items: list[Item], standing: Standing) -> tuple[list[Item], Read | None]:
    """Where authority has set the score: the newest board since then, and the items without those boards, which strike
    no goals."""
    decreed = standing.decreed
    if decreed is None:
        return items, None
    boards = [item for item in items if isinstance(item, Read) and item.key[:2] >= decreed[:2]]
    return [item for item in items if item not in boards], boards[-1] if boards else None


def _claimed(
    ledger: Ledger,
    events: Mapping[str, Event],
    event: Event,
    sport: str,
    counts: Callable[[Claim, Event, str], bool],
) -> Iterator[Sortable]:
    claims = claims_of(event, events, ledger.order)
    if not any(counts(claim, event, sport) for claim in claims):
        return
    own = _own_total(event) if counts is is_kick else _own(event)
    listed, first = ledger.listed.get(event.id, 0), ledger.order(beside_of(event).first)
    clock = -1 if event.minute is None else event.minute * 100 + (event.added_minute or 0)
    for claim in claims:
        if counts(claim, event, sport):
            place = (*claim.key, SCORED, _sum(own), clock, event.id)
            yield place, Scored(claim.key, claim.mark, event.id, claim.side, clock, own, first, listed, event.player)
        else:
            yield (*claim.key, VOIDED, 0, 0, event.id), Voided(claim.key, claim.mark, event.id)


def _own(event: Event) -> Score | None:
    """The score the goal made, by the first word of it that tells one."""
    for telling in tellings_of(event):
        if telling.board is not None:
            return telling.board
        if telling.home_score is not None and telling.away_score is not None:
            return Score(telling.home_score, telling.away_score)
    return None


def _own_total(event: Event) -> Score | None:
    """The shoot-out a kick made, by the first word of it that tells one."""
    return next((telling.shootout for telling in tellings_of(event) if telling.shootout is not None), None)


def _boards_of(ledger: Ledger, event: Event, standing: Standing) -> Iterator[Sortable]:
    beside = beside_of(event)
    channel = "n" if event.voids is not None else "e"
    rank = _RANK.get(event.type, _OTHER)
    void = _void_moments(ledger, event)
    reads = [Read(ledger.order(mark), mark, channel, score) for score, mark in beside.boards]
    for change in beside.changes:
        first = None if event.type in _READINGS else ledger.order(change.first)
        reads.append(Read(ledger.order(change.mark), _of_no_minute(change.mark), channel, change.score, first))
    for telling in tellings_of(event):
        if telling.board is not None and (event.id, telling.marks[0]) in standing.readings:
            mark = mark_of(telling.stamp, event.minute, event.added_minute, event.id)
            reads.append(Read(ledger.order(mark), mark, channel, telling.board))
    for read in reads:
        if read.key[:2] not in void:
            yield _place(read, rank), read


def _of_no_minute(mark: Mark) -> Mark:
    """Of a later telling: the minute of its event says nothing of that moment."""
    return mark._replace(minute=-1)


def _void_moments(ledger: Ledger, event: Event) -> set[tuple[float, float]]:
    """A goal that is void in its own moment tells no score of it."""
    if event.type not in SCORING:
        return set()
    return {ledger.order(mark_of(telling.stamp))[:2] for telling in tellings_of(event) if telling.void}


def _shootouts_of(ledger: Ledger, event: Event) -> Iterator[Sortable]:
    for score, mark in beside_of(event).shootouts:
        read = Read(ledger.order(mark), mark, "e", score)
        yield _place(read, _OTHER), read


def _boards(ledger: Ledger, track: Track) -> list[Sortable]:
    spans = sorted(track)
    items: list[Sortable] = []
    for span in spans[:-1]:
        items += _boards_of_span(ledger, track[span])
    for span in spans[-1:]:
        items += _worked_out(ledger, track[span])
    return items


def _boards_of_span(ledger: Ledger, values: dict[str, tuple[Mark, ...]]) -> list[Sortable]:
    """Worked out once: a message adds to the newest span, and the others stay the very same. The newest is not kept:
    what each message leaves behind would make the collector's rounds long."""
    entry = _spans.get(id(values))
    if entry is not None and entry[0] is values and entry[1] is ledger.unnumbered:
        return entry[2]
    items = sorted(_worked_out(ledger, values), key=_place_of)
    if len(_spans) >= SPANS:
        _spans.clear()
    _spans[id(values)] = (values, ledger.unnumbered, items)
    return items


def _worked_out(ledger: Ledger, values: dict[str, tuple[Mark, ...]]) -> list[Sortable]:
    """In no order: they are put in one with all others."""
    order = by_time if ledger.unnumbered else by_sequence
    items: list[Sortable] = []
    for value, marks in values.items():
        channel, score = _parsed(value)
        for mark in marks:
            key = order(mark)
            items.append(((*key, READ, _OTHER, score.home + score.away, value), Read(key, mark, channel, score)))
    return items


@lru_cache(maxsize=4096)
def _parsed(value: str) -> tuple[str, Score]:
    home, _, away = value[1:].partition("-")
    return value[0], Score(int(home), int(away))


def _place(read: Read, rank: int) -> tuple[object, ...]:
    return (*read.key, READ, rank, _sum(read.score), f"{read.channel}{read.score.home}")


def _sum(score: Score | None) -> int:
    return score.home + score.away if score else 0


def _cancellations(ledger: Ledger, events: Mapping[str, Event], sport: str) -> tuple[list[Cancelled], list[Cancelled]]:
    """Those that name no goal: of goals, and of kicks. One that follows a kick of its side is of a kick."""
    cancellations = [
        _cancelled(ledger, event)
        for event in events.values()
        if event.type == "goal_cancelled" and not event.voided and event.voids is None and not _was_goal(event)
    ]
    if not cancellations:
        return [], []
    kicked = [
        (claim.side, claim.key)
        for event in events.values()
        for claim in claims_of(event, events, ledger.order)
        if is_kick(claim, event, sport)
    ]
    of_kicks = [
        cancellation
        for cancellation in cancellations
        if any(cancellation.side in (None, side) and key <= cancellation.key for side, key in kicked)
    ]
    return [cancellation for cancellation in cancellations if cancellation not in of_kicks], of_kicks


def _was_goal(event: Event) -> bool:
    """Told anew under its id as cancelled: it names itself."""
    return any(telling.type in SCORING | KICKS for telling in tellings_of(event))


def _cancelled(ledger: Ledger, event: Event) -> Cancelled:
    beside = beside_of(event)
    score = beside.boards[0][0] if beside.boards else None
    return Cancelled(ledger.order(beside.first), beside.first, event.team, score, event.is_anonymous)


def _placed(item: Cancelled) -> Sortable:
    return (*item.key, CANCELLED, 0, 0, repr(item)), item


def _absent(
    ledger: Ledger, events: Mapping[str, Event], absent: Mapping[str, Mark], types: frozenset[str]
) -> Iterator[Sortable]:
    for event_id, mark in absent.items():
        if events[event_id].type in types:
            key = ledger.order(mark)
            yield (*key, VOIDED, 0, 0, event_id), Voided(key, mark, event_id, is_named=False)
