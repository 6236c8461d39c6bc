"""The ledger of a match's window: what was announced, and which of those goals no longer count. Pure.

A goal that only the scoreboard shows is known by its number (`home-2`). When a goal stops counting, later goals of its
side move down by one. Their numbers change at that moment, even if the cancellation is not announced yet, and change
back if the goal counts again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from db.domain import Kind, Match, Phase, Side
from notify.content.news import News


@dataclass(frozen=True, slots=True)
class PendingCancellation:
    """A goal that no longer counts, before any message has said so.

    news: the cancellation.
    due: when it is announced (ms).
    """

    news: News
    due: int


@dataclass(frozen=True, slots=True)
class Announcement:
    """One line of the ledger.

    kind, key: of the news.
    board: of a goal, its present number on the scoreboard; of a red card, its number in its side.
    alert: id of the alert that announced it; "" if it was noted but sent to nobody; None while it waits.
    fall: of a goal, its cancellation while that waits.
    retracted: of a kick-off or a result, since when the match says otherwise (ms).
    source: of a red card, which source told the match.
    """

    kind: Kind
    key: str
    board: str | None = None
    alert: str | None = None
    fall: PendingCancellation | None = None
    retracted: int | None = None
    source: str | None = None

    def is_of(self, news: News) -> bool:
        """Whether it announced the same thing. A goal that only the scoreboard shows is known by its number, which may
        have changed."""
        return self.key == news.key and (news.key != news.board or self.board == news.board)

    @property
    def is_numbered(self) -> bool:
        """Whether only the scoreboard shows this goal."""
        return any(map(self.is_numbered_of, Side))

    def is_numbered_of(self, side: Side | None) -> bool:
        name, _, number = self.key.partition("-")
        return name == side and number.isdecimal()


Ledger = tuple[Announcement, ...]


def of_cancellation(ledger: Ledger, news: News) -> Announcement | None:
    """The goal that is cancelled. Its id is tried before its number: a number always points at the last goal."""
    goals = [line for line in reversed(ledger) if line.kind is Kind.GOAL]
    by_id = [line for line in goals if line.is_of(news)]
    by_number = [line for line in goals if line.board is not None and line.board == news.board and not line.fall]
    return next(iter(by_id or by_number), None)


def of_confirmation(ledger: Ledger, news: News) -> Announcement | None:
    """The fallen goal whose cancellation a message confirms: by its id, else the one that fell last."""
    fallen = [line for line in fallen_of(ledger) if line.fall and news.team in (None, line.fall.news.team)]
    if not news.key:
        return _latest(fallen)
    return _latest([line for line in fallen if line.key == news.key] or [line for line in fallen if line.is_numbered])


def has_goal_of(ledger: Ledger, news: News) -> bool:
    """Whether the goal was announced whose scorer is named now. One that only the scoreboard told may be any of its
    side."""
    return any(
        line.kind is Kind.GOAL and line.alert and (line.key == news.event_id or line.is_numbered_of(news.team))
        for line in ledger
    )


def has_card_of_other_source(ledger: Ledger, news: News, match: Match | None) -> bool:
    """Whether the same red card of the side was announced, under another id, when another source told the match."""
    return news.kind is Kind.RED_CARD and any(
        line.kind is news.kind and line.board and line.board == news.board and match and line.source != match.source
        for line in ledger
    )


def of_hidden_kick(ledger: Ledger, news: News, match: Match | None) -> Announcement | None:
    """The kick of the side that was announced under an id which turned out to be another event's."""
    kicks = [line for line in ledger if line.kind is news.kind is Kind.SHOOTOUT_KICK]
    for line in kicks:
        event = match.events.get(line.key) if match else None
        if event is not None and event.type == "" and event.team is news.team:
            return line
    return None


def naming(ledger: Ledger, goal: Announcement, event_id: str | None) -> list[str]:
    """Ids of the alerts that named the scorer of a goal after it."""
    names = tuple(f"{name}:" for name in (goal.key, event_id) if name)
    return [line.alert for line in ledger if line.kind is Kind.SCORER and line.alert and line.key.startswith(names)]


def of_return(ledger: Ledger, news: News) -> Announcement | None:
    """The fallen goal that counts again: by its id, or by its number if one of the two has no id."""
    fallen = [line for line in fallen_of(ledger) if line.fall and line.fall.news.team is news.team]
    if news.event_id:
        own = [line for line in fallen if line.key == news.key]
        fallen = own or [line for line in fallen if line.is_numbered]
    return _latest([line for line in fallen if line.fall and line.fall.news.board == news.board] or fallen)


def without_swaps(ledger: Ledger, news: Iterable[News]) -> list[News]:
    """The news without goals that return, after their cancellation was announced, in place of another goal of their
    side: the falling score did not say which goal it was, and the score is the same as before. Others that return are
    news of now, however old the goal is: followers know it as cancelled."""
    items = list(news)
    cancelled = {line.key for line in ledger if line.kind is Kind.GOAL_CANCELLED}
    for returned in [item for item in items if item.kind is Kind.GOAL and item.key in cancelled]:
        lost = [item for item in items if _is_loss(item) and item.team is returned.team]
        if lost:
            items = [item for item in items if item is not returned and item is not lost[0]]
        else:
            items = [replace(item, at=0) if item is returned else item for item in items]
    return items


