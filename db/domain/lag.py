"""How far one word of the score may lag behind another: what a scoreboard cannot know yet."""

from __future__ import annotations

from db.domain.goal import Goal
from db.domain.stamp import Mark, origin_of

# A board this far behind a goal does not know it yet. Push and REST of one provider, and an event beside its own
# scoreboard, differ by up to five seconds in the recordings; with 0, 29 of 160 matches flapped.
BOARD_LAG_MS = 6_000
# Within that lag the match clock moves on by a minute at most.
MINUTES_APART = 2
# The same of a polled document, which a provider's own cache may hold for a minute.
DOCUMENT_LAG_MS = 60_000
# What documents lack counts as taken back once they have lacked it for so long, by their own stamps: one alone may be
# behind what is pushed.
ABSENT_MS = 10_000
# A document so much later than all that counted a goal is behind nothing: of a match that is over there may be but one.
SETTLED_MS = 300_000


def lag_of(channel: str) -> int:
    """A board beside the voiding of a goal by name knows of it."""
    return 0 if channel == "n" else DOCUMENT_LAG_MS if channel == "d" else BOARD_LAG_MS


def lag_behind(goal: Goal, mark: Mark, channel: str) -> int:
    """A document that has listed a goal is not behind it, nor is the goal's own event, told anew with another score.

    Nor is what is later by the match clock: a sender may play a match fast, or put one time on all it says.
    """
    if mark.at > goal.mark.at and mark.origin == origin_of(goal.id):
        return 0
    minutes = mark.minute - goal.minute if goal.minute >= 0 else 0
    if channel != "d" and minutes >= (1 if mark.at == goal.mark.at else MINUTES_APART):
        return 0
    return BOARD_LAG_MS if channel == "d" and 0 < goal.listed <= mark.at else lag_of(channel)


def is_behind(mark: Mark, goal: Goal, channel: str) -> bool:
    """Whether a board cannot know of a goal yet.

    Of one time the match clock says it, if both bear a minute: times are often whole seconds, and two messages of one
    second may have been numbered in either order.
    """
    lag = lag_behind(goal, mark, channel)
    if mark.minute >= 0 and goal.minute >= 0:
        return bool(goal.mark.at) and mark.at - goal.mark.at < lag
    return is_within(mark, goal.mark, lag)


def is_within(mark: Mark, earlier: Mark, lag: int) -> bool:
    """Of one time, what bears the higher number knows of the other, save where the match clock is the same, too."""
    is_one_minute = mark.clock == earlier.clock > 0
    if mark.at == earlier.at and not is_one_minute and mark.sequence is not None and earlier.sequence is not None:
        return lag > 0 and mark.sequence <= earlier.sequence
    return bool(earlier.at) and mark.at - earlier.at < lag
