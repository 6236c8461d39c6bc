"""Goals as the fold counts them, rises that no goal explains yet, and goals that a falling scoreboard took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from db.domain.event import Person
from db.domain.stamp import Key, Mark

# A goal told without a minute belongs to a rise of the score at most this long before it.
FILL_MS = 120_000
MINUTE_MS = 60_000
# Minutes at which a clock may stop until the half is over.
ENDS = (45, 90, 105, 120)
# As far as an event and its scoreboard lie apart that tell of the same seconds.
SAME_MOMENT_MS = 6_000


@dataclass(slots=True)
class Goal:
    """key: of the telling from which on it stands. first: of the first telling of its event.
    own: the number of its side after it, as told with it; None where not told.
    clock: minute * 100 + added minute; -1 where no minute is told.
    listed: ms at which a whole document first listed it, 0 for never.
    """

    id: str
    key: Key
    mark: Mark
    clock: int
    own: int | None
    first: Key
    listed: int = 0
    player: Person | None = None

    @property
    def minute(self) -> int:
        """As the match clock runs on: 45+2 is 47."""
        return -1 if self.clock < 0 else self.clock // 100 + self.clock % 100


@dataclass(slots=True)
class Rise:
    """number: the count it made. channel: who told it. goal: the one taken before that it shows as standing again."""

    key: Key
    mark: Mark
    number: int
    channel: str
    goal: Goal | None = None


@dataclass(slots=True)
class Taken:
    """A goal that a falling board took."""

    goal: Goal
    key: Key
    mark: Mark
    channel: str


def in_play_order(goals: Sequence[Goal]) -> list[Goal]:
    """By the match clock where all bear a minute; else, and within one minute, as they were first told."""
    by_clock = all(goal.clock >= 0 for goal in goals)
    return sorted(goals, key=lambda goal: (goal.clock if by_clock else 0, goal.first))


def is_twin(goal: Goal, other: Goal) -> bool:
    """Whether both make the same number of their side in the same minute: one goal, told under two ids.

    With two scorers it is two goals, the score beside one of which lags. Of 150 stories in which a side scores
    twice within a minute, told once, with scores on goals alone that lag by up to 5 s, 16 lost a goal before scorers
    counted.
    """
    if not goal.own or goal.own != other.own or _are_two(goal.player, other.player):
        return False
    if goal.minute >= 0 and other.minute >= 0:
        return abs(goal.minute - other.minute) <= 1
    return abs(goal.mark.at - other.mark.at) <= MINUTE_MS


def _are_two(player: Person | None, other: Person | None) -> bool:
    if player is None or other is None:
        return False
    if player.id and other.id:
        return player.id != other.id
    return player.name.casefold() != other.name.casefold()


def fits(goal: Goal, rise: Rise) -> bool:
    """A rise is of a goal of its moment or before it, by the match clock. The clocks of the two differ by a minute, by
    two where both are told together; of the very same seconds they say nothing. That of a scoreboard may stop at the
    end of a half."""
    apart = abs(goal.mark.at - rise.mark.at)
    if apart < SAME_MOMENT_MS:
        return True
    if goal.clock >= 0 and rise.mark.minute >= 0:
        stands_still = rise.mark.minute in ENDS and goal.mark.at - rise.mark.at <= FILL_MS
        if stands_still or goal.clock // 100 == rise.mark.minute:
            return True
        return goal.minute <= rise.mark.minute + (2 if apart <= MINUTE_MS else 1)
    return goal.mark.at - rise.mark.at <= FILL_MS
