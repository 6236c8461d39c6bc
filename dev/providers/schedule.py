"""A match day for polled providers: matches that start at a set time, with goals due by the minute."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace

from dev.recordings.recording import Expected, RecordedGoal, Recording

# A half-time of fifteen minutes lies between the 45th and the 46th minute.
BREAK_MIN = 15
MATCH_MIN = 90 + BREAK_MIN + 5


@dataclass
class ScheduledMatch:
    """number: provider's id. start_s: seconds since the epoch. speed: match minutes a minute.

    goals: (id, goal) in order; edited_s: time of the last edit by hand; postponed: it is not played.
    """

    number: int
    home: str
    away: str
    start_s: float
    speed: float
    goals: list[tuple[int, RecordedGoal]]
    edited_s: float = 0.0
    postponed: bool = False
    extra: dict[str, str] = field(default_factory=dict)

    def due_s(self, goal: RecordedGoal) -> float:
        minute = goal.minute + (goal.added or 0)
        return self.start_s + (minute + (BREAK_MIN if goal.minute > 45 else 0)) * 60 / self.speed

    @property
    def end_s(self) -> float:
        return self.start_s + MATCH_MIN * 60 / self.speed

    def shown(self, now_s: float) -> list[tuple[int, RecordedGoal]]:
        return [entry for entry in self.goals if self.due_s(entry[1]) <= now_s]

    def changed_s(self, now_s: float) -> float:
        """When it last changed."""
        moments = [self.start_s, self.end_s, self.edited_s, *(self.due_s(goal) for _, goal in self.goals)]
        return max((moment for moment in moments if moment <= now_s), default=self.start_s - 86_400)

    def score(self, now_s: float) -> tuple[int, int]:
        sides = [goal.team.value for _, goal in self.shown(now_s)]
        return sides.count("home"), sides.count("away")

    # What volunteers do.

    def take_back(self, place: int) -> None:
        del self.goals[place]
        self.edited_s = time.time()

    def edit_scorer(self, place: int, name: str) -> None:
        number, goal = self.goals[place]
        self.goals[place] = number, replace(goal, scorer=name)
        self.edited_s = time.time()

    def add_goal(self, goal: RecordedGoal) -> None:
        self.goals.append((max((number for number, _ in self.goals), default=self.number * 100) + 1, goal))
        self.edited_s = time.time()


def match_day(recording: Recording, *, count: int, start_s: float, speed: float) -> list[ScheduledMatch]:
    """The first `count` matches of a recording that list their goals, all starting at once."""
    names = {message.match_id: message for message in reversed(recording.messages)}
    matches: list[ScheduledMatch] = []
    for match_id, end in recording.expected.items():
        if end.goals is None or not _in_ninety(end):
            continue
        entry = json.loads(names[match_id].body)["matches"][0]
        number = 70_000 + len(matches)
        goals = [(number * 100 + place, goal) for place, goal in enumerate(end.goals)]
        matches.append(ScheduledMatch(number, entry["home_team"], entry["away_team"], start_s, speed, goals))
        if len(matches) == count:
            break
    return matches


def _in_ninety(end: Expected) -> bool:
    return end.shootout is None and all(goal.minute <= 90 for goal in end.goals or ())
