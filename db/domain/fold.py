"""The score: every goal, voiding and scoreboard of a source, in its order, folded from the beginning.

The order of arrival cannot matter, for the fold does not know it; what is left is being right in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeGuard

from db.domain.event import Person
from db.domain.goal import FILL_MS, Goal, in_play_order
from db.domain.score import Score
from db.domain.stamp import Key, Mark
from db.domain.tally import Tally
from db.domain.vocabulary import Side

# What comes first at one moment: what is taken back, then goals, then cancellations that name none, then boards.
VOIDED, SCORED, CANCELLED, READ = range(4)
# A cancellation told again in other words, by a sender that gives no ids, comes within this time.
RETOLD_MS = 300_000


@dataclass(frozen=True, slots=True)
class Scored:
    """A goal that is told to stand.

    side: None where nobody told it.
    own: the score it made, by its own word.
    clock, first, listed, player: as in goal.Goal.
    """

    key: Key
    mark: Mark
    event_id: str
    side: Side | None
    clock: int
    own: Score | None
    first: Key
    listed: int = 0
    player: Person | None = None


@dataclass(frozen=True, slots=True)
class Voided:
    """A goal that is told not to stand, or to be none. is_named: by a message; not where documents lack it."""

    key: Key
    mark: Mark
    event_id: str
    is_named: bool = True


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A cancellation that names no goal. score: after it. is_anonymous: its sender gave it no id."""

    key: Key
    mark: Mark
    side: Side | None
    score: Score | None
    is_anonymous: bool


class Read(NamedTuple):
    """A scoreboard: a tuple, for a message may read hundreds.

    first: where it is what an event was told anew with, the moment of that event, of which it may speak.
    """

    key: Key
    mark: Mark
    channel: str
    score: Score
    first: Key | None = None


Item = Scored | Voided | Cancelled | Read


@dataclass(slots=True)
class FoldResult:
    """What a fold comes to.

    score: None where nothing was told.
    sides: of each goal that stands, since when.
    voids: of each goal that does not, when it was taken and whether a message named it.
    """

    score: Score | None = None
    board: Read | None = None
    sides: dict[str, tuple[Side, Mark]] = field(default_factory=dict)
    voids: dict[str, tuple[Mark, bool]] = field(default_factory=dict)


