"""What was told of a match, line by line, and which of its goals no longer count. Pure.

A goal that only the board tells is known by its number (`home-2`). When a goal of its side no longer counts, those
after it have one less before them; their numbers change at that moment, whether it is told at once or has to stand
for a while, and change back where it counts again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from db.domain import Kind
from notify.content.news import News


@dataclass(frozen=True, slots=True)
class PendingCancellation:
    """A goal no longer counts and no message has said so. news: its cancellation; due: when that is told (ms)."""

    news: News
    due: int


@dataclass(frozen=True, slots=True)
class Announcement:
    """One line of the ledger. alert: by which it was told; "" where it was heard and told to nobody, None while it
    waits. fall: of a goal, that its cancellation waits."""

    kind: Kind
    key: str
    board: str | None = None
    alert: str | None = None
    fall: PendingCancellation | None = None

    def is_of(self, news: News) -> bool:
        """Whether it is what told of the same thing. A goal that only the board tells is known by its number, and that
        may have changed."""
        return self.key == news.key and (news.key != news.board or self.board == news.board)

    @property
    def numbered(self) -> bool:
        """Whether only the board told this goal."""
        side, _, number = self.key.partition("-")
        return side in ("home", "away") and number.isdecimal()


Ledger = tuple[Announcement, ...]


def of_cancellation(ledger: Ledger, news: News) -> Announcement | None:
    """The goal that is cancelled. Its own name finds it before its number does, for that is the last one's whichever is
    struck."""
    goals = [line for line in reversed(ledger) if line.kind is Kind.GOAL]
    named = [line for line in goals if line.is_of(news)]
    numbered = [line for line in goals if line.board is not None and line.board == news.board and not line.fall]
    return next(iter(named or numbered), None)


def of_confirmation(ledger: Ledger, news: News) -> Announcement | None:
    """The fallen goal that a message means which names a cancellation: by its id, else the one that fell last."""
    fallen = [line for line in fallen_of(ledger) if line.fall and news.team in (None, line.fall.news.team)]
    if not news.key:
        return _latest(fallen)
    return _latest([line for line in fallen if line.key == news.key] or [line for line in fallen if line.numbered])


def of_return(ledger: Ledger, news: News) -> Announcement | None:
    """The fallen goal that counts again with a goal: by its id, or by the number where one of the two has no id."""
    fallen = [line for line in fallen_of(ledger) if line.fall and line.fall.news.team is news.team]
    if news.event_id:
        own = [line for line in fallen if line.key == news.key]
        fallen = own or [line for line in fallen if line.numbered]
    return _latest([line for line in fallen if line.fall and line.fall.news.board == news.board] or fallen)


def without_swaps(ledger: Ledger, news: Iterable[News]) -> list[News]:
    """The news without goals that count again after their end was told, in the place of another of their side: a score
    that fell did not say which of them it was, and it is what it was."""
    news = list(news)
    ended = {line.key for line in ledger if line.kind is Kind.GOAL_CANCELLED}
    for again in [item for item in news if item.kind is Kind.GOAL and item.key in ended]:
        lost = [item for item in news if item.kind is Kind.GOAL_CANCELLED and item.team is again.team]
        if lost:
            news = [item for item in news if item is not again and item is not lost[0]]
    return news


def fallen_of(ledger: Iterable[Announcement]) -> list[Announcement]:
    return [line for line in ledger if line.fall]


def without(ledger: Ledger, goal: Announcement) -> Ledger:
    """With a goal struck; a fallen one no longer counts in the numbers of the others."""
    left = tuple(line for line in ledger if line is not goal)
    return left if goal.fall else _renumbered(left, goal, -1)


def with_fall(ledger: Ledger, goal: Announcement, fall: PendingCancellation) -> Ledger:
    fallen = replace(goal, fall=fall)
    return tuple(fallen if line is goal else _moved(line, goal, -1) for line in ledger)


def without_fall(ledger: Ledger, goal: Announcement) -> Ledger:
    standing = replace(goal, fall=None)
    return tuple(standing if line is goal else _moved(line, goal, +1) for line in ledger)


def _latest(fallen: list[Announcement]) -> Announcement | None:
    return max(fallen, key=lambda line: line.fall.due if line.fall else 0, default=None)


def _renumbered(ledger: Ledger, goal: Announcement, by: int) -> Ledger:
    return tuple(_moved(line, goal, by) for line in ledger)


def _moved(line: Announcement, goal: Announcement, by: int) -> Announcement:
    """A goal of that side after this one has one less before it, or one more. The number of a fallen one is that which
    it takes when it is back, so with the same number it comes before."""
    if line.kind is not Kind.GOAL or not line.board or not goal.board:
        return line
    side, _, number = line.board.partition("-")
    its_side, _, its_number = goal.board.partition("-")
    if side != its_side or int(number) < int(its_number) + (1 if line.fall else 0):
        return line
    return replace(line, board=f"{side}-{int(number) + by}")
