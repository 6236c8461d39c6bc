"""The demo's match day: real matches written from the facts of their reports, and `plan`, which schedules them.

One JSON file a match:

- `starts_at`: match minutes from the start of the round; negative for a match already in play.
- `added`: stoppage time of each period.
- `script`: events by displayed minute.
- `kicks`: the shoot-out in order.
- `off`: why it is not played.

A file with none of these is a future fixture.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

Json = dict[str, Any]

# Fifteen minutes of half-time would be thirty seconds of nothing at demo speed.
BREAK_MIN = 5.0
PERIODS = ((0, 45), (45, 45), (90, 15), (105, 15))
STARTS = ("kickoff", "second_half", "extra_time", "extra_second_half")
ENDS = {1: "half_time", 3: "extra_half_time"}
GOALS = ("goal", "own_goal", "penalty_goal")


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """A message in the generic format.

    at: minute of the round at which it is sent.
    start_at: of a match, the minute of its kick-off.
    """

    at: float
    kind: str
    body: Json
    start_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Period:
    """One period on the round's clock: displayed minutes from `first`, `length` of them, and then `added`."""

    number: int
    first: int
    length: int
    added: int
    starts: float

    @property
    def ends(self) -> float:
        return self.starts + self.length + self.added

    def at(self, minute: int, added: int) -> float:
        """In the middle of a displayed minute: the 23rd lies between 22:00 and 22:59."""
        return self.starts + (minute - self.first) + added - 0.5


def fixtures() -> list[Json]:
    files = sorted(resources.files(__package__).iterdir(), key=lambda file: file.name)
    return [json.loads(file.read_text("utf-8")) for file in files if file.name.endswith(".json")]


def plan(matches: list[Json], round_: int) -> list[PlannedMessage]:
    """All messages of a round by time. Ids contain the round, so that each round plays new matches."""
    messages = [due for match in matches for due in _match(match, f"{match['id']}-{round_}")]
    return sorted(messages, key=lambda due: due.at)


def _match(match: Json, match_id: str) -> Iterator[PlannedMessage]:
    info = {"id": match_id, **{name: match[name] for name in ("home", "away")}}
    yield PlannedMessage(float("-inf"), "match", _renamed(info, match), match["starts_at"])
    if "off" in match:
        yield PlannedMessage(match["off"]["at"], "event", _event(match_id, "off", match["off"]["type"]))
    if "added" in match:
        yield from _played(match, match_id)


def _renamed(info: Json, match: Json) -> Json:
    teams = {"home_team": info.pop("home"), "away_team": info.pop("away")}
    return info | teams | {"competition": match["competition"], "venue": match["venue"], "status": "scheduled"}


def _event(match_id: str, name: str, type_: str, **fields: Any) -> Json:
    blank = {"home_score": None, "away_score": None, "minute": None}
    return {"match_id": match_id, "event_id": f"{match_id}.{name}", "event_type": type_} | blank | fields


def _played(match: Json, match_id: str) -> Iterator[PlannedMessage]:
    """Period starts and ends, a tick for each minute, script and kicks; then all get the running score."""
    periods = _periods(match)
    messages = [due for period in periods for due in _period(period, match_id)]
    messages += [_scripted(entry, n, periods, match_id) for n, entry in enumerate(match["script"])]
    messages += _kicks(match.get("kicks", []), periods[-1].ends + BREAK_MIN, match_id)
    messages.append(_full_time(max(due.at for due in messages) + 1, periods[-1], match_id))
    yield from _scored(sorted(messages, key=lambda due: due.at))


def _periods(match: Json) -> list[Period]:
    periods: list[Period] = []
    starts = float(match["starts_at"])
    for number, (added, (first, length)) in enumerate(zip(match["added"], PERIODS, strict=False), 1):
        periods.append(Period(number, first, length, added, starts))
        starts = periods[-1].ends + BREAK_MIN
    return periods


def _period(period: Period, match_id: str) -> Iterator[PlannedMessage]:
    number = {"period": period.number}
    start = _event(match_id, f"start{period.number}", STARTS[period.number - 1], minute=period.first, **number)
    yield PlannedMessage(period.starts, "event", start)
    for elapsed in range(1, period.length + period.added):
        minute, added = min(elapsed + 1, period.length), max(elapsed + 1 - period.length, 0)
        tick = _event(match_id, f"{period.number}.{elapsed}", "score", minute=period.first + minute, **number)
        yield PlannedMessage(period.starts + elapsed, "event", tick | ({"added_minute": added} if added else {}))
    if period.number in ENDS:
        end = _event(match_id, f"end{period.number}", ENDS[period.number], **number)
        yield PlannedMessage(period.ends, "event", end)


def _scripted(entry: Json, n: int, periods: list[Period], match_id: str) -> PlannedMessage:
    minute, _, added = entry["at"].partition("+")
    period = next(p for p in periods if p.first < int(minute) <= p.first + p.length)
    fields: Json = {name: entry[name] for name in ("team", "player", "assist", "detail") if name in entry}
    fields |= {"added_minute": int(added)} if added else {}
    fields |= {"voids": f"{match_id}.{entry['voids']}"} if "voids" in entry else {}
    event = _event(match_id, entry.get("id", str(n)), entry["type"], minute=int(minute), period=period.number, **fields)
    return PlannedMessage(period.at(int(minute), int(added or 0)), "event", event)


def _kicks(kicks: list[Json], starts: float, match_id: str) -> list[PlannedMessage]:
    if not kicks:
        return []
    messages = [PlannedMessage(starts, "event", _event(match_id, "kicks", "shootout_start", period=5))]
    for n, kick in enumerate(kicks, 1):
        fields = {"team": kick["team"], "player": kick["player"], "period": 5, "detail": f"kick {n}"}
        messages.append(PlannedMessage(starts + 2 * n, "event", _event(match_id, f"kick{n}", kick["type"], **fields)))
    return messages


def _full_time(at: float, last: Period, match_id: str) -> PlannedMessage:
    return PlannedMessage(at, "event", _event(match_id, "end", "full_time", period=last.number))


def _scored(messages: list[PlannedMessage]) -> Iterator[PlannedMessage]:
    """Each event with the score after it; an own goal's `team` is the side that gains."""
    score, kicks = {"home": 0, "away": 0}, {"home": 0, "away": 0}
    for due in messages:
        event = due.body
        score[event.get("team", "home")] += (event["event_type"] in GOALS) - (event["event_type"] == "goal_cancelled")
        kicks[event.get("team", "home")] += event["event_type"] == "shootout_goal"
        event |= {"home_score": score["home"], "away_score": score["away"]}
        if event["event_id"].endswith(".kicks") or event.get("period") == 5:
            event["shootout"] = dict(kicks)
        yield due
