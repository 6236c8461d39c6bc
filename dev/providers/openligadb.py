"""OpenLigaDB: `/getmatchdata/{league}`, `/getmatchdata/{id}` and `/getlastchangedate/{league}/{season}/{group}`.

As it answers: times of changes without a zone, in German local time; no word for a match in play; ids as numbers.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dev.providers.faults import Limit, ProviderFaults
from dev.providers.schedule import ScheduledMatch
from dev.providers.server import ProviderAnswer, ProviderRequest

Json = dict[str, Any]
BERLIN = ZoneInfo("Europe/Berlin")


class OpenLigaDb:
    """leagues: matches of the current group by shortcut."""

    def __init__(self, leagues: dict[str, list[ScheduledMatch]], limit: Limit | None = None) -> None:
        self.leagues, self.faults = leagues, ProviderFaults()
        self.limit = limit or Limit(60, 60.0)
        # Of another group than the current one: known by their number alone.
        self.unlisted: list[ScheduledMatch] = []
        # Numbers that were asked for by themselves, and those that are answered 403.
        self.asked: set[str] = set()
        self.refused: set[str] = set()

    def answer(self, request: ProviderRequest) -> ProviderAnswer:
        if not self.limit.take():
            return ProviderAnswer(429, "Too many requests", {"Retry-After": "1"})
        now_s = time.time()
        match request.path:
            case ("getmatchdata", league) if league in self.leagues:
                listed = [match for match in self.leagues[league] if match not in self.unlisted]
                return ProviderAnswer(200, [_match(league, match, now_s) for match in listed])
            case ("getmatchdata", number):
                self.asked.add(number)
                refused = number in self.refused
                return ProviderAnswer(403) if refused else ProviderAnswer(200, self._one(number, now_s))
            case ("getlastchangedate", league, _, _) if league in self.leagues:
                return ProviderAnswer(200, _local(max(match.changed_s(now_s) for match in self.leagues[league])))
        return ProviderAnswer(200, [])

    def _one(self, number: str, now_s: float) -> Json | None:
        of_leagues = ((league, match) for league, matches in self.leagues.items() for match in matches)
        return next((_match(league, match, now_s) for league, match in of_leagues if str(match.number) == number), None)


def _match(league: str, match: ScheduledMatch, now_s: float) -> Json:
    home, away = match.score(now_s)
    started = now_s >= match.start_s and not match.postponed
    return {
        "matchID": match.number,
        "matchDateTime": _local(match.start_s),
        "timeZoneID": "W. Europe Standard Time",
        "matchDateTimeUTC": datetime.fromtimestamp(match.start_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "leagueId": 4741,
        "leagueName": f"Liga {league}",
        "leagueSeason": 2026,
        "leagueShortcut": league,
        "group": {"groupName": "1. Spieltag", "groupOrderID": 1, "groupID": 45_137},
        "team1": _team(match.number * 2, match.home),
        "team2": _team(match.number * 2 + 1, match.away),
        "lastUpdateDateTime": _local(match.changed_s(now_s)),
        "matchIsFinished": now_s >= match.end_s and not match.postponed,
        "matchResults": [_result(home, away)] if started else [],
        "goals": _goals(match, now_s),
        "location": None,
        "numberOfViewers": None,
    }


def _team(number: int, name: str) -> Json:
    return {"teamId": number, "teamName": name, "shortName": name[:12], "teamIconUrl": "", "teamGroupName": None}


def _result(home: int, away: int) -> Json:
    return {
        "resultID": 1,
        "resultName": "Endergebnis",
        "pointsTeam1": home,
        "pointsTeam2": away,
        "resultOrderID": 2,
        "resultTypeID": 2,
        "resultDescription": "Ergebnis nach Ende der offiziellen Spielzeit",
    }


def _goals(match: ScheduledMatch, now_s: float) -> list[Json]:
    goals, score = [], {"home": 0, "away": 0}
    for number, goal in match.shown(now_s):
        score[goal.team.value] += 1
        goals.append(
            {
                "goalID": number,
                "scoreTeam1": score["home"],
                "scoreTeam2": score["away"],
                "matchMinute": goal.minute,
                "goalGetterID": sum(map(ord, goal.scorer or "")),
                "goalGetterName": goal.scorer or "",
                "isPenalty": goal.kind == "penalty_goal",
                "isOwnGoal": goal.kind == "own_goal",
                "isOvertime": False,
                "comment": None,
            }
        )
    return goals


def _local(at_s: float) -> str:
    """Without a zone, with .NET's three digits."""
    return datetime.fromtimestamp(at_s, BERLIN).replace(tzinfo=None).isoformat(timespec="milliseconds")
