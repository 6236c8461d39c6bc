"""Sportradar soccer: a timeline, bare or in a v4 document, replayed as documents and push messages.

A bare timeline is a list of events without a match: its id is made from its lowest event id, its teams are read from a
file name that ends in `2020-05-16-home-away` or `home-vs-away`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from db.domain import Side
from dev.recordings.recording import Expected, RecordedGoal, RecordedMessage, Recording, in_order
from dev.recordings.story import AHEAD_MS, MINUTE_MS, ms, rfc3339
from feeds.generic.match_entry import slug
from feeds.sportradar import soccer_status as state
from feeds.sportradar.sport_event import normal_id

Json = dict[str, Any]

# Matches of our bare recordings, by their lowest event id.
_MATCHES: dict[int, Json] = {
    687241297: {
        "id": "sr:sport_event:19866060",
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
}
_BEFORE: Json = {"status": "not_started", "match_status": "not_started", "home_score": 0, "away_score": 0}
_PERIODS = {
    ("regular_period", 1): "1st_half",
    ("regular_period", 2): "2nd_half",
    ("overtime", 1): "1st_extra",
    ("overtime", 2): "2nd_extra",
    ("overtime", 3): "1st_extra",
    ("overtime", 4): "2nd_extra",
}
_BREAKS = {
    "awaiting_extra": "awaiting_extra_time",
    "awaiting_extra_time": "awaiting_extra_time",
    "extra_time_halftime": "extra_time_halftime",
    "awaiting_penalties": "awaiting_penalties",
}
_ENDINGS = {"1st_extra": "aet", "2nd_extra": "aet", "awaiting_penalties": "ap", "penalties": "ap"}
_KINDS = {"penalty": "penalty_goal", "own_goal": "own_goal"}
# The older names of a player's part in an event, and v4's word for each.
_ROLES = {
    "goal_scorer": "scorer",
    "assist": "assist",
    "player_in": "substituted_in",
    "player_out": "substituted_out",
    "player": "player",
}
_OLD = {*_ROLES, "team"}


def read_timeline(events: list[Json], name: str) -> Recording:
    """A bare timeline. The running scores on its events may be wrong, so goals are counted again."""
    timeline = _with_scores([_v4(event) for event in events])
    status = _BEFORE
    for event in timeline:
        status = status_after(status, event)
    if status["status"] == "ended":
        # The provider confirms a result some minutes after the end.
        status = {**status, "status": "closed"}
    sport_event = _sport_event(timeline, name)
    return read_document({"sport_event": sport_event, "sport_event_status": status, "timeline": timeline}, name)


def read_document(document: Json, name: str) -> Recording:
    """The match with an empty timeline, a push message for each event, then the document itself.

    Events sent later than they happened carry the status of the time of sending.
    """
    match_id = _match_id(document)
    events = sorted(document["timeline"], key=told_at)
    status = _BEFORE
    first_ms = told_at(events[0])
    start_ms = ms(document["sport_event"].get("start_time") or rfc3339(first_ms))
    head = {"sport_event": document["sport_event"], "sport_event_status": status, "timeline": []}
    messages = [RecordedMessage(min(start_ms - AHEAD_MS, first_ms), "sportradar", encoded(head), match_id)]
    for event in events:
        status = status_after(status, event)
        messages.append(
            RecordedMessage(told_at(event), "sportradar", encoded(_push(document, status, event)), match_id)
        )
    whole = {"generated_at": rfc3339(told_at(events[-1]) + MINUTE_MS), **document}
    messages.append(RecordedMessage(ms(whole["generated_at"]), "sportradar", encoded(whole), match_id))
    end = {**status, **document.get("sport_event_status", {})}
    return Recording(name, in_order(messages), {match_id: expected(end, document["timeline"])})


def status_after(status: Json, event: Json) -> Json:
    """The status object after the event, derived from the events alone."""
    word = _word_after(status, event)
    new = {**status, "match_status": word, "status": "ended" if word in ("ended", "aet", "ap") else "live"}
    if word == status["match_status"]:
        new["status"] = status["status"]
    if event["type"] == "score_change" and event.get("period_type") != "penalties":
        new |= _score_after(status, event)
    if "match_clock" in event:
        new["clock"] = {"played": event["match_clock"]}
    return new | _kicks_after(status, event)


def expected(status: Json, timeline: list[Json] | None = None) -> Expected:
    """The result by the status object; goals where the timeline has as many as the score."""
    score, kicks = state.score(status), state.shootout(status)
    word, unknown = state.status_and_word(status)
    goals = _goals(timeline or [])
    listed = score is not None and goals is not None and len(goals) == score.home + score.away
    return Expected(
        score.home if score else None,
        score.away if score else None,
        word.value if word else str(unknown),
        (kicks.home, kicks.away) if kicks else None,
        goals if timeline and listed else None,
    )


def told_at(event: Json) -> int:
    """Time of the last update, in ms."""
    return ms(event.get("updated_time") or event["time"])


def encoded(document: Json) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _match_id(document: Json) -> str:
    match_id = normal_id(document["sport_event"]["id"])
    if match_id is None:
        raise ValueError(f"{document['sport_event']['id']!r} is not a match id")
    return match_id


def _sport_event(timeline: list[Json], name: str) -> Json:
    lowest = min(int(event["id"]) for event in timeline)
    competitors = [
        {"id": slug(team), "name": team, "qualifier": side.value}
        for side, team in zip(Side, _teams(name), strict=False)
    ]
    unnamed = {
        "id": f"sr:sport_event:{lowest}",
        "start_time": rfc3339(min(told_at(event) for event in timeline)),
        "sport_event_context": {"sport": {"id": "sr:sport:1", "name": "Soccer"}},
        "competitors": competitors,
    }
    return _MATCHES.get(lowest, unnamed)


def _teams(name: str) -> list[str]:
    """Home and away from the file name, or nothing."""
    named = re.search(r"(?:.*\d{4}-\d{2}-\d{2}-)?(.+)-vs?-(.+)$", name)
    named = named or re.search(r"\d{4}-\d{2}-\d{2}-([^-]+)-([^-]+)$", name)
    return [part.replace("-", " ").title() for part in named.groups()] if named else []


def _v4(event: Json) -> Json:
    """Older field names renamed to those of v4; a score only on score changes."""
    is_goal = event["type"] == "score_change"
    left_out = _OLD if is_goal else {*_OLD, "home_score", "away_score"}
    new = {name: value for name, value in event.items() if name not in left_out}
    if "team" in event:
        new["competitor"] = event["team"]
    players = [{**_plain(event[old]), "type": role} for old, role in _ROLES.items() if old in event]
    if players:
        new["players"] = [*new.get("players", []), *players]
    method = event.get("goal_scorer", {}).get("method")
    return new | ({"method": method} if is_goal and method else {})


def _plain(player: Json) -> Json:
    return {name: player[name] for name in ("id", "name") if name in player}


def _with_scores(timeline: list[Json]) -> list[Json]:
    """Each goal with the score after it, in match order, if every goal has a side."""
    goals = [event for event in timeline if _is_goal(event)]
    if any(event.get("competitor") not in ("home", "away") for event in goals):
        return timeline
    counts: Counter[str] = Counter()
    counted: list[Json] = []
    for event in timeline:
        if not _is_goal(event):
            counted.append(event)
            continue
        counts[event["competitor"]] += 1
        counted.append({**event, "home_score": counts["home"], "away_score": counts["away"]})
    return counted


def _is_goal(event: Json) -> bool:
    return bool(event["type"] == "score_change" and event.get("period_type") != "penalties")


def _word_after(status: Json, event: Json) -> str:
    before, kind, period = str(status["match_status"]), event["type"], str(event.get("period_type"))
    if kind == "match_started":
        return "1st_half"
    if kind == "period_start":
        return "penalties" if period == "penalties" else _PERIODS.get((period, event.get("period", 1)), before)
    if kind == "break_start":
        return _BREAKS.get(period, "halftime")
    return _ENDINGS.get(before, "ended") if kind == "match_ended" else before


def _score_after(status: Json, event: Json) -> Json:
    side = event.get("competitor") or event.get("team")
    if side in ("home", "away"):
        return {f"{side}_score": status[f"{side}_score"] + 1}
    score = state.score(event)
    return {"home_score": score.home, "away_score": score.away} if score else {}


def _kicks_after(status: Json, event: Json) -> Json:
    """The shoot-out so far as in a status object: the event's own totals, else counted."""
    kicks, side = state.own_shootout(event), event.get("competitor") or event.get("team")
    if kicks is not None:
        home, away = kicks.home, kicks.away
    elif _is_scored_kick(event) and side in ("home", "away"):
        before = state.shootout(status)
        home, away = (before.home, before.away) if before else (0, 0)
        home, away = (home + 1, away) if side == "home" else (home, away + 1)
    else:
        return {}
    return {"period_scores": [{"type": "penalties", "home_score": home, "away_score": away}]}


