"""Which matches look like one: teams by their names in different spellings, matches by teams and start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from db.domain import Match, Precedence, Status, Team
from feeds.likeness import ALIKE_MIN, APART_MS, likeness, suggestions

START = 1_700_000_000_000
FIRST = Precedence(["sportradar"]).goes_before


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("RB Leipzig", "Leipzig"),
        ("FC St. Pauli", "St Pauli"),
        ("Bayern München", "FC Bayern Munich"),
        ("Borussia Mönchengladbach", "Borussia M'gladbach"),
        ("TSG 1899 Hoffenheim", "Hoffenheim"),
    ],
)
def test_spellings_of_one_team_are_alike(name: str, other: str) -> None:
    assert likeness(name, other) >= ALIKE_MIN
    assert likeness(name, other) == likeness(other, name)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Borussia Dortmund", "Borussia Mönchengladbach"),
        ("Manchester United", "Manchester City"),
        ("Real Madrid", "Atlético Madrid"),
        ("West Ham United", "West Bromwich Albion"),
    ],
)
def test_other_teams_are_not(name: str, other: str) -> None:
    assert likeness(name, other) < ALIKE_MIN


def match(id_: str, source: str, home: str, away: str, **more: Any) -> Match:
    teams = {"home": Team(f"{id_}-h", home), "away": Team(f"{id_}-a", away)}
    return Match(id_, source=source, **{"start_time": START, **teams, **more})


def pairs(*matches: Match) -> list[tuple[str, str]]:
    return [(pair.name.id, pair.match.id) for pair in suggestions(matches, FIRST)]


KNOWN = match("sr:1", "sportradar", "RB Leipzig", "FC St. Pauli")


def test_one_match_of_two_sources_is_suggested_and_the_preferred_source_keeps_its_id() -> None:
    assert pairs(match("o-1", "openligadb", "Leipzig", "St. Pauli", start_time=START + APART_MS), KNOWN) == [
        ("o-1", "sr:1")
    ]


def test_a_team_that_is_surely_the_same_vouches_for_the_other() -> None:
    known = match("sr:2", "sportradar", "1. FC Köln", "RB Leipzig")
    assert pairs(known, match("o-2", "openligadb", "FC Cologne", "Leipzig")) == [("o-2", "sr:2")]


@pytest.mark.parametrize(
    "other",
    [
        match("x", "sportradar", "RB Leipzig", "FC St. Pauli"),
        match("x", "openligadb", "St. Pauli", "Leipzig"),
        match("x", "openligadb", "Leipzig", "St. Pauli", start_time=START + APART_MS + 1),
        match("x", "openligadb", "Leipzig", "St. Pauli", start_time=None),
        match("x", "openligadb", "Leipzig", "St. Pauli", sport="handball"),
        match("x", "openligadb", "Leipzig", "St. Pauli", status=Status.REPLACED),
        match("x", "openligadb", "Leipzig", "Holstein Kiel"),
        replace(match("x", "openligadb", "Leipzig", "?"), away=None),
    ],
    ids=[
        "one source",
        "sides swapped",
        "too late",
        "no start",
        "another sport",
        "linked",
        "another team",
        "half known",
    ],
)
def test_what_cannot_be_the_same_is_not_suggested(other: Match) -> None:
    assert pairs(KNOWN, other) == []


def test_names_without_latin_letters_are_compared_as_they_are() -> None:
    assert likeness("الأهلي", "الأهلي") == 100
    assert likeness("الأهلي", "الزمالك") < ALIKE_MIN
