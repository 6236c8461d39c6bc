"""The events of a match in the order they are read. The twin of api/static/timeline.js."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.pages.bidi import isolate
from api.pages.clock import Body, figures, minute_text, sentence
from api.pages.scoreline import scorer_lines

# A long match has a hundred entries that matter; a provider's passes and touches are left to the page's own modules.
ENTRIES_MAX = 150

_KICKS = frozenset({"shootout_goal", "shootout_missed"})
_GOALS = frozenset({"goal", "own_goal", "penalty_goal"})
_LABELS = {
    "goal": "Goal",
    "own_goal": "Own goal",
    "penalty_goal": "Penalty goal",
    "penalty_missed": "Penalty missed",
    "goal_cancelled": "Goal cancelled",
    "yellow_card": "Yellow card",
    "second_yellow": "Second yellow card",
    "red_card": "Red card",
    "substitution": "Substitution",
    "var_review": "VAR review",
}
# Marks across the timeline, and the period each opens or closes (9 after all).
_OPENS = {"lineups": 0, "kickoff": 1, "second_half": 2, "extra_time": 3, "extra_second_half": 4}
_CLOSES = {"half_time": 1, "extra_half_time": 3, "full_time": 9, "abandoned": 9, "awarded": 9, "cancelled": 9}
_CLOSES["postponed"] = 9
_MARKS = {
    "lineups": "Line-ups are in",
    "kickoff": "Kick-off",
    "half_time": "Half-time",
    "extra_time": "Extra time",
    "extra_half_time": "Half-time of extra time",
    "full_time": "Full time",
    "abandoned": "Abandoned",
    "awarded": "Awarded",
    "cancelled": "Cancelled",
    "postponed": "Postponed",
    "interrupted": "Interrupted",
    "resumed": "Resumed",
}
# Said by the mark before it.
_SILENT = frozenset({"second_half", "extra_second_half", "shootout_start"})


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the list, as text.

    mark: what stands across the timeline; "" of an event of one side.
    minute, who, score, side: "" where there is none.
    more: what else is known.
    """

    id: str
    type: str
    mark: str
    side: str
    minute: str
    who: str
    score: str
    more: str
    voided: bool


@dataclass(frozen=True, slots=True)
class Kick:
    """Of a shoot-out. taker: "" where it is not known."""

    type: str
    taker: str


def arrange(events: Sequence[Body]) -> list[Body]:
    """Newest first, without the kicks of a shoot-out."""
    shown = [event for event in events if event["event_type"] not in _SILENT | _KICKS]
    placed = sorted(range(len(shown)), key=lambda index: (*_place(shown[index]), index), reverse=True)
    return [shown[index] for index in placed]


def _place(event: Body) -> tuple[int, int, int]:
    """A mark belongs at the edge of its period, whatever minute it was told with, or none."""
    type_, period = event["event_type"], event["period"]
    if type_ in _OPENS:
        return _OPENS[type_], -1, 0
    if type_ in _CLOSES:
        closed = _CLOSES[type_]
        return (9 if period is None else period) if closed == 9 else closed, 999, 0
    at = event["minute"] if event["minute"] is not None else 998 if period else 0
    return _period_at(at) if period is None else period, at, event["added_minute"] or 0


def _period_at(minute: int) -> int:
    return 1 if minute <= 45 else 2 if minute <= 90 else 3 if minute <= 105 else 4


def entries(events: Sequence[Body]) -> list[Entry]:
    """The newest ENTRIES_MAX."""
    return [_entry(event) for event in arrange(events)[:ENTRIES_MAX]]


def _entry(event: Body) -> Entry:
    type_ = event["event_type"]
    score = figures(event) if event["home_score"] is not None else ""
    if type_ in _MARKS:
        shown = "" if type_ == "kickoff" else score
        return Entry(event["id"], type_, _MARKS[type_], "", "", "", shown, "", voided=False)
    label = _LABELS.get(type_) or sentence(type_)
    who = event["player"]["name"] if event["player"] else "" if type_ == "score" else label
    more = [
        None if who == label else label,
        event["assist"] and f"assist: {isolate(event['assist']['name'])}",
        event["detail"] and isolate(event["detail"]),
    ]
    return Entry(
        event["id"],
        type_,
        "",
        event["team"] or "",
        minute_text(event["minute"], event["added_minute"]),
        who,
        score if type_ in _GOALS else "",
        " · ".join(part for part in more if part),
        voided=event["voided"],
    )


def scorers(events: Sequence[Body], side: str) -> list[str]:
    """Who scored, a line a player: Kylian Mbappé 80' (pen), 81'."""
    goals = [event for event in events if event["event_type"] in _GOALS and not event["voided"]]
    named = [{**goal, "player": goal["player"] and goal["player"]["name"]} for goal in goals]
    return scorer_lines(named, side)


def kicks_of(events: Sequence[Body], side: str) -> list[Kick]:
    """One side's kicks, in their order."""
    return [
        Kick(event["event_type"], event["player"]["name"] if event["player"] else "")
        for event in events
        if event["event_type"] in _KICKS and event["team"] == side and not event["voided"]
    ]
