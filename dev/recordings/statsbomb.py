"""StatsBomb events: goals, cards, substitutions and halves, out of every touch of a match."""

from __future__ import annotations

import re
from typing import Any

from db.domain import Side
from dev.recordings.recording import Expected, RecordedGoal, Recording, in_order
from dev.recordings.story import MINUTE_MS, Story, displayed, ms

# The events have no date or kick-off. The date is in the file name; the hour is that of a late match.
_KICKOFF = "T19:00:00+00:00"
_CARDS = {"Yellow Card": "yellow_card", "Second Yellow": "second_yellow", "Red Card": "red_card"}
_STARTS = {1: "kickoff", 2: "second_half", 3: "extra_time", 4: "extra_second_half", 5: "shootout_start"}
_ENDS = {1: "half_time", 3: "extra_half_time"}


def read(events: list[dict[str, Any]], name: str) -> Recording:
    """The home side is the one whose line-up comes first."""
    home, away = (event["team"] for event in events[:2])
    dated = re.search(r"(\d{4,})-.*?(\d{4}-\d{2}-\d{2})", name)
    number, day = dated.groups() if dated else (name, "2000-01-01")
    match = _Match(events, home["id"], ms(day + _KICKOFF))
    story = Story(f"statsbomb-{number}"[:64], match.start_ms)
    story.introduce(home_team=home["name"], away_team=away["name"])
    for event in events:
        match.tell(story, event)
    return Recording(name, in_order(story.messages), {story.match_id: match.expected()})


class _Match:
    def __init__(self, events: list[dict[str, Any]], home_id: int, start_ms: int) -> None:
        self.events, self.home_id, self.start_ms = events, home_id, start_ms
        self.last_period = max(event["period"] for event in events)
        self.starts_ms = self._period_starts()
        self.own_scorers = {e["id"]: e["player"]["name"] for e in events if e["type"]["name"] == "Own Goal Against"}

    def _period_starts(self) -> dict[int, int]:
        """Start of each period in ms: `timestamp` restarts with each, and breaks take 15 minutes."""
        at, starts = self.start_ms, {}
        for period in range(1, self.last_period + 1):
            starts[period] = at
            ends = [_offset_ms(event) for event in self.events if event["period"] == period]
            at += max(ends, default=0) + 15 * MINUTE_MS
        return starts

    def tell(self, story: Story, event: dict[str, Any]) -> None:
        at_ms, kind = self.starts_ms[event["period"]] + _offset_ms(event), event["type"]["name"]
        if goal := self.goal(event):
            story.goal(goal, at_ms, event_id=event["id"], period=event["period"])
        elif (kick := self.kick(event)) is not None:
            word = "shootout_goal" if kick else "shootout_missed"
            self._tell_moment(story, word, event, at_ms, player=event["player"]["name"])
        elif kind in ("Half Start", "Half End"):
            # Each team has one; the home side's is used.
            if self._side(event) is Side.HOME:
                self._tell_half(story, event, at_ms)
        elif kind == "Substitution":
            on, off = event["substitution"]["replacement"]["name"], event["player"]["name"]
            self._tell_moment(story, "substitution", event, at_ms, player=on, detail=f"off: {off}")
        elif card := _card(event):
            self._tell_moment(story, _CARDS[card], event, at_ms, player=event["player"]["name"])

    def _tell_half(self, story: Story, event: dict[str, Any], at_ms: int) -> None:
        period = event["period"]
        if event["type"]["name"] == "Half Start":
            story.tell(_STARTS[period], at_ms, event["minute"], period=period)
            return
        word = "full_time" if period == self.last_period else _ENDS.get(period)
        if word:
            minute, added = displayed(event["minute"], period)
            story.tell(word, at_ms, minute, added_minute=added, period=period)

    def _tell_moment(self, story: Story, kind: str, event: dict[str, Any], at_ms: int, **more: str) -> None:
        minute, added = displayed(event["minute"], event["period"])
        team = self._side(event)
        story.tell(kind, at_ms, minute, added_minute=added, event_id=event["id"], team=team, **more)

    def goal(self, event: dict[str, Any]) -> RecordedGoal | None:
        """An own goal is two events, one per side; the one of the side that gains is used."""
        if event["period"] == 5:
            return None
        shot, minute = event.get("shot", {}), displayed(event["minute"], event["period"])
        if event["type"]["name"] == "Own Goal For":
            related = [self.own_scorers[key] for key in event.get("related_events", ()) if key in self.own_scorers]
            return RecordedGoal(self._side(event), *minute, related[0] if related else None, "own_goal")
        if shot.get("outcome", {}).get("name") != "Goal":
            return None
        kind = "penalty_goal" if shot["type"]["name"] == "Penalty" else "goal"
        return RecordedGoal(self._side(event), *minute, event["player"]["name"], kind)

    def kick(self, event: dict[str, Any]) -> bool | None:
        """Whether a shoot-out kick was scored; None for other events."""
        if event["period"] != 5 or event["type"]["name"] != "Shot":
            return None
        return bool(event["shot"]["outcome"]["name"] == "Goal")

    def _side(self, event: dict[str, Any]) -> Side:
        return Side.HOME if event["team"]["id"] == self.home_id else Side.AWAY

    def expected(self) -> Expected:
        """The file has no total: its goal events are counted."""
        goals = tuple(goal for event in self.events if (goal := self.goal(event)))
        home = sum(goal.team is Side.HOME for goal in goals)
        scored = [self._side(event) for event in self.events if self.kick(event)]
        kicks = (scored.count(Side.HOME), scored.count(Side.AWAY)) if self.last_period == 5 else None
        return Expected(home, len(goals) - home, "finished", kicks, goals)


def _card(event: dict[str, Any]) -> str | None:
    foul = event.get("foul_committed") or event.get("bad_behaviour") or {}
    card = foul.get("card")
    return str(card["name"]) if card else None


def _offset_ms(event: dict[str, Any]) -> int:
    hours, minutes, seconds = event["timestamp"].split(":")
    return (int(hours) * 60 + int(minutes)) * MINUTE_MS + round(float(seconds) * 1000)
