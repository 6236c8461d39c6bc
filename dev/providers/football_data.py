"""football-data.org v4: `/v4/competitions/{code}/matches` and `/v4/matches/{id}`, ten requests a minute."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from dev.providers.faults import Limit, ProviderFaults
from dev.providers.schedule import MATCH_MIN, ScheduledMatch
from dev.providers.server import ProviderAnswer, ProviderRequest

Json = dict[str, Any]


class FootballData:
    """competitions: matches by code. string_ids: ids as text, which some clients of it have met."""

    def __init__(
        self,
        competitions: dict[str, list[ScheduledMatch]],
        key: str,
        limit: Limit | None = None,
        *,
        string_ids: bool = False,
    ) -> None:
        self.competitions, self.key, self.faults, self.string_ids = competitions, key, ProviderFaults(), string_ids
        self.limit = limit or Limit(10, 60.0)

    def answer(self, request: ProviderRequest) -> ProviderAnswer:
        if request.headers.get("x-auth-token") != self.key:
            return ProviderAnswer(403, {"message": "Your API token is invalid.", "errorCode": 403})
        if not self.limit.take():
            return ProviderAnswer(
                429, {"message": "You reached your request limit.", "errorCode": 429}, {"Retry-After": "60"}
            )
        left = {"X-Requests-Available-Minute": str(self.limit.left)}
        match request.path:
            case ("v4", "competitions", code, "matches") if code in self.competitions:
                if not {"dateFrom", "dateTo"} <= request.query.keys():
                    return ProviderAnswer(400, {"message": "dateFrom and dateTo go together", "errorCode": 400}, left)
                matches = [self._match(code, match) for match in self.competitions[code]]
                return ProviderAnswer(200, {"resultSet": {"count": len(matches)}, "matches": matches}, left)
            case ("v4", "matches", number):
                of_codes = ((code, match) for code, matches in self.competitions.items() for match in matches)
                chosen = [self._match(code, match) for code, match in of_codes if str(match.number) == number]
                if chosen:
                    return ProviderAnswer(200, chosen[0], left)
        return ProviderAnswer(404, {"message": "The resource you are looking for does not exist."}, left)

    def _match(self, code: str, match: ScheduledMatch) -> Json:
        now_s = time.time()
        home, away = match.score(now_s)
        status = _status(match, now_s)
        is_played = status not in ("TIMED", "POSTPONED")
        full = {"home": home, "away": away} if is_played else {"home": None, "away": None}
        return {
            "id": str(match.number) if self.string_ids else match.number,
            "utcDate": _utc(match.start_s),
            "status": status,
            "matchday": 1,
            "stage": "REGULAR_SEASON",
            "lastUpdated": _utc(match.changed_s(now_s)),
            "competition": {"id": 2021, "name": f"League {code}", "code": code},
            "homeTeam": {"id": match.number * 2, "name": match.home},
            "awayTeam": {"id": match.number * 2 + 1, "name": match.away},
            "score": {
                "winner": None,
                "duration": "REGULAR",
                "fullTime": full,
                "halfTime": {"home": None, "away": None},
            },
        }


def _status(match: ScheduledMatch, now_s: float) -> str:
    if match.postponed:
        return "POSTPONED"
    elapsed_min = (now_s - match.start_s) * match.speed / 60
    if elapsed_min < 0:
        return "TIMED"
    if elapsed_min >= MATCH_MIN:
        return "FINISHED"
    return "PAUSED" if 45 <= elapsed_min < 60 else "IN_PLAY"


def _utc(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
