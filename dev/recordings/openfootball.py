"""openfootball: final results of seasons and tournaments. Each match is replayed from its goals and scores."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from db.domain import Side
from dev.recordings.match_play import play
from dev.recordings.recording import Expected, RecordedGoal, RecordedMessage, Recording, in_order
from dev.recordings.story import Story
from feeds.generic.match_entry import slug


def read(document: dict[str, Any], name: str) -> Recording:
    matches = document.get("matches") or [
        match | {"round": part["name"]} for part in document["rounds"] for match in part["matches"]
    ]
    competition = str(document["name"])
    messages: list[RecordedMessage] = []
    expected: dict[str, Expected] = {}
    for match in matches:
        story = Story(match_id(competition, match), _start_ms(match))
        _tell(story, competition, match)
        messages += story.messages
        expected[story.match_id] = _expected(match)
    return Recording(name, in_order(messages), expected)


def match_id(competition: str, match: dict[str, Any]) -> str:
    """`world-cup-2022-12-18-argentina-france`: competition, date, teams, each cut so that

    the 64 characters of an id have room for a suffix.
    """
    parts = (_without_season(competition)[:12], match["date"], _team(match, 1)[:15], _team(match, 2)[:15])
    return "-".join(slug(part) for part in parts)


def _without_season(competition: str) -> str:
    """`Deutsche Bundesliga 2023/24` → `Deutsche Bundesliga`."""
    return re.sub(r"\s+\d{4}(/\d{2,4})?$", "", competition)


def _team(match: dict[str, Any], number: int) -> str:
    team = match[f"team{number}"]
    return str(team["name"] if isinstance(team, dict) else team)


def _start_ms(match: dict[str, Any]) -> int:
    """`15:00 UTC-4` is local time with its offset; a bare time is taken as UTC, and no time as midnight."""
    time = re.fullmatch(r"(\d{1,2}):(\d{2})(?:\s+UTC([+-]\d{1,2}))?", match.get("time", "00:00"))
    hour, minute, offset = time.groups(default="0") if time else ("0", "0", "0")
    day = datetime.fromisoformat(match["date"])
    start = day.replace(hour=int(hour), minute=int(minute), tzinfo=timezone(timedelta(hours=int(offset))))
    return round(start.timestamp() * 1000)


def _goals(match: dict[str, Any]) -> tuple[RecordedGoal, ...] | None:
    """All goals in order of play; None where the list is missing, unless the match ended goalless."""
    if "goals1" not in match and "goals2" not in match:
        return () if _final(match) == [0, 0] else None
    sides = ((Side.HOME, match.get("goals1", [])), (Side.AWAY, match.get("goals2", [])))
    goals = [_goal(side, goal) for side, listed in sides for goal in listed]
    return tuple(sorted(goals, key=lambda goal: goal.order))


def _goal(side: Side, goal: dict[str, Any]) -> RecordedGoal:
    minute, _, added = str(goal["minute"]).partition("+")
    offset = goal.get("offset") or (int(added) if added else None)
    kind = "own_goal" if goal.get("owngoal") else "penalty_goal" if goal.get("penalty") else "goal"
    return RecordedGoal(side, int(minute), offset, goal["name"], kind)


def _final(match: dict[str, Any]) -> list[int] | None:
    """`et` is the score after 120 minutes, goals of the 90 included."""
    score = match.get("score") or {}
    return score.get("et") or score.get("ft")


def _expected(match: dict[str, Any]) -> Expected:
    final, kicks = _final(match), (match.get("score") or {}).get("p")
    status = match.get("status") or ("finished" if final else "scheduled")
    home, away = final or (None, None)
    goals = None if match.get("status") else _goals(match)
    return Expected(home, away, status, tuple(kicks) if kicks else None, goals)


def _tell(story: Story, competition: str, match: dict[str, Any]) -> None:
    season = {"id": slug(_without_season(competition)), "name": competition}
    venue = match.get("ground") or match.get("stadium")
    details = {"venue": venue, "stage": match.get("group"), "round": match.get("round")}
    story.introduce(
        home_team=_team(match, 1),
        away_team=_team(match, 2),
        competition=season,
        **{name: value for name, value in details.items() if value},
    )
    final = _final(match)
    if match.get("status"):
        story.score = (final[0], final[1]) if final else None
        story.tell(match["status"], story.start_ms, None)
    elif final:
        play(story, _goals(match), match["score"])