def _is_loss(item: News) -> bool:
    return item.kind is Kind.GOAL_CANCELLED and not item.confirms


def with_explained(ledger: Ledger, news: Iterable[News], match: Match) -> Ledger:
    """With the goals that turned out to be what raised the score in place of those that were announced for it."""
    items = list(news)
    struck = {item.key for item in items if item.kind is Kind.GOAL_CANCELLED}
    named = {item.key for item in items if item.kind is Kind.GOAL} | {line.key for line in ledger}
    for goal in [event for event in match.events.values() if event.counts and event.id not in named]:
        for line in [line for line in ledger if line.kind is Kind.GOAL and not line.fall and line.key not in struck]:
            event = match.events.get(line.key)
            if event is not None and event.voided and _is_of_side(line, goal.team):
                ledger = tuple(_under(old, line.key, goal.id) for old in ledger)
                break
    return ledger


def under_new_ids(ledger: Ledger, after: Ledger, waiting: Iterable[News]) -> tuple[News, ...]:
    """The goals that wait, under the ids that their lines have after a change."""
    keys = {line.key: other.key for line, other in zip(ledger, after, strict=True) if line.kind is Kind.GOAL}
    return tuple(
        replace(item, key=keys[item.key], event_id=keys[item.key])
        if item.kind is Kind.GOAL and keys.get(item.key, item.key) != item.key
        else item
        for item in waiting
    )


def _is_of_side(goal: Announcement, side: Side | None) -> bool:
    """By its number: a goal that its sender gives no side has none when it is taken back."""
    return side is not None and (goal.board or "").startswith(f"{side.value}-")


def _under(line: Announcement, key: str, other: str) -> Announcement:
    if line.kind is Kind.GOAL and line.key == key:
        return replace(line, key=other)
    if line.kind is Kind.SCORER and line.key.startswith(f"{key}:"):
        return replace(line, key=f"{other}:{line.key.removeprefix(f'{key}:')}")
    return line


def without_renamed(ledger: Ledger, news: Iterable[News], match: Match) -> list[News]:
    """The news without a goal that was told under two ids, the announced one of which is taken back."""
    items = list(news)
    announced = {line.key for line in ledger if line.kind is Kind.GOAL and line.alert}
    for lost in [item for item in items if item.kind is Kind.GOAL_CANCELLED and item.key in announced]:
        for goal in [item for item in items if item.kind is Kind.GOAL and _is_renamed(lost, item, match)]:
            items = [item for item in items if item is not goal and item is not lost]
    return items


def _is_renamed(lost: News, goal: News, match: Match) -> bool:
    """Whether both make one score in one minute: then followers have been told of that goal."""
    before, after = match.events.get(lost.key), match.events.get(goal.key)
    if before is None or after is None or before.home_score is None or lost.board != goal.board:
        return False
    made = (before.minute, before.home_score, before.away_score)
    return made == (after.minute, after.home_score, after.away_score)


def retract(ledger: Ledger, match: Match, now_ms: int) -> Ledger:
    """Mark kick-offs and results that the match contradicts, such as a whistle before extra time. One that is marked
    can be announced again."""
    wrong = {
        Kind.KICKOFF: match.phase is Phase.SCHEDULED,
        Kind.FULL_TIME: match.phase in (Phase.SCHEDULED, Phase.LIVE, Phase.BREAK),
    }
    return tuple(
        replace(line, retracted=now_ms) if wrong.get(line.kind) and line.retracted is None else line for line in ledger
    )


def fallen_of(ledger: Iterable[Announcement]) -> list[Announcement]:
    return [line for line in ledger if line.fall]


def without(ledger: Ledger, goal: Announcement) -> Ledger:
    """Without a goal. If it had fallen, the numbers of the others have changed already."""
    rest = tuple(line for line in ledger if line is not goal)
    return rest if goal.fall else tuple(_moved(line, goal, -1) for line in rest)


def with_fall(ledger: Ledger, goal: Announcement, fall: PendingCancellation) -> Ledger:
    fallen = replace(goal, fall=fall)
    return tuple(fallen if line is goal else _moved(line, goal, -1) for line in ledger)


def without_fall(ledger: Ledger, goal: Announcement) -> Ledger:
    standing = replace(goal, fall=None)
    return tuple(standing if line is goal else _moved(line, goal, +1) for line in ledger)


def _latest(fallen: list[Announcement]) -> Announcement | None:
    return max(fallen, key=lambda line: line.fall.due if line.fall else 0, default=None)


def _moved(line: Announcement, goal: Announcement, by: int) -> Announcement:
    """A later goal of that side has one less before it, or one more. A fallen goal keeps the number it would have on
    its return, so with an equal number it comes first."""
    if line.kind is not Kind.GOAL or not line.board or not goal.board:
        return line
    side, _, number = line.board.partition("-")
    goal_side, _, goal_number = goal.board.partition("-")
    if side != goal_side or int(number) < int(goal_number) + (1 if line.fall else 0):
        return line
    return replace(line, board=f"{side}-{int(number) + by}")
