"""Stories by chance: every kind of message of the generic format, sensible and not, by a sender of any habit."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tests.support.stories.play import Message, entry, event

Fields = dict[str, Any]

SPORTS = ("football", "football", "football", "football", "basketball", "ice_hockey")
GOALS = ("goal", "goal", "own_goal", "penalty_goal")
WHISTLES = (
    "kickoff",
    "half_time",
    "second_half",
    "extra_time",
    "extra_half_time",
    "extra_second_half",
    "shootout_start",
    "full_time",
    "resumed",
)
STOPS = ("interrupted", "abandoned", "postponed", "cancelled")
WORDS = (
    "live",
    "first_half",
    "half_time",
    "second_half",
    "et_first",
    "et_second",
    "shootout",
    "ended",
    "finished",
    "aet",
    "ap",
    "scheduled",
    "delayed",
    "interrupted",
    "suspended",
    "abandoned",
    "pause",
    "monsoon",
)
MOMENTS = ("yellow_card", "red_card", "substitution", "var_review", "penalty_missed", "corner", "streaker")
NAMES = ("Ann", "Bea", "Cleo", "Dora")
# Silences between messages, in seconds: none, within the lag of a scoreboard, around it, a minute of play, a break.
GAPS = (0, 0, 0.5, 2, 5, 6, 7, 12, 40, 100, 170, 400, 1000)


def story(seed: int) -> list[Message]:
    """The same story for the same seed."""
    return _Sender(random.Random(seed)).tell()


class _Sender:
    """Keeps what it has told, so that it can tell it again, edit it and take it back."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.sport = rng.choice(SPORTS)
        self.ids = rng.choice(("all", "all", "all", "none", "some"))
        self.scores = rng.choice(("every", "goals", "boards", "none", "some"))
        self.numbers = rng.choice(("none", "none", "all", "some"))
        self.clock = rng.choice(("right", "right", "none", "late"))
        self.seconds = self.kickoff = 0.0
        self.number = 0
        self.home = self.away = 0
        self.kicks = [0, 0]
        self.start = "2026-11-25T20:00:00Z"
        self.events: list[Fields] = []
        self.messages: list[Message] = []

    def tell(self) -> list[Message]:
        acts: dict[Callable[[], None], int] = {
            self.goal: 8,
            self.board: 4,
            self.moment: 4,
            self.whistle: 4,
            self.edit: 5,
            self.tell_again: 3,
            self.take_back_by_name: 3,
            self.take_back: 4,
            self.fall: 3,
            self.kick: 2,
            self.stop: 1,
            self.award: 1,
            self.word: 2,
            self.undated: 2,
        }
        if self.rng.random() < 0.5:
            self.introduce()
        for act in self.rng.choices([*acts], [*acts.values()], k=self.rng.randint(3, 16)):
            self.seconds += self.rng.choice(GAPS)
            act()
        return self.messages

    # What is sent.

    def send(self, kind: str, fields: Fields, board: bool | None = None) -> None:
        """board: whether it bears the score; by the sender's habit where None."""
        sent = dict(fields)
        if self.bears_score(kind) if board is None else board:
            sent |= {"home_score": self.home, "away_score": self.away}
        if self.numbers == "all" or (self.numbers == "some" and self.rng.random() < 0.5):
            self.number += 1
            sent["sequence"] = self.number
        at = self.rng.choice((self.seconds, self.seconds, self.seconds, max(0.0, self.seconds - 3)))
        self.messages.append(event(kind, at, **sent))

    def bears_score(self, kind: str) -> bool:
        by_habit = {"every": True, "goals": kind in GOALS, "boards": kind == "score", "none": False}
        return by_habit.get(self.scores, self.rng.random() < 0.5)

    def new(self, kind: str, **fields: Any) -> None:
        """An event not told before; it may be told again."""
        has_id = self.ids == "all" or (self.ids == "some" and self.rng.random() < 0.7)
        details = {"event_id": f"e{len(self.events)}" if has_id else None, **self.minute(), **fields}
        self.events.append({"event_type": kind, **details})
        self.send(kind, details)

    def minute(self) -> Fields:
        minute = self.played()
        if self.clock == "none" or (self.clock == "late" and self.rng.random() < 0.4):
            return {}
        if self.rng.random() < 0.1:
            return {"minute": f"{min(minute, 90)}+{self.rng.randint(1, 6)}"}
        return {"minute": minute, "period": self.rng.choice((None, None, 1 if minute <= 45 else 2))}

    def played(self) -> int:
        return min(int((self.seconds - self.kickoff) // 60) + 1, 120)

    def side(self) -> str:
        return self.rng.choice(("home", "away"))

    def count(self, side: str, n: int) -> None:
        if side == "home":
            self.home = max(0, self.home + n)
        else:
            self.away = max(0, self.away + n)

    # What happens.

    def introduce(self) -> None:
        self.messages.append(entry(self.seconds, home_team="Reds", away_team="Blues", sport=self.sport))

    def goal(self) -> None:
        side = self.side()
        self.count(side, self.rng.choice((2, 3)) if self.sport == "basketball" else 1)
        team = side if self.rng.random() < 0.8 else None
        player = self.rng.choice((None, None, *NAMES))
        self.new(self.rng.choice(GOALS), team=team, player=player, assist=self.rng.choice((None, None, "Eve")))

    def board(self) -> None:
        if self.rng.random() < 0.3:
            self.count(self.side(), 1)
        shootout = {"home": self.kicks[0], "away": self.kicks[1]} if self.rng.random() < 0.15 else None
        self.send("score", {**self.minute(), "shootout": shootout}, board=self.scores != "none" or None)

    def moment(self) -> None:
        kind = self.rng.choice(MOMENTS)
        self.new(kind, team=self.rng.choice(("home", "away", None)), player=self.rng.choice((None, *NAMES)))

    def whistle(self) -> None:
        kind = self.rng.choice(WHISTLES)
        if self.ids == "all" and self.rng.random() < 0.5:
            self.send(kind, {"event_id": kind, **self.minute()})
        else:
            self.new(kind)

    def stop(self) -> None:
        self.new(self.rng.choice(STOPS))
        if self.rng.random() < 0.4:
            self.seconds = self.kickoff = self.seconds + 90_000
            self.home = self.away = 0
            self.whistle_anew()

    def whistle_anew(self) -> None:
        self.send("kickoff", {"event_id": "kickoff" if self.ids == "all" else None, "minute": 0})

    def award(self) -> None:
        self.home, self.away = self.rng.choice(((3, 0), (0, 3), (2, 0)))
        if self.rng.random() < 0.5:
            self.new("awarded")
        else:
            self.send("score", {"status": self.rng.choice(("awarded", "walkover"))}, board=True)

    def word(self) -> None:
        kind = self.rng.choice(("score", "yellow_card", "corner"))
        self.send(kind, {"status": self.rng.choice(WORDS), **self.minute()})

    def undated(self) -> None:
        if self.rng.random() < 0.2:
            self.start = f"2026-11-{self.rng.randint(25, 30)}T20:00:00Z"
        repeated = [message for message in self.messages if message.at is None]
        if repeated and self.rng.random() < 0.3:
            self.messages.append(entry(self.seconds, **self.rng.choice(repeated).fields))
            return
        status = self.rng.choice(("scheduled", "live", "finished", "postponed", "cancelled", "half_time"))
        self.messages.append(entry(self.seconds, status=status, start_time=self.start, sport=self.sport))

    def kick(self) -> None:
        side = self.side()
        kind = self.rng.choice(("shootout_goal", "shootout_goal", "shootout_missed", "goal"))
        self.kicks[side == "away"] += kind != "shootout_missed"
        totals = {"home": self.kicks[0], "away": self.kicks[1]} if self.rng.random() < 0.5 else None
        self.new(kind, team=side, shootout=totals, period=5, player=self.rng.choice((None, *NAMES)))

    # What is told again, edited, taken back.

    def tell_again(self) -> None:
        """As it was, at another stamp: a repeat, or the restoration of what was taken back."""
        if self.events:
            event = self.rng.choice(self.events)
            self.send(event["event_type"], _without_type(event))

    def edit(self) -> None:
        if not self.events:
            return
        event = self.rng.choice(self.events)
        kind = event["event_type"]
        changes: list[Fields] = [
            {"player": self.rng.choice(NAMES), "assist": "Eve"},
            {"detail": self.rng.choice(("header", "from 30 metres"))},
            {"team": self.side()},
            {"team": None},
            {"minute": self.played()},
            {"event_type": self.rng.choice((*GOALS, "yellow_card", "red_card", "disallowed_goal"))},
        ]
        event.update(self.rng.choice(changes))
        if event["event_type"] not in GOALS and kind in GOALS:
            self.count(event.get("team") or self.side(), -1)
        self.send(event["event_type"], _without_type(event))

    def take_back_by_name(self) -> None:
        goals = [event for event in self.events if event.get("event_id") and event["event_type"] in GOALS]
        pool = goals if self.rng.random() < 0.8 else [event for event in self.events if event.get("event_id")]
        if not pool:
            return
        event = self.rng.choice(pool)
        if event in goals:
            self.count(event.get("team") or self.side(), -1)
        kind = self.rng.choice(("goal_cancelled", "goal_cancelled", "var_review", "correction"))
        self.new(kind, voids=event["event_id"], team=self.rng.choice((event.get("team"), None)))

    def take_back(self) -> None:
        """`goal_cancelled` without a name: with its side, with a score, with both, with neither."""
        side = self.side()
        self.count(side, -1)
        if self.ids == "all":
            details: Fields = {"event_id": f"c{len(self.messages)}", **self.minute()}
        else:
            details = self.minute()
        details["team"] = self.rng.choice((side, side, None))
        self.events.append({"event_type": "goal_cancelled", **details})
        self.send("goal_cancelled", details, board=self.rng.random() < 0.5)

    def fall(self) -> None:
        """The score is lower, and nobody says why."""
        self.count(self.side(), -1)
        kind = self.rng.choice(("score", "score", "var_review", "yellow_card", "full_time"))
        self.send(
            kind, {"event_id": f"f{len(self.messages)}" if kind != "score" else None, **self.minute()}, board=True
        )


def _without_type(event: Fields) -> Fields:
    return {name: value for name, value in event.items() if name != "event_type"}
