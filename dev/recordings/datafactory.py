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
# Groups in which each incidence is one moment of the timeline; the others repeat them or are statistics.
_OTHER = {"yellowCards": "yellow_card", "redCards": "red_card", "substitutions": "substitution"}
_TOLD = ("status", "goals", *_OTHER)


@dataclass(frozen=True, slots=True)
class _Incidence:
    at_ms: int
    key: str
    group: str
    told: Json


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
        for key, told in document["incidences"].get(group, {}).items():
            if key not in deleted and key in times:
                yield _Incidence(times[key]["ts"] * 1000, key, group, told)


def _tell(story: Story, document: Json, incidence: _Incidence) -> None:
    told, at_ms = incidence.told, incidence.at_ms
    if incidence.group == "status":
        _tell_status(story, incidence)
    elif incidence.group == "goals":
        assist = _person(document, told.get("assBy"))
        story.goal(_goal(document, told), at_ms, event_id=incidence.key, assist=assist)
    else:
        _tell_other(story, document, incidence)


def _tell_status(story: Story, incidence: _Incidence) -> None:
    kind, clock = _STATUS.get(incidence.told["type"]), incidence.told["t"]
    if kind in ("kickoff", "second_half"):
        story.tell(kind, incidence.at_ms, clock["m"], event_id=incidence.key)
    elif kind:
        minute, added = displayed(clock["m"], clock["half"])
        story.tell(kind, incidence.at_ms, minute, added_minute=added, period=clock["half"], event_id=incidence.key)


def _tell_other(story: Story, document: Json, incidence: _Incidence) -> None:
    told = incidence.told
    minute, added = displayed(told["t"]["m"], told["t"]["half"])
    off = _person(document, told.get("offId"))
    story.tell(
        _OTHER[incidence.group],
        incidence.at_ms,
        minute,
        added_minute=added,
        event_id=incidence.key,
        team=_side(document, told["team"]),
        player=_person(document, told.get("plyrId") or told.get("inId")),
        detail=f"off: {off}" if off else None,
    )


def _goal(document: Json, told: Json) -> RecordedGoal:
    """An own goal is listed under the team of the unlucky player."""
    side, kind = _side(document, told["team"]), _GOALS[told["type"]]
    minute, added = displayed(told["t"]["m"], told["t"]["half"])
    scorer = _person(document, told["plyrId"])
    return RecordedGoal(side.other if kind == "own_goal" else side, minute, added, scorer, kind)


def _side(document: Json, team: int) -> Side:
    return Side.HOME if team == document["match"]["homeTeamId"] else Side.AWAY


def _person(document: Json, player: int | None) -> str | None:
    known = document["players"].get(str(player))
    return f"{known['name']['first']} {known['name']['last']}" if known else None


def _expected(document: Json) -> Expected:
    match, score = document["match"], document["scoreStatus"]
    home, away = (score[str(match[key])]["score"] for key in ("homeTeamId", "awayTeamId"))
    goals = [_goal(document, told) for told in document["incidences"]["goals"].values()]
    over = document["status"]["statusId"] == 2
    return Expected(home, away, "finished" if over else "live", None, tuple(sorted(goals, key=lambda g: g.order)))
