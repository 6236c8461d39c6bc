"""DataFactory (DataFeed): one document per match; `commentary` holds the unix time of each incidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from db.domain import Side
from dev.recordings.recording import Expected, RecordedGoal, Recording, in_order
from dev.recordings.story import Story, displayed

Json = dict[str, Any]

_GOALS = {9: "goal", 10: "own_goal", 11: "goal", 12: "goal", 13: "penalty_goal"}
_STATUS = {1: "kickoff", 17: "half_time", 18: "second_half", 2: "full_time"}
# Groups whose incidences are timeline moments; the other groups repeat them or are statistics.
_OTHER = {"yellowCards": "yellow_card", "redCards": "red_card", "substitutions": "substitution"}
_TOLD = ("status", "goals", *_OTHER)


@dataclass(frozen=True, slots=True)
class _Incidence:
    at_ms: int
    key: str
    group: str
    fields: Json


def read(document: Json, name: str) -> Recording:
    match = document["match"]
    incidences = sorted(_incidences(document), key=lambda incidence: incidence.at_ms)
    story = Story(f"datafactory-{match['matchId']}", incidences[0].at_ms)
    story.introduce(
        home_team=match["homeTeamName"],
        away_team=match["awayTeamName"],
        competition=match["competition"],
        venue=document["venueInformation"]["venue"]["stadium"]["stadiumName"],
    )
    for incidence in incidences:
        _tell(story, document, incidence)
    return Recording(name, in_order(story.messages), {story.match_id: _expected(document)})


def _incidences(document: Json) -> Iterator[_Incidence]:
    """Every moment that still stands."""
    deleted, times = set(document["deletedIncidences"]), document["commentary"]
    for group in _TOLD:
        for key, fields in document["incidences"].get(group, {}).items():
            if key not in deleted and key in times:
                yield _Incidence(times[key]["ts"] * 1000, key, group, fields)


def _tell(story: Story, document: Json, incidence: _Incidence) -> None:
    fields, at_ms = incidence.fields, incidence.at_ms
    if incidence.group == "status":
        _tell_status(story, incidence)
    elif incidence.group == "goals":
        assist = _person(document, fields.get("assBy"))
        story.goal(_goal(document, fields), at_ms, event_id=incidence.key, assist=assist)
    else:
        _tell_other(story, document, incidence)


def _tell_status(story: Story, incidence: _Incidence) -> None:
    kind, clock = _STATUS.get(incidence.fields["type"]), incidence.fields["t"]
    if kind in ("kickoff", "second_half"):
        story.tell(kind, incidence.at_ms, clock["m"], event_id=incidence.key)
    elif kind:
        minute, added = displayed(clock["m"], clock["half"])
        story.tell(kind, incidence.at_ms, minute, added_minute=added, period=clock["half"], event_id=incidence.key)


def _tell_other(story: Story, document: Json, incidence: _Incidence) -> None:
    fields = incidence.fields
    minute, added = displayed(fields["t"]["m"], fields["t"]["half"])
    off = _person(document, fields.get("offId"))
    story.tell(
        _OTHER[incidence.group],
        incidence.at_ms,
        minute,
        added_minute=added,
        event_id=incidence.key,
        team=_side(document, fields["team"]),
        player=_person(document, fields.get("plyrId") or fields.get("inId")),
        detail=f"off: {off}" if off else None,
    )


def _goal(document: Json, fields: Json) -> RecordedGoal:
    """An own goal is listed under the team of the unlucky player."""
    side, kind = _side(document, fields["team"]), _GOALS[fields["type"]]
    minute, added = displayed(fields["t"]["m"], fields["t"]["half"])
    scorer = _person(document, fields["plyrId"])
    return RecordedGoal(side.other if kind == "own_goal" else side, minute, added, scorer, kind)


def _side(document: Json, team: int) -> Side:
    return Side.HOME if team == document["match"]["homeTeamId"] else Side.AWAY


def _person(document: Json, player: int | None) -> str | None:
    name = document["players"].get(str(player))
    return f"{name['name']['first']} {name['name']['last']}" if name else None


def _expected(document: Json) -> Expected:
    match, score = document["match"], document["scoreStatus"]
    home, away = (score[str(match[key])]["score"] for key in ("homeTeamId", "awayTeamId"))
    goals = [_goal(document, fields) for fields in document["incidences"]["goals"].values()]
    over = document["status"]["statusId"] == 2
    return Expected(home, away, "finished" if over else "live", None, tuple(sorted(goals, key=lambda g: g.order)))
