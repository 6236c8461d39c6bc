"""Sportradar soccer: a recorded timeline, told again as the v4 documents and push messages of its match."""

from __future__ import annotations

import json
from typing import Any

from db.domain import Side
from workers.recordings.recording import Expected, Goal, Message, Recording, in_order
from workers.recordings.story import MINUTE_MS, ms, rfc3339

Json = dict[str, Any]

# The timeline is a bare list; what it does not say of its match is known: Frankfurt-Mönchengladbach, 16 May 2020.
_NUMBER = "19866060"
_MATCH = f"sr:sport_event:{_NUMBER}"
_SPORT_EVENT: Json = {
    "id": _MATCH,
    "start_time": "2020-05-16T16:30:00+00:00",
    "sport_event_context": {
        "sport": {"id": "sr:sport:1", "name": "Soccer"},
        "competition": {"id": "sr:competition:35", "name": "Bundesliga"},
    },
    "competitors": [
        {"id": "sr:competitor:2674", "name": "Eintracht Frankfurt", "qualifier": "home"},
        {"id": "sr:competitor:2527", "name": "Borussia Mönchengladbach", "qualifier": "away"},
    ],
    "venue": {"name": "Commerzbank-Arena"},
}


def read_timeline(events: list[Json], name: str) -> Recording:
    """First the match with an empty timeline, then a push message for each event, last the whole timeline, closed.

    The running score that each entry of the file bears follows the file's order, not the time of telling; in a push
    message the status object says the score as of then, so it is worked out anew from the goals.
    """
    told = sorted((_v4(event) for event in events), key=_told_at)
    status: Json = {"status": "not_started", "match_status": "not_started", "home_score": 0, "away_score": 0}
    messages = [_document(ms(_SPORT_EVENT["start_time"]) - 10 * MINUTE_MS, {"sport_event_status": status})]
    for event in told:
        status = _status_after(status, event)
        messages.append(_push(event, status))
    at_ms = _told_at(told[-1]) + MINUTE_MS
    end = {"generated_at": rfc3339(at_ms), "sport_event_status": {**status, "status": "closed"}}
    messages.append(_document(at_ms, {**end, "timeline": [_v4(event) for event in events]}))
    return Recording(name, in_order(messages), {_MATCH: _expected(events)})


def _v4(event: Json) -> Json:
    """The older field names as v4 has them; a score only where the score changes."""
    new = {name: value for name, value in event.items() if name not in _OLD}
    if "team" in event:
        new["competitor"] = event["team"]
    players = [{**_plain(event[old]), "type": role} for old, role in _ROLES.items() if old in event]
    if players:
        new["players"] = players
    if event["type"] == "score_change":
        method = event.get("goal_scorer", {}).get("method")
        new |= {name: event[name] for name in ("home_score", "away_score")} | ({"method": method} if method else {})
    return new


_ROLES = {
    "goal_scorer": "scorer",
    "assist": "assist",
    "player_in": "substituted_in",
    "player_out": "substituted_out",
    "player": "player",
}
_OLD = {*_ROLES, "team", "home_score", "away_score"}


def _plain(player: Json) -> Json:
    return {"id": player["id"], "name": player["name"]}


def _told_at(event: Json) -> int:
    return ms(event.get("updated_time") or event["time"])


def _status_after(status: Json, event: Json) -> Json:
    words = {"match_started": "1st_half", "break_start": "halftime", "match_ended": "ended"}
    word = words.get(event["type"])
    if event["type"] == "period_start":
        word = "1st_half" if event["period"] == 1 else "2nd_half"
    new = {**status, "match_status": word, "status": "ended" if word == "ended" else "live"} if word else dict(status)
    score = {name: event[name] for name in ("home_score", "away_score") if name in event}
    clock = {"clock": {"played": event["match_clock"]}} if "match_clock" in event else {}
    return new | score | clock


def _push(event: Json, status: Json) -> Message:
    metadata = {
        "sport_id": "sr:sport:1",
        "competition_id": "sr:competition:35",
        "sport_event_id": f"sr:sport_event_id:{_NUMBER}",
        "event_id": event["type"],
        "channel": "soccer",
        "format": "json",
    }
    document = {"payload": {"sport_event_status": status, "event": event}, "metadata": metadata}
    return Message(_told_at(event), "sportradar", _body(document), _MATCH)


def _document(at_ms: int, fields: Json) -> Message:
    return Message(at_ms, "sportradar", _body({"sport_event": _SPORT_EVENT, "timeline": [], **fields}), _MATCH)


def _body(document: Json) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _expected(events: list[Json]) -> Expected:
    goals = tuple(_goal(event) for event in events if event["type"] == "score_change")
    return Expected(events[-1]["home_score"], events[-1]["away_score"], "finished", None, goals)


def _goal(event: Json) -> Goal:
    kinds = {"penalty": "penalty_goal", "own_goal": "own_goal"}
    scorer, added = event["goal_scorer"], event.get("stoppage_time")
    kind = kinds.get(scorer.get("method", ""), "goal")
    return Goal(Side(event["team"]), event["match_time"], int(added) if added else None, scorer["name"], kind)
