"""Plays a football match from its goals and period scores."""

from __future__ import annotations

from dataclasses import dataclass

from dev.recordings.recording import RecordedGoal
from dev.recordings.story import MINUTE_MS, Story

Scores = dict[str, list[int]]

# Two goals of one minute are this far apart, so that their times keep their order.
APART_MS = 1_000


@dataclass(frozen=True, slots=True)
class _Period:
    """starts: event at its start.
    first, last: displayed minutes.
    score: field with the score at its end.
    rest_minutes: break after it (Laws of the Game 7: 15 at half-time; about 5 and 1 around extra time).
    ends: event at its end, if play goes on.
    status: sent with that event.
    """

    number: int
    starts: str
    first: int
    last: int
    score: str
    rest_minutes: int
    ends: str | None = None
    status: str | None = None


_HALVES = (
    _Period(1, "kickoff", 0, 45, "ht", 15, "half_time"),
    _Period(2, "second_half", 45, 90, "ft", 5, "score", "break_before_et"),
)
_EXTRA = (
    _Period(3, "extra_time", 90, 105, "", 1, "extra_half_time"),
    _Period(4, "extra_second_half", 105, 120, "et", 5),
)


def play(story: Story, goals: tuple[RecordedGoal, ...] | None, score: Scores) -> None:
    """Send a match from kick-off to full time. score: `[home, away]` at `ht`, `ft`, `et` and `p`, where known."""
    # Two matches of the Euro 2024 file were decided in extra time but have no `et`; their goals show it.
    extra = "et" in score or any(goal.minute > 90 for goal in goals or ())
    next_ms, whistle_ms, added = story.start_ms, story.start_ms, None
    for period in _HALVES + _EXTRA if extra else _HALVES:
        story.tell(period.starts, next_ms, period.first, period=period.number)
        inside = [goal for goal in goals or () if period.first < goal.minute <= period.last]
        whistle_ms, added = _play_period(story, period, inside, next_ms)
        if goals is None:
            _count(story, period, score, whistle_ms)
        if period.ends and (extra or period.number == 1):
            clock = {"minute": period.last, "added_minute": added, "period": period.number}
            story.tell(period.ends, whistle_ms, status=period.status, **clock)
        next_ms = whistle_ms + period.rest_minutes * MINUTE_MS
    _end(story, score, whistle_ms, added_minute=added, minute=120 if extra else 90, period=4 if extra else 2)


def _play_period(story: Story, period: _Period, goals: list[RecordedGoal], start_ms: int) -> tuple[int, int | None]:
    """The period's end in ms, a minute after its last added-time goal, and that added time."""
    for number, goal in enumerate(goals):
        elapsed = goal.minute - period.first + (goal.added or 0)
        story.goal(goal, start_ms + elapsed * MINUTE_MS + number * APART_MS, period=period.number)
    added = max([goal.added or 0 for goal in goals], default=0)
    return start_ms + (period.last - period.first + added + 1) * MINUTE_MS, added or None


def _count(story: Story, period: _Period, score: Scores, at_ms: int) -> None:
    """Without a goal list, send the score a second before the end of the period."""
    points = score.get(period.score)
    story.score = (points[0], points[1]) if points else None
    if points:
        story.tell("score", at_ms - APART_MS, period.last, event_id=f"score-{period.number}", period=period.number)


def _end(story: Story, score: Scores, at_ms: int, **clock: int | None) -> None:
    final, kicks = score.get("et") or score["ft"], score.get("p")
    story.score = (final[0], final[1])
    shootout = {"home": kicks[0], "away": kicks[1]} if kicks else None
    if shootout:
        story.tell("score", at_ms, status="break_before_pens", event_id="before-shootout", **clock)
        at_ms += _EXTRA[-1].rest_minutes * MINUTE_MS
        clock |= {"period": 5, "added_minute": None}
        story.tell("shootout_start", at_ms, **clock)
        # Ten kicks at a little under a minute each; the file has only their result.
        at_ms += 10 * MINUTE_MS
        story.tell("score", at_ms, shootout=shootout, event_id="score-shootout", **clock)
        at_ms += APART_MS
    story.tell("full_time", at_ms, shootout=shootout, **clock)