class Fold:
    def __init__(self, base: Score | None = None) -> None:
        """base: of a score that no goals make, what it is at the first board."""
        self.boards: list[tuple[Key, Score]] = []
        home, away = (base.home, base.away) if base else (0, 0)
        self.home = Tally(Side.HOME, self.boards, base=home, count=home)
        self.away = Tally(Side.AWAY, self.boards, base=away, count=away)
        self.side_of: dict[str, tuple[Side, Mark]] = {}
        self.voids: dict[str, tuple[Mark, bool]] = {}
        self.unplaced: dict[str, Scored] = {}
        self.cancelled: dict[Side | None, Cancelled] = {}
        self.board: Read | None = None
        self.is_told = False

    def run(self, items: Iterable[Item]) -> FoldResult:
        """items: in the order of the source."""
        for item in items:
            if type(item) is Read:
                self._read(item)
            elif type(item) is Scored:
                self._score(item)
            elif type(item) is Voided:
                self._void(item)
            elif type(item) is Cancelled:
                self._cancel(item)
        return self._result()

    def _tally(self, side: Side) -> Tally:
        return self.home if side is Side.HOME else self.away

    # Goals.

    def _score(self, item: Scored) -> None:
        placed = self.side_of.get(item.event_id)
        side = item.side or (placed[0] if placed else None) or self._side_raised(item)
        if side is None or item.mark.undated:
            # Nobody knows which boards count an undated goal already: it waits for one that has to.
            self.unplaced[item.event_id] = item
            self.voids.pop(item.event_id, None)
            return
        self._place(item, side, item.mark)

    def _place(self, item: Scored, side: Side, mark: Mark) -> None:
        placed = self.side_of.get(item.event_id)
        if placed and placed[0] is not side:
            self._tally(placed[0]).remove(item.event_id, item.mark)
        tally, is_new = self._tally(side), placed is None or placed[0] is not side
        if is_new or not tally.is_on(item.event_id):
            self.side_of[item.event_id] = (side, mark)
            own = item.own.of(side) if item.own else None
            goal = Goal(item.event_id, item.key, item.mark, item.clock, own, item.first, item.listed, item.player)
            tally.add(goal)
        self.voids.pop(item.event_id, None)
        self.unplaced.pop(item.event_id, None)
        self.cancelled.pop(side, None)
        self.cancelled.pop(None, None)

    def _side_raised(self, item: Scored) -> Side | None:
        """Of a goal told without its side: the side whose score it raises, or whose rise it explains."""
        goal = Goal(item.event_id, item.key, item.mark, item.clock, None, item.first)
        if item.own is not None:
            raised = [side for side in Side if item.own.of(side) > self._tally(side).count]
            if len(raised) == 1:
                return raised[0]
        fitting = [side for side in Side if self._fits(goal, side, item.own)]
        return fitting[0] if len(fitting) == 1 else None

    def _fits(self, goal: Goal, side: Side, own: Score | None) -> bool:
        rise = self._tally(side).fitting(goal)
        return rise is not None and (own is None or own.of(side) == rise.number)

    def _void(self, item: Voided) -> None:
        self.unplaced.pop(item.event_id, None)
        placed = self.side_of.pop(item.event_id, None)
        if placed:
            self._tally(placed[0]).remove(item.event_id, item.mark)
        was_named = item.event_id in self.voids and self.voids[item.event_id][1]
        self.voids[item.event_id] = (item.mark, item.is_named or was_named)

    def _cancel(self, item: Cancelled) -> None:
        before = self.cancelled.get(item.side)
        if before is not None and _is_retold(before, item):
            return
        self.cancelled[item.side] = item
        if item.side is not None:
            self._cancel_of(item, item.side, item.score.of(item.side) if item.score else None)
        elif item.score is not None:
            for side in Side:
                tally, number = self._tally(side), item.score.of(side)
                if tally.count > number or tally.fallen_at(item.mark) is not None:
                    self._cancel_of(item, side, number)
        elif fallen := [(at, side) for side in Side if (at := self._tally(side).fallen_at(item.mark))]:
            self._cancel_of(item, max(fallen)[1], None)
        else:
            sides = {goal.id: side for side in Side for goal in self._tally(side).standing}
            goals = in_play_order([*self.home.standing, *self.away.standing])
            if goals:
                self._cancel_of(item, sides[goals[-1].id], None)

    def _cancel_of(self, item: Cancelled, side: Side, number: int | None) -> None:
        for goal in self._tally(side).cancel(number, item.mark):
            self.side_of.pop(goal.id, None)
            self.voids[goal.id] = (item.mark, True)

    # Boards.

    def _read(self, item: Read) -> None:
        home, away, score = self.home, self.away, item.score
        self.is_told = True
        if item.first is not None and self._speaks_of_then(item):
            return
        self.board = item
        if score.home != home.count or home.low:
            self._explain(Side.HOME, item)
            home.read(score.home, item.key, item.mark, item.channel)
        else:
            home.counted_at = item.mark.at
        if score.away != away.count or away.low:
            self._explain(Side.AWAY, item)
            away.read(score.away, item.key, item.mark, item.channel)
        else:
            away.counted_at = item.mark.at
        self.boards.append((item.key, score))

    def _explain(self, side: Side, item: Read) -> None:
        """A goal told without its side a moment ago, or without a time, is the one that the board counts now."""
        tally = self._tally(side)
        for scored in list(self.unplaced.values()):
            near = scored.mark.undated or item.mark.at - scored.mark.at <= FILL_MS
            if near and scored.side in (None, side) and item.score.of(side) > tally.count:
                self._place(scored, side, scored.mark)

    def _speaks_of_then(self, item: Read) -> bool:
        """A score that an event is told anew with is of the event's own moment where it is what stood then and a goal
        has been told since."""
        first = item.first
        goals = [(tally, key) for tally in (self.home, self.away) for key in tally.firsts]
        if first is None or all(key <= first for _, key in goals):
            return False
        home = sum(1 for tally, key in goals if tally is self.home and key <= first)
        away = sum(1 for tally, key in goals if tally is self.away and key <= first)
        return (home, away) == (item.score.home, item.score.away)

    def _result(self) -> FoldResult:
        for scored in [] if self.is_told else list(self.unplaced.values()):
            if scored.side is not None:
                self._place(scored, scored.side, scored.mark)
        score = Score(self.home.count, self.away.count)
        result = FoldResult(score if self.is_told or score != Score(0, 0) else None, self.board, voids=dict(self.voids))
        for side in Side:
            tally = self._tally(side)
            for goal in tally.on:
                result.sides[goal.id] = self.side_of[goal.id]
            for taken in tally.off:
                result.voids[taken.goal.id] = (taken.mark, False)
            for twin in tally.twins:
                result.voids[twin.id] = (twin.mark, False)
            for rise in tally.rises:
                if rise.goal:
                    result.sides[rise.goal.id] = (side, rise.mark)
                    result.voids.pop(rise.goal.id, None)
        return result


def folded(items: list[Item], base: Score | None) -> FoldResult:
    """What a fold of all items comes to: the last scoreboard, where they only rise, as in a sport of many scores."""
    if not items and base is None:
        return FoldResult()
    if not items or not _only_rise(items, base or Score(0, 0)):
        return Fold(base).run(items)
    board = items[-1]
    return FoldResult(board.score, board)


def _only_rise(items: list[Item], base: Score) -> TypeGuard[list[Read]]:
    home, away = base.home, base.away
    for item in items:
        if type(item) is not Read or item.first is not None:
            return False
        score = item.score
        if score.home < home or score.away < away:
            return False
        home, away = score.home, score.away
    return True


def _is_retold(before: Cancelled, item: Cancelled) -> bool:
    """A cancellation without an id, told again: of the same score, with no goal of that side since."""
    near = item.mark.at - before.mark.at <= RETOLD_MS
    return item.is_anonymous and before.is_anonymous and near and item.score is not None and item.score == before.score
