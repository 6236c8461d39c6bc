"""Stats Perform: an MA1 or MA3 document unchanged; before an MA3 its events as live push (SDDP) messages."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from db.domain import Side, Status
from dev.recordings.recording import Expected, RecordedGoal, RecordedMessage, Recording, in_order
from dev.recordings.story import AHEAD_MS, MINUTE_MS, displayed, ms, rfc3339
from feeds.statsperform.parse import PERIODS

Json = dict[str, Any]

_KINDS = {"G": "goal", "PG": "penalty_goal", "OG": "own_goal"}
_GOAL, _END, _START = 16, 30, 32  # typeId
_PENALTY, _OWN_GOAL = 9, 28  # qualifierId
_SHOOTOUT = 5  # periodId
# Periods 1 to 5 are played; after each comes a break, or 14: the match is over.
_PLAYED = range(1, 6)
_BREAKS = {1: 10, 2: 14, 3: 12, 4: 14, 5: 14}
_STATUS = {"Played": "finished", "Fixture": "scheduled"}


def read(document: Json, name: str) -> Recording:
    """An MA3 is also sent live: the fixture, then each minute's events with the score at that time."""
    match_id = str(document["matchInfo"]["id"])
    events = sorted(document["liveData"].get("event", []), key=_at_ms)
    whole = RecordedMessage(ms(document["matchInfo"]["lastUpdated"]), "statsperform", _body(document), match_id)
    live = [_fixture(document), *_live(document, events)] if events else []
    return Recording(name, in_order([*live, whole]), {match_id: _expected(document)})


def is_list(document: Json) -> bool:
    """`{"match": [...]}`, the MA1 answer for several matches."""
    matches = document.get("match")
    return isinstance(matches, list) and all("matchInfo" in match for match in matches)


def read_list(document: Json, name: str) -> Recording:
    recordings = [read(match, name) for match in document["match"]]
    messages = [message for recording in recordings for message in recording.messages]
    ends = {match_id: end for recording in recordings for match_id, end in recording.expected.items()}
    return Recording(name, in_order(messages), ends)


def _fixture(document: Json) -> RecordedMessage:
    """The document before the first event: only the teams."""
    info = document["matchInfo"]
    at_ms = ms(f"{info['date'].rstrip('Z')}T{info['time']}") - AHEAD_MS
    info = {**info, "lastUpdated": f"{rfc3339(at_ms)[:19]}Z"}
    document_before = {"matchInfo": info, "liveData": {"matchDetails": {"periodId": 16, "matchStatus": "Fixture"}}}
    return RecordedMessage(at_ms, "statsperform", _body(document_before), str(info["id"]))


def _live(document: Json, events: list[Json]) -> list[RecordedMessage]:
    """One push message for each minute's events; real push has one per event, some 1,700.

    `lastModified` in the file is days later. Live, it equalled the event's time. The final document has the later
    edits.
    """
    match_id, home_id = str(document["matchInfo"]["id"]), _home(document)
    messages: list[RecordedMessage] = []
    details: Json = {"periodId": 16, "matchStatus": "Fixture"}
    for _, group in groupby(events, key=lambda event: _at_ms(event) // MINUTE_MS):
        minute = [{**event, "lastModified": event["timeStamp"]} for event in group]
        for event in minute:
            details = _after(details, event, home_id)
        push = {"content": {"fixtureUuid": match_id, "liveData": {"matchDetails": details, "event": minute}}}
        messages.append(RecordedMessage(_at_ms(minute[-1]), "statsperform", _body(push), match_id))
    return messages


def _after(details: Json, event: Json, home_id: str) -> Json:
    """matchDetails after the event: period and score."""
    kind, period = event["typeId"], event["periodId"]
    total = details.get("scores", {"total": {"home": 0, "away": 0}})["total"]
    if kind == _GOAL and period in _PLAYED:
        side = _ma3_goal(event, home_id).team.value
        return {**details, "scores": {"total": {**total, side: total[side] + 1}}}
    if kind == _START and period in _PLAYED:
        return {**details, "matchStatus": "Playing", "periodId": period, "scores": {"total": total}}
    if kind == _END and period in _PLAYED:
        return {**details, "periodId": _BREAKS[period]}
    return details


def _home(document: Json) -> str:
    return next(str(team["id"]) for team in document["matchInfo"]["contestant"] if team["position"] == "home")


def _at_ms(event: Json) -> int:
    return ms(event["timeStamp"])


def _body(document: Json) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _expected(document: Json) -> Expected:
    details, live = document["liveData"]["matchDetails"], document["liveData"]
    scores, home = details.get("scores", {}), _home(document)
    kicks = scores.get("pen")
    # `total` includes shoot-out kicks, which are not goals.
    total = (scores.get("et") or scores["ft"]) if kicks else scores.get("total", {})
    listed = [_ma1_goal(goal, home) for goal in live.get("goal", [])]
    listed += [_ma3_goal(event, home) for event in live.get("event", []) if _is_goal(event)]
    goals = tuple(sorted(listed, key=lambda goal: goal.order))
    status = _STATUS.get(details["matchStatus"], details["matchStatus"].lower())
    if details["matchStatus"] == "Playing":
        status = PERIODS.get(details.get("periodId"), Status.LIVE).value
    shootout = (kicks["home"], kicks["away"]) if kicks else None
    return Expected(total.get("home"), total.get("away"), status, shootout, goals)


def _is_goal(event: Json) -> bool:
    return bool(event["typeId"] == _GOAL and event["periodId"] != _SHOOTOUT)


def _ma1_goal(goal: Json, home: str) -> RecordedGoal:
    """timeMin is the displayed minute, and the contestant of an own goal the side that gains."""
    minute, added = displayed(goal["timeMin"] - 1, goal["periodId"])
    return RecordedGoal(_side(goal, home), minute, added, goal["scorerName"], _KINDS[goal["type"]])


def _ma3_goal(event: Json, home: str) -> RecordedGoal:
    """timeMin is the elapsed minute, and the contestant of an own goal the scorer's own side."""
    minute, added = displayed(event["timeMin"], event["periodId"])
    qualifiers = {qualifier["qualifierId"] for qualifier in event.get("qualifier", [])}
    own = _OWN_GOAL in qualifiers
    kind = "own_goal" if own else "penalty_goal" if _PENALTY in qualifiers else "goal"
    side = _side(event, home)
    return RecordedGoal(side.other if own else side, minute, added, event.get("playerName"), kind)


def _side(event: Json, home: str) -> Side:
    return Side.HOME if event["contestantId"] == home else Side.AWAY
