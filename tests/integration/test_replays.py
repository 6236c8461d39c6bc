"""Every recorded match through the real, signed ingest endpoints of a running system, told well and told badly."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from db.domain.vocabulary import SCORING
from dev.recordings import RecordedGoal, openfootball
from tests.conftest import postgres_bin
from tests.support import recordings
from tests.support.recordings import DETAILED, LEAGUES, TOURNAMENTS, essence, expected, tell, timeline
from tests.support.stories.count import IN_FULL, some
from tests.support.system import System

# Two systems, told all once, are read by most of these: they belong in one process.
pytestmark = [recordings.needed, pytest.mark.faults, pytest.mark.xdist_group("replays")]


@pytest.fixture(scope="module")
def straight(run_module_system: Callable[..., System]) -> System:
    """Told every detailed recording in order, one event a request; on SQLite."""
    system = run_module_system()
    tell(system, DETAILED)
    return system


@pytest.fixture(scope="module")
def disordered(run_module_system: Callable[..., System], request: pytest.FixtureRequest) -> System:
    """The same fully shuffled, with a tenth repeated, in `make faults` all twice; on PostgreSQL where there is one."""
    settings = {}
    if postgres_bin():
        postgres = request.getfixturevalue("postgres")
        settings["DATABASE_URL"] = postgres.url(postgres.create_database())
    system = run_module_system(**settings)
    twice = ("--twice",) if IN_FULL else ()
    tell(system, DETAILED, *twice, "--shuffle", "all", "--duplicates", "10", "--seed", "7")
    return system


@pytest.mark.parametrize("file", DETAILED)
@pytest.mark.parametrize("fixture", ["straight", "disordered"])
def test_every_match_ends_as_recorded(file: str, fixture: str, request: pytest.FixtureRequest) -> None:
    system = request.getfixturevalue(fixture)
    for match_id, end in expected(file).items():
        body = system.score(match_id)
        kicks = body["shootout"]
        shown = (body["home_score"], body["away_score"], body["status"], kicks and (kicks["home"], kicks["away"]))
        assert shown == (end.home, end.away, end.status, end.shootout), match_id
        assert end.goals is None or goals(system, match_id) == list(end.goals), match_id


@pytest.mark.parametrize("file", some(TOURNAMENTS, 1))
@pytest.mark.parametrize("fixture", ["straight", "disordered"])
def test_how_a_match_was_decided_is_shown(file: str, fixture: str, request: pytest.FixtureRequest) -> None:
    system = request.getfixturevalue(fixture)
    shown = {match_id: system.score(match_id)["decided_by"] for match_id in decided(file)}
    assert shown == decided(file)
    assert {"regular", "penalties"} <= set(shown.values())


@pytest.mark.parametrize("file", DETAILED)
def test_told_badly_a_match_ends_the_same(straight: System, disordered: System, file: str) -> None:
    for match_id in expected(file):
        assert essence(straight, match_id) == essence(disordered, match_id), match_id


@pytest.mark.parametrize("fixture", ["straight", "disordered"])
def test_history_holds_each_event_once_as_it_stands(fixture: str, request: pytest.FixtureRequest) -> None:
    recordings.assert_history_is_live(request.getfixturevalue(fixture), DETAILED)


def test_seasons_and_cups_end_as_recorded(straight: System) -> None:
    tell(straight, tuple(some(LEAGUES, 3)), "--batch", "100")


def goals(system: System, match_id: str) -> list[RecordedGoal]:
    """As anybody reads them off the timeline."""
    counted = [event for event in timeline(system, match_id) if event["event_type"] in SCORING and not event["voided"]]
    return [
        RecordedGoal(
            event["team"],
            event["minute"],
            event["added_minute"],
            event["player"] and event["player"]["name"],
            event["event_type"],
        )
        for event in counted
    ]


def decided(file: str) -> dict[str, str]:
    """By match id, as the recording says it."""
    document = json.loads((recordings.DATA / file).read_text())
    matches = document.get("matches") or [match for part in document["rounds"] for match in part["matches"]]
    return {openfootball.match_id(document["name"], match): decided_by(match) for match in matches}


def decided_by(match: dict[str, Any]) -> str:
    """`p` is penalties; `et`, or a goal after the 90 minutes, extra time. (Two matches of Euro 2024 were won in extra
    time and have their last score under `ft`.)"""
    if "p" in match["score"]:
        return "penalties"
    minutes = [int(str(goal["minute"]).split("+")[0]) for goal in match.get("goals1", []) + match.get("goals2", [])]
    return "extra_time" if "et" in match["score"] or max(minutes, default=0) > 90 else "regular"
