"""Goals and scoreboards explain each other: one side's count, step by step in the order of the source.

`on` are goals that stand, `off` those that a falling board took, `rises` what a board counts beyond the goals told,
`twins` goals told again under another id. The count is what is on, and the rises.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from db.domain.goal import FILL_MS, Goal, Rise, Taken, fits, in_play_order, is_twin
from db.domain.lag import ABSENT_MS, SETTLED_MS, is_behind, is_within, lag_of
from db.domain.score import Score
from db.domain.stamp import Key, Mark, origin_of
from db.domain.vocabulary import Side

# A void by name puts right what a falling board took at most this long before it.
MEND_MS = 180_000
# A score that rises again this long after a board took a goal brings that goal back: a review, or a slip, is put right
# within minutes. Later it is another goal.
RETURN_MS = 300_000
# Falls remembered of one board: as many as a lagging board can be wrong by in a sport that counts goals.
BULK = 8


@dataclass(slots=True)
class Tally:
    """base: of a score that no goals make, what it was when the fold began.
    count: of the base, what is on, and rises.
    ids: of what is on.
    falls: when something was voided, and by which channel, "" by name.
    dropped: when a board took back a goal that only a board had told.
    low: the first of the documents, one after the other, that count fewer goals than stand.
    counted_at: ms of the newest board that counts all that stand, or of a goal after it.
    boards: every score told, with its key; both sides share them.
    """

    side: Side
    boards: list[tuple[Key, Score]]
    base: int = 0
    count: int = 0
    ids: set[str] = field(default_factory=set)
    on: list[Goal] = field(default_factory=list)
    off: list[Taken] = field(default_factory=list)
    rises: list[Rise] = field(default_factory=list)
    twins: list[Goal] = field(default_factory=list)
    falls: list[tuple[Mark, str]] = field(default_factory=list)
    dropped: list[Mark] = field(default_factory=list)
    low: Mark | None = None
    counted_at: int = 0

    def _recount(self) -> None:
        self.count = self.base + len(self.on) + len(self.rises)

    @property
    def firsts(self) -> list[Key]:
        """When each of those it counts was first told."""
        return [*(goal.first for goal in self.on), *(rise.key for rise in self.rises)]

    def is_on(self, event_id: str) -> bool:
        return event_id in self.ids

    def add(self, goal: Goal) -> None:
        """A goal told: it explains a rise that it fits, or it is one more. One that was taken is back."""
        if self.is_on(goal.id) or any(twin.id == goal.id for twin in self.twins):
            return
        if taken := self._taken(goal.id):
            self.off.remove(taken)
            own = next((rise for rise in self.rises if rise.goal and rise.goal.id == goal.id), None)
            if rise := own or self.fitting(goal):
                self.rises.remove(rise)
            self._put(taken.goal)
            return
        if rise := self.fitting(goal):
            self.rises.remove(rise)
        elif self._is_told_already(goal):
            self.twins.append(goal)
            return
        self._put(goal)

    def _is_told_already(self, goal: Goal) -> bool:
        """Its own score does not raise its side, and the goal that made this number is one of its minute."""
        return (goal.own or 0) <= self.count and any(is_twin(goal, other) for other in self.on)

    def _put(self, goal: Goal) -> None:
        """In the order in which they were told: most often it is the last."""
        self.on.append(goal)
        if len(self.on) > 1 and self.on[-2].key > goal.key:
            self.on.sort(key=lambda goal: goal.key)
        self.ids.add(goal.id)
        self.counted_at = max(self.counted_at, goal.mark.at)
        self._recount()

    def _pull(self, goal: Goal) -> None:
        self.on.remove(goal)
        self.ids.discard(goal.id)

    def fitting(self, goal: Goal) -> Rise | None:
        """The rise that the goal explains: of its number, else the nearest."""
        rises = [rise for rise in self.rises if fits(goal, rise)]
        numbered = [rise for rise in rises if rise.number == goal.own]
        return (numbered or rises)[-1] if rises else None

    def remove(self, event_id: str, mark: Mark) -> None:
        """A goal voided by name, or moved. What a board took in its place is back."""
        if taken := self._taken(event_id):
            self.off.remove(taken)
            self.rises = [rise for rise in self.rises if rise.goal is None or rise.goal.id != event_id]
        elif self.is_on(event_id):
            goal = next(goal for goal in self.on if goal.id == event_id)
            self._pull(goal)
            self._mend(goal, mark)
        else:
            self.twins = [twin for twin in self.twins if twin.id != event_id]
            return
        self.falls.append((mark, ""))
        self._recount()

    def _mend(self, goal: Goal, mark: Mark) -> None:
        if twins := self._twins_of(goal):
            self.twins.remove(twins[0])
            self._put(twins[0])
        elif wrongly := self._lately(mark):
            self.off.remove(wrongly[-1])
            self._put(wrongly[-1].goal)

    def _twins_of(self, goal: Goal) -> list[Goal]:
        return [twin for twin in self.twins if is_twin(twin, goal)]

    def _taken(self, event_id: str) -> Taken | None:
        return next((taken for taken in self.off if taken.goal.id == event_id), None)

    def cancel(self, number: int | None, mark: Mark) -> list[Goal]:
        """A cancellation that names no goal takes the last ones standing at its moment; returns those.

        number: what the score of the side is after it, None where not told. Where a board has just fallen, what it took
        is meant; where it counts goals that nobody told of, one of those; a twin, where the number is what we count.
        """
        has_fallen = self.fallen_at(mark) is not None and (number is None or self.count <= number)
        if has_fallen and self.dropped and self.dropped[-1].at >= self._taken_at(mark):
            self.dropped.pop()
            return []
        if has_fallen:
            cancelled = [self._lately(mark)[-1].goal]
        elif any(rise.goal is None for rise in self.rises):
            self.rises.remove([rise for rise in self.rises if rise.goal is None][-1])
            self.falls.append((mark, ""))
            self._recount()
            return []
        else:
            goals = in_play_order(self.standing)
            n = 1 if number is None else max(len(goals) - number, 1)
            twins = [twin for goal in goals[-n:] for twin in self._twins_of(goal)]
            cancelled = twins if twins and number == self.count else [*twins, *goals[-n:]]
        for goal in cancelled:
            self.remove(goal.id, mark)
        return cancelled

    def fallen_at(self, mark: Mark) -> int | None:
        """When (ms) a board last took something, if that was just now: nobody has named it yet."""
        lately = [self._taken_at(mark), *(drop.at for drop in self.dropped if mark.at - drop.at <= MEND_MS)]
        return max(lately) or None

    def _taken_at(self, mark: Mark) -> int:
        return max((taken.mark.at for taken in self._lately(mark)), default=0)

    def _lately(self, mark: Mark) -> list[Taken]:
        shown = {rise.goal.id for rise in self.rises if rise.goal}
        return [taken for taken in self.off if mark.at - taken.mark.at <= MEND_MS and taken.goal.id not in shown]

    def read(self, number: int, key: Key, mark: Mark, channel: str) -> None:
        """A board says how many there are."""
        if number < self.count:
            self._fall(number, key, mark, channel)
            return
        self.low, self.counted_at = None, mark.at
        if number > self.count:
            self._rise(number, key, mark, channel)

    def _fall(self, number: int, key: Key, mark: Mark, channel: str) -> None:
        """It takes the latest, save those that it cannot know yet."""
        late_goals = [goal for goal in self.on if is_behind(mark, goal, channel)]
        lag = lag_of(channel)
        late_rises = [rise for rise in self.rises if rise.channel != channel and is_within(mark, rise.mark, lag)]
        excess = self.count - number - len(late_goals) - len(late_rises)
        if channel == "d" and excess > 0:
            kept = self._kept_by_documents(mark)
            late_goals = [goal for goal in self.on if goal in late_goals or goal in kept]
            excess = self.count - number - len(late_goals) - len(late_rises)
        if excess > 0 and not self.on:
            self._drop(excess, mark, channel, late_rises)
            return
        for _ in range(excess):
            self._take(number, key, mark, channel, late_goals, late_rises)

    def _kept_by_documents(self, mark: Mark) -> list[Goal]:
        """Goals that the score of a document does not take: of those that documents list, their absence speaks; of
        others, documents have to count fewer for long enough."""
        self.low = self.low or mark
        if mark.at - self.counted_at >= SETTLED_MS:
            return []
        is_confirmed = mark.at - self.low.at >= ABSENT_MS
        return [goal for goal in self.on if goal.listed or not is_confirmed]

    def _drop(self, excess: int, mark: Mark, channel: str, late_rises: list[Rise]) -> None:
        """Of a score that no goals make, all at once: cricket's has hundreds."""
        late = len(late_rises)
        counted = [rise for rise in self.rises if rise not in late_rises] if late else self.rises
        kept, lost = counted[: max(len(counted) - excess, 0)], counted[max(len(counted) - excess, 0) :]
        self.dropped += [mark for rise in lost if rise.goal is None][-1:]
        self.base -= max(excess - len(lost), 0)
        self.rises = [*kept, *late_rises]
        self.falls += [(mark, channel)] * min(excess, BULK)
        self._recount()

    def _take(
        self, number: int, key: Key, mark: Mark, channel: str, late_goals: list[Goal], late_rises: list[Rise]
    ) -> None:
        goals = [goal for goal in self.on if goal not in late_goals]
        rises = [rise for rise in self.rises if rise not in late_rises]
        if rises and (not goals or rises[-1].key >= goals[-1].key):
            if rises[-1].goal is None:
                self.dropped.append(mark)
            self.rises.remove(rises[-1])
        elif goals:
            goal = goals[-2] if len(goals) > 1 and self._is_counted(goals[-1], number) else goals[-1]
            self._pull(goal)
            twins = self._twins_of(goal)
            self.twins = [twin for twin in self.twins if twin not in twins]
            self.off += [Taken(lost, key, mark, channel) for lost in (*twins, goal)]
        self._recount()
        self.falls.append((mark, channel))

    def _is_counted(self, goal: Goal, number: int) -> bool:
        """Whether it is in that number already: it told the very number, and no board since said more."""
        return goal.own == number and all(
            score.of(self.side) <= number for key, score in self.boards if key >= goal.key
        )

    def _rise(self, number: int, key: Key, mark: Mark, channel: str) -> None:
        """It counts goals that nobody told; save those voided so lately that it cannot know yet."""
        lag = lag_of(channel)
        unknown = sum(1 for fallen, by in self.falls if by != channel and is_within(mark, fallen, lag))
        counted = [twin for twin in self.twins if self._may_count(twin, mark)]
        for twin in counted[: max(number - unknown - self.count, 0)]:
            self.twins.remove(twin)
            self._put(twin)
        taken = self._not_shown(mark)
        for n in range(self.count + 1, number - unknown + 1):
            self.rises.append(Rise(key, mark, n, channel, taken.pop().goal if taken else None))
        self._recount()

    def _may_count(self, twin: Goal, mark: Mark) -> bool:
        """Whether a board that counts more means the twin: one of its moment, or beside a goal that is counted. Another
        may be ahead of the next goal."""
        return mark.at - twin.mark.at <= FILL_MS or any(mark.origin == origin_of(goal.id) for goal in self.on)

    def _not_shown(self, mark: Mark) -> list[Taken]:
        """Of what boards took lately, what no rise shows as standing again, the latest last."""
        if not self.off:
            return []
        shown = {rise.goal.id for rise in self.rises if rise.goal}
        lately = [taken for taken in self.off if mark.at - taken.mark.at <= RETURN_MS and taken.goal.id not in shown]
        return sorted(lately, key=lambda taken: taken.key)

    @property
    def standing(self) -> list[Goal]:
        """Goals that are shown as standing."""
        return [*self.on, *(rise.goal for rise in self.rises if rise.goal)]