def _is_scored_kick(event: Json) -> bool:
    if event["type"] == "penalty_shootout":
        return event.get("status") == "scored"
    return bool(event["type"] == "score_change" and event.get("period_type") == "penalties")


def _push(document: Json, status: Json, event: Json) -> Json:
    context = document["sport_event"].get("sport_event_context", {})
    metadata = {
        "sport_id": "sr:sport:1",
        "competition_id": context.get("competition", {}).get("id"),
        "sport_event_id": _match_id(document).replace("sport_event:", "sport_event_id:"),
        "event_id": event["type"],
        "channel": "soccer",
        "format": "json",
    }
    return {"payload": {"sport_event_status": status, "event": event}, "metadata": metadata}


def _goals(timeline: list[Json]) -> tuple[RecordedGoal, ...] | None:
    """Goals in order of play; None if one has no side or no minute."""
    goals = [_goal(event) for event in timeline if _is_goal(event)]
    whole = [goal for goal in goals if goal is not None]
    return tuple(sorted(whole, key=lambda goal: goal.order)) if len(whole) == len(goals) else None


def _goal(event: Json) -> RecordedGoal | None:
    event = _v4(event)
    side, minute, added = event.get("competitor"), event.get("match_time"), event.get("stoppage_time")
    if side not in ("home", "away") or minute is None:
        return None
    players = event.get("players") or [{}]
    scorer = next((player for player in players if player.get("type") == "scorer"), players[0])
    kind = _KINDS.get(str(event.get("method")), "goal")
    return RecordedGoal(Side(side), int(minute), int(added) if added else None, scorer.get("name"), kind)
