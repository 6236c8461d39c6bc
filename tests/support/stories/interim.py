"""What readers and phones are shown on the way, message by message in the order of arrival, beside what is true.

`python -m tests.support.stories.interim [--matches 20]` prints a table: matches that end wrong, wrong scores shown for
longer than a scoreboard lags, scores that change and change back though nothing happened, and false "goal cancelled"
news: all of them, and those that are still so after the ten seconds for which news nobody named is held.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field
from itertools import pairwise

from db.domain import Fact, Kind, Match, Side
from notify.content.news import news_of
from tests.support.stories.oracle import Case, case, wrongs
from tests.support.stories.play import steps
from tests.support.stories.teller import BOARD_LAG_S, LATE_S, SLOW_S, STYLES, Style

# A wrong score may be shown for as long as a scoreboard lags, and a second.
LAG_S = BOARD_LAG_S + 1
# What we cannot have heard yet: entered late, delivered late.
UNHEARD_S = SLOW_S + LATE_S + 2 * LAG_S
# A score that returns within this time has flapped; later it is a correction of its own.
FLAP_S = 180
# Cancellations that follow from a scoreboard alone are held so long before they are told.
HOLD_S = 10


@dataclass
class Verdict:
    messages: int = 0
    ends: int = 0
    scores: int = 0
    flaps: int = 0
    cancelled: int = 0
    cancelled_held: int = 0

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(*(value + more for value, more in zip(astuple(self), astuple(other), strict=True)))

    @property
    def faults(self) -> int:
        """What nobody may see: of the cancellations, those that outlast the hold."""
        return self.ends + self.scores + self.flaps + self.cancelled_held


@dataclass
class _Side:
    """One side's score as it is shown: each value with the moment (s) from which on it was."""

    values: list[tuple[float, int]] = field(default_factory=lambda: [(float("-inf"), 0)])
    wrong_since: float | None = None


def judge(case: Case) -> Verdict:
    judged = _Judge(case)
    match: Match | None = None
    for message, (match, facts) in zip(case.messages, steps(case.messages), strict=True):
        judged.hear(message.received, match, facts)
    assert match is not None
    judged.hear(case.messages[-1].received + UNHEARD_S, match, ())
    judged.verdict.ends = int(bool(wrongs(match, case)))
    return judged.verdict


class _Judge:
    def __init__(self, case: Case) -> None:
        self.truth = case.truth
        self.verdict = Verdict()
        self.sides = (_Side(), _Side())
        # Of false cancellations that are held: when they are due, the side and what its score was.
        self.held: list[tuple[float, int, int]] = []

    def hear(self, now: float, match: Match, facts: tuple[Fact, ...]) -> None:
        self.verdict.messages += 1
        self._tell_held(now)
        before = [side.values[-1][1] for side in self.sides]
        for n, side in enumerate(self.sides):
            self._show(n, side, now, match.score.of((Side.HOME, Side.AWAY)[n]) if match.score else 0)
            self._check(n, side, now)
        self._news(now, match, facts, before)

    def _show(self, n: int, side: _Side, now: float, value: int) -> None:
        last_at, last = side.values[-1]
        if value == last:
            return
        returned = len(side.values) > 1 and side.values[-2][1] == value and now - last_at < FLAP_S
        if returned and len(self.truth.values(n, last_at - UNHEARD_S, now)) < 3:
            self.verdict.flaps += 1
        side.values.append((now, value))

    def _check(self, n: int, side: _Side, now: float) -> None:
        """A score is right while it was true within what we cannot have heard of."""
        right = side.values[-1][1] in self._unheard(n, now)
        if right and side.wrong_since is not None:
            self.verdict.scores += int(now - side.wrong_since > LAG_S)
        side.wrong_since = None if right else side.wrong_since if side.wrong_since is not None else now

    def _unheard(self, n: int, now: float) -> set[int]:
        """What one side's score may be shown as; a goal that went to the other side may be gone before a later one
        is heard of."""
        values = set(self.truth.values(n, now - UNHEARD_S, now))
        moved = any(goal.moved_at and now - UNHEARD_S < goal.moved_at <= now for goal in self.truth.goals)
        return values | {value - 1 for value in values} if moved else values

    def _news(self, now: float, match: Match, facts: tuple[Fact, ...], before: list[int]) -> None:
        derived = {fact.event_id for fact in facts if getattr(fact, "derived", False)}
        for item in news_of(match, facts):
            if item.kind is not Kind.GOAL_CANCELLED or item.team is None:
                continue
            n = int(item.team is Side.AWAY)
            if _fell(self.truth.values(n, now - FLAP_S, now)):
                continue
            self.verdict.cancelled += 1
            if item.event_id in derived:
                self.held.append((now + HOLD_S, n, before[n]))
            else:
                self.verdict.cancelled_held += 1

    def _tell_held(self, now: float) -> None:
        due = [cancellation for cancellation in self.held if cancellation[0] <= now]
        self.held = [cancellation for cancellation in self.held if cancellation[0] > now]
        self.verdict.cancelled_held += sum(self.sides[n].values[-1][1] < was for _, n, was in due)


def _fell(values: list[int]) -> bool:
    return any(later < earlier for earlier, later in pairwise(values))


def judge_style(style: Style, seeds: Iterable[int]) -> Verdict:
    return sum((judge(case(style, seed)) for seed in seeds), Verdict())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.support.stories.interim", description=__doc__)
    parser.add_argument("--matches", type=int, default=20, help="matches a style (default 20)")
    args = parser.parse_args()
    heads = ("messages", "ends", "scores", "flaps", "cancelled", "after 10 s")
    print(f"{'wrong in ' + str(args.matches) + ' matches':28}" + "".join(f"{head:>12}" for head in heads))
    total = Verdict()
    for style in STYLES:
        print(f"{style}…", file=sys.stderr)
        verdict = judge_style(style, range(args.matches))
        print(f"{style!s:28}" + "".join(f"{count:>12}" for count in astuple(verdict)), flush=True)
        total += verdict
    print(f"{'all':28}" + "".join(f"{count:>12}" for count in astuple(total)))


if __name__ == "__main__":
    main()
