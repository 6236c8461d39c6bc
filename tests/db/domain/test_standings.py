"""Tables: every way to be equal, and what counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from db.domain import Match, Score, Status, Team
from db.domain.competition_rules import CompetitionRules
from db.domain.standings import standings
from db.rulebook import rules_of

ENGLAND, GERMANY = rules_of("english-premier-league"), rules_of("deutsche-bundesliga")
WORLD_CUP, EURO = rules_of("world-cup"), rules_of("euro")


def played(
    number: int, host: str, guest: str, *score: int, status: Status = Status.FINISHED, **fields: object
) -> Match:
    known = Score(*score) if score else None
    sides = {"home": Team(host, host.upper()), "away": Team(guest, guest.upper())}
    return Match(f"m{number:03}", number, start_time=number * 1_000, status=status, score=known, **(sides | fields))  # type: ignore[arg-type]


def league(*results: tuple[object, ...]) -> list[Match]:
    return [played(number, *result) for number, result in enumerate(results, 1)]  # type: ignore[arg-type]


def ranks(matches: Iterable[Match], rules: CompetitionRules, name: str = "") -> list[tuple[int, str]]:
    (table,) = standings(matches, rules, name)
    return [(row.position, row.team.id) for row in table.rows]


# Equal sides. Each list of results makes two of them equal in points, goal difference and goals.

POINTS_BETWEEN = [
    ("a", "b", 0, 1),
    ("b", "a", 0, 0),
    ("a", "c", 2, 1),
    ("c", "a", 1, 1),
    ("b", "c", 1, 1),
    ("c", "b", 2, 1),
]
AWAY_GOALS_BETWEEN = [
    ("a", "b", 1, 0),
    ("b", "a", 2, 1),
    ("a", "c", 1, 0),
    ("c", "a", 1, 0),
    ("b", "c", 1, 0),
    ("c", "b", 1, 0),
]
AGGREGATE = [("a", "b", 3, 0), ("b", "a", 1, 0), ("a", "c", 2, 1), ("c", "a", 3, 0), ("b", "c", 4, 1), ("c", "b", 1, 0)]
AWAY_GOALS = [
    ("a", "b", 1, 0),
    ("b", "a", 1, 0),
    ("a", "c", 2, 1),
    ("c", "a", 1, 0),
    ("b", "c", 0, 1),
    ("c", "b", 1, 2),
]
# In groups, where sides meet once: B has beaten A.
BETTER_DIFFERENCE = [
    ("b", "a", 1, 0),
    ("a", "c", 3, 0),
    ("a", "d", 1, 0),
    ("b", "c", 1, 0),
    ("d", "b", 1, 0),
    ("c", "d", 0, 0),
]
EQUAL_IN_ALL = [
    ("b", "a", 1, 0),
    ("a", "c", 2, 1),
    ("a", "d", 1, 1),
    ("b", "c", 1, 1),
    ("d", "b", 2, 1),
    ("d", "c", 1, 0),
]
# Of three, the matches between them leave A and B equal, and A has beaten B; B has beaten D by more.
THREE = [("a", "b", 3, 1), ("b", "c", 3, 0), ("c", "a", 2, 1), ("a", "d", 1, 0), ("b", "d", 5, 0), ("c", "d", 1, 0)]


@pytest.mark.parametrize(
    ("results", "rules", "name", "expected"),
    [
        (POINTS_BETWEEN, CompetitionRules(), "", "1c 2a 2b"),
        (POINTS_BETWEEN, ENGLAND, "", "1c 2b 3a"),
        (POINTS_BETWEEN, replace(ENGLAND, meetings=3), "", "1c 2a 2b"),
        (AWAY_GOALS_BETWEEN, ENGLAND, "", "1a 2b 3c"),
        (AGGREGATE, ENGLAND, "", "1c 2a 2b"),
        (AGGREGATE, GERMANY, "", "1c 2a 3b"),
        (AWAY_GOALS, ENGLAND, "", "1c 2a 2b"),
        (AWAY_GOALS, GERMANY, "", "1c 2b 3a"),
        (BETTER_DIFFERENCE, WORLD_CUP, "2022", "1a 2b 3d 4c"),
        (BETTER_DIFFERENCE, WORLD_CUP, "2026", "1b 2a 3d 4c"),
        (BETTER_DIFFERENCE, EURO, "2024", "1b 2a 3d 4c"),
        (EQUAL_IN_ALL, WORLD_CUP, "2022", "1d 2b 3a 4c"),
        (THREE, EURO, "2024", "1a 2b 3c 4d"),
        (THREE, WORLD_CUP, "2022", "1b 2a 3c 4d"),
    ],
)
def test_equal_sides_are_parted_as_the_competition_rules(
    results: list[tuple[object, ...]], rules: CompetitionRules, name: str, expected: str
) -> None:
    matches = league(*results)
    for shuffled in (matches, matches[::-1]):
        assert " ".join(f"{position}{team}" for position, team in ranks(shuffled, rules, name)) == expected


def test_matches_between_the_sides_tell_nothing_before_all_of_them_are_played() -> None:
    results = league(("a", "b", 1, 0), ("c", "a", 2, 0), ("b", "d", 3, 0), ("c", "d", 0, 0))
    once, twice = rules_of("euro"), rules_of("italian-serie-a")
    assert [team for _, team in ranks(results, once)] == ["c", "a", "b", "d"]
    assert [team for _, team in ranks(results, twice)] == ["c", "b", "a", "d"]


def test_a_ruling_ranks_those_that_all_criteria_leave_equal_and_nobody_else() -> None:
    rules = replace(EURO, rulings={"x": [{"b": 0, "a": 1}]})
    assert ranks(league(("a", "b", 1, 1)), rules, "x") == [(1, "b"), (2, "a")]
    assert ranks(league(("a", "b", 1, 1)), rules, "y") == [(1, "a"), (1, "b")]
    assert ranks(league(("a", "b", 2, 1)), rules, "x") == [(1, "a"), (2, "b")]


def test_points_taken_away_count_before_all_else() -> None:
    rules = CompetitionRules(deductions={"x": {"a": 4, "nobody": 2}})
    assert ranks(league(("a", "b", 1, 0)), rules, "x") == [(1, "b"), (2, "a")]
    (table,) = standings(league(("a", "b", 1, 0)), rules, "x")
    assert [(row.points, row.deducted, row.overall.points) for row in table.rows] == [(0, 0, 0), (-1, 4, 3)]


# What counts.


@pytest.mark.parametrize(
    ("status", "counts", "provisional"),
    [
        (Status.FINISHED, True, False),
        (Status.AWARDED, True, False),
        (Status.WALKOVER, True, False),
        (Status.FIRST_HALF, True, True),
        (Status.HALF_TIME, True, True),
        (Status.SUSPENDED, True, True),
        (Status.ENDED, True, True),
        (Status.SCHEDULED, False, False),
        (Status.POSTPONED, False, False),
        (Status.ABANDONED, False, False),
    ],
)
def test_a_match_counts_by_its_status(status: Status, counts: bool, provisional: bool) -> None:
    (table,) = standings([played(1, "a", "b", 2, 1, status=status)], CompetitionRules(), "")
    assert [row.points for row in table.rows] == ([3, 0] if counts else [0, 0])
    assert table.is_provisional is provisional
    assert {row.live for row in table.rows} == ({"m001"} if provisional else {None})


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.REMOVED, Status.REPLACED])
def test_by_a_match_that_is_withdrawn_nobody_takes_part(status: Status) -> None:
    assert standings([played(1, "a", "b", status=status)], CompetitionRules(), "") == []


def test_a_match_in_play_without_a_score_counts_once_one_is_known() -> None:
    (table,) = standings([played(1, "a", "b", status=Status.LIVE)], CompetitionRules(), "")
    assert [(row.overall.played, row.live) for row in table.rows] == [(0, None), (0, None)]


def test_form_is_of_the_last_five_oldest_first() -> None:
    matches = league(*[("a", "b", goals, 1) for goals in (2, 0, 1, 3, 0, 1)])
    (table,) = standings(matches, CompetitionRules(), "")
    assert [row.form for row in table.rows if row.team.id == "a"] == [["lost", "drawn", "won", "lost", "drawn"]]


def test_of_other_sports_there_is_no_table() -> None:
    assert standings([played(1, "a", "b", 2, 1, sport="basketball")], CompetitionRules(), "") == []


def test_a_stage_with_a_name_of_its_own_is_a_table_of_its_own() -> None:
    matches = [
        played(1, "a", "b", 1, 0, stage="Regular Season"),
        played(2, "a", "b", 1, 0, stage="REGULAR_SEASON"),
        played(3, "b", "a", 1, 0, stage="Championship Round"),
        played(4, "a", "b", 1, 0, stage="Play-offs"),
    ]
    tables = standings(matches, CompetitionRules(), "")
    assert [(table.place.stage, table.rows[0].points) for table in tables] == [(None, 6), ("Championship Round", 3)]


@pytest.mark.parametrize(
    ("stage", "round_", "place"),
    [
        ("Group A", "1", (None, "A")), ("GROUP_B", None, (None, "B")), ("Group Stage", "Gruppe C", (None, "C")),
        ("group 2", "3", (None, "2")), ("Group Stage - Group D", None, (None, "D")),
        ("League B, Group 1", None, ("League B", "1")), ("League B", "Group 1", ("League B", "1")),
        ("Group Stage", "1", (None, None)), ("League", "5", (None, None)), (None, "21. Spieltag", (None, None)),
    ],
)  # fmt: skip
def test_a_group_is_known_by_the_words_of_any_provider(
    stage: str | None, round_: str | None, place: tuple[str | None, str | None]
) -> None:
    (table,) = standings([played(1, "a", "b", 1, 0, stage=stage, round=round_)], CompetitionRules(), "")
    assert (table.place.stage, table.place.group) == place


def test_a_team_of_two_names_is_one_and_is_called_as_it_was_last() -> None:
    matches = [
        played(1, "old", "b", 1, 0, home=Team("old", "Old")),
        played(2, "new", "b", 1, 0, home=Team("new", "New FC")),
        played(3, "new", "b", 1, 0, home=Team("new", "Newest FC")),
    ]
    (table,) = standings(matches, CompetitionRules(), "", {"old": "new"})
    assert [(row.team, row.points) for row in table.rows] == [(Team("new", "Newest FC"), 9), (Team("b", "B"), 0)]
