"""The presets: fields that may be null or missing, and words that say less than another field beside them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from db.domain import Score, Status
from feeds.pull.mapping import load
from feeds.pull.parse import parse
from tests.support.feeds import RECEIVED, match_after

PLAYED = {"matchID": 1, "matchDateTimeUTC": "2027-01-15T07:30:00Z", "matchIsFinished": True}
IN_PLAY = PLAYED | {"matchIsFinished": False}
GOALS = [{"goalID": 1, "scoreTeam1": 1, "scoreTeam2": 0}, {"goalID": 2, "scoreTeam1": None, "scoreTeam2": None}]
HALF_TIME = {"resultTypeID": 1, "resultOrderID": 1, "resultName": "Halbzeit", "pointsTeam1": 0, "pointsTeam2": 0}
END = {"resultTypeID": 2, "resultOrderID": 2, "resultName": "Endergebnis", "pointsTeam1": 1, "pointsTeam2": 0}
KICKS = {"resultTypeID": 4, "resultOrderID": 4, "resultName": None, "pointsTeam1": None, "pointsTeam2": None}


@pytest.mark.parametrize(
    ("fields", "score"),
    [
        (PLAYED | {"goals": None, "matchResults": [HALF_TIME, END]}, Score(1, 0)),
        (PLAYED | {"goals": GOALS, "matchResults": None}, Score(1, 0)),
        (PLAYED | {"goals": GOALS, "matchResults": []}, Score(1, 0)),
        (PLAYED | {"goals": GOALS}, Score(1, 0)),
        (PLAYED | {"goals": GOALS, "matchResults": [HALF_TIME | {"resultName": None}, END | {"resultName": None}]},
         Score(1, 0)),
        (PLAYED | {"goals": [], "matchResults": [HALF_TIME, END, KICKS]}, Score(1, 0)),
        (PLAYED | {"goals": None, "matchResults": [END | {"resultOrderID": None}]}, Score(1, 0)),
        (IN_PLAY | {"goals": GOALS, "matchResults": None}, Score(1, 0)),
        (IN_PLAY | {"goals": None, "matchResults": [END]}, Score(1, 0)),
        (IN_PLAY | {"matchResults": [END]}, Score(1, 0)),
        (IN_PLAY | {"goals": None, "matchResults": None}, None),
    ],
)  # fmt: skip
def test_openligadb(fields: dict[str, Any], score: Score | None) -> None:
    assert score_of("openligadb", [fields]) == score


def score_of(name: str, document: Any) -> Score | None:
    [match] = parse(load(name), json.dumps(document).encode(), received_at=RECEIVED)
    return match_after(match.updates).score


REGULAR = {"duration": "REGULAR", "fullTime": {"home": 2, "away": 1}, "halfTime": None}


@pytest.mark.parametrize(
    ("fields", "score", "status"),
    [
        ({"status": "FINISHED", "score": REGULAR, "goals": None}, Score(2, 1), Status.FINISHED),
        ({"status": "PAUSED", "score": REGULAR}, Score(2, 1), Status.HALF_TIME),
        ({"status": "SUSPENDED", "score": REGULAR}, Score(2, 1), Status.SUSPENDED),
        ({"status": "AWARDED", "score": {"fullTime": {"home": 3, "away": 0}}}, Score(3, 0), Status.AWARDED),
        ({"status": "TIMED", "score": {"fullTime": {"home": None, "away": None}}}, None, Status.SCHEDULED),
        ({"status": "POSTPONED", "score": None, "homeTeam": None, "awayTeam": {"id": None}}, None, Status.POSTPONED),
        (
            {"status": "FINISHED", "score": REGULAR | {
                "duration": "PENALTY_SHOOTOUT", "fullTime": {"home": 5, "away": 4},
                "regularTime": {"home": 1, "away": 1}, "extraTime": None, "penalties": {"home": 4, "away": 3}}},
            Score(1, 1), Status.FINISHED,
        ),
    ],
)  # fmt: skip
def test_football_data(fields: dict[str, Any], score: Score | None, status: Status) -> None:
    document = {"matches": [{"id": 1, "utcDate": "2027-01-15T07:30:00Z", "lastUpdated": None, **fields}]}
    [match] = parse(load("football_data"), json.dumps(document).encode(), received_at=RECEIVED)
    after = match_after(match.updates)
    assert (after.score, after.status) == (score, status)


def test_football_data_says_minutes_as_text_too() -> None:
    fields = {"status": "IN_PLAY", "minute": "90", "injuryTime": "3", "score": REGULAR}
    document = {"matches": [{"id": 1, "utcDate": "2027-01-15T07:30:00Z", **fields}]}
    [match] = parse(load("football_data"), json.dumps(document).encode(), received_at=RECEIVED)
    assert (match.updates[-1].minute, match.updates[-1].added_minute) == (90, 3)


@pytest.mark.parametrize(
    ("word", "duration", "status"),
    [
        ("IN_PLAY", "REGULAR", Status.LIVE),
        ("IN_PLAY", "EXTRA_TIME", Status.ET_FIRST),
        ("IN_PLAY", "PENALTY_SHOOTOUT", Status.SHOOTOUT),
        ("PAUSED", "REGULAR", Status.HALF_TIME),
        ("PAUSED", "EXTRA_TIME", Status.PAUSE),
        ("PAUSED", "PENALTY_SHOOTOUT", Status.BREAK_BEFORE_PENS),
        ("SUSPENDED", "EXTRA_TIME", Status.SUSPENDED),
        ("FINISHED", "EXTRA_TIME", Status.FINISHED),
        ("IN_PLAY", None, Status.LIVE),
    ],
)
def test_football_data_tells_extra_time_by_the_duration(word: str, duration: str | None, status: Status) -> None:
    fields = {"status": word, "score": {"duration": duration, "fullTime": {"home": 1, "away": 1}}}
    document = {"matches": [{"id": 1, "utcDate": "2027-01-15T07:30:00Z", **fields}]}
    [match] = parse(load("football_data"), json.dumps(document).encode(), received_at=RECEIVED)
    assert match_after(match.updates).status is status
