"""Tables: final ones as they were, each after every matchday beside another count, and every way to be equal."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pytest

from db.domain import Match, Score, Status, Team
from db.domain.competition_rules import CompetitionRules
from db.domain.standings import Standings, standings
from db.rulebook import rules_of
from tests.support.seasons import counted, met, needed, season

ENGLAND, GERMANY = rules_of("english-premier-league"), rules_of("deutsche-bundesliga")
WORLD_CUP, EURO = rules_of("world-cup"), rules_of("euro")


def played(number: int, home: str, away: str, *score: int, status: Status = Status.FINISHED, **fields: object) -> Match:
    known = Score(*score) if score else None
    sides = {"home": Team(home, home.upper()), "away": Team(away, away.upper())}
    return Match(f"m{number:03}", number, start_time=number * 1_000, status=status, score=known, **(sides | fields))  # type: ignore[arg-type]


def league(*results: tuple[object, ...]) -> list[Match]:
    return [played(number, *result) for number, result in enumerate(results, 1)]  # type: ignore[arg-type]


def order(table: Standings) -> list[str]:
    return [row.team.id for row in table.rows]


def ranks(matches: Iterable[Match], rules: CompetitionRules, name: str = "") -> list[tuple[int, str]]:
    (table,) = standings(matches, rules, name)
    return [(row.position, row.team.id) for row in table.rows]


# Final tables.


@needed
def test_england_2023_24_with_the_points_that_were_taken_away() -> None:
    (table,) = standings(season("en.1-2023-24"), ENGLAND, "2023-24")
    assert [(row.team.id, row.points) for row in table.rows] == [
        ("manchester-city-fc", 91), ("arsenal-fc", 89), ("liverpool-fc", 82), ("aston-villa-fc", 68),
        ("tottenham-hotspur-fc", 66), ("chelsea-fc", 63), ("newcastle-united-fc", 60), ("manchester-united-fc", 60),
        ("west-ham-united-fc", 52), ("crystal-palace-fc", 49), ("brighton-hove-albion-fc", 48),
        ("afc-bournemouth", 48), ("fulham-fc", 47), ("wolverhampton-wanderers-fc", 46), ("everton-fc", 40),
        ("brentford-fc", 39), ("nottingham-forest-fc", 32), ("luton-town-fc", 26), ("burnley-fc", 24),
        ("sheffield-united-fc", 16),
    ]  # fmt: skip
    assert [row.position for row in table.rows] == list(range(1, 21))
    assert {row.team.id: row.deducted for row in table.rows if row.deducted} == {
        "everton-fc": 8, "nottingham-forest-fc": 4
    }  # fmt: skip
    city = table.rows[0]
    assert (city.overall.won, city.overall.drawn, city.overall.lost) == (28, 7, 3)
    assert (city.overall.goals_for, city.overall.goals_against) == (96, 34)
    assert (city.home.played, city.away.played) == (19, 19)
    assert not table.is_provisional


@needed
def test_germany_2023_24() -> None:
    (table,) = standings(season("de.1-2023-24"), GERMANY, "2023-24")
    assert [(row.team.id, row.points, row.overall.goal_difference) for row in table.rows] == [
        ("bayer-04-leverkusen", 90, 65), ("vfb-stuttgart", 73, 39), ("fc-bayern-munchen", 72, 49),
        ("rb-leipzig", 65, 38), ("borussia-dortmund", 63, 25), ("eintracht-frankfurt", 47, 1),
        ("tsg-1899-hoffenheim", 46, 0), ("1-fc-heidenheim-1846", 42, -5), ("sv-werder-bremen", 42, -6),
        ("sc-freiburg", 42, -13), ("fc-augsburg", 39, -10), ("vfl-wolfsburg", 37, -15), ("1-fsv-mainz-05", 35, -12),
        ("borussia-monchengladbach", 34, -11), ("1-fc-union-berlin", 33, -25), ("vfl-bochum-1848", 33, -32),
        ("1-fc-koln", 27, -32), ("sv-darmstadt-98", 17, -56),
    ]  # fmt: skip
    assert (table.rows[0].overall.lost, table.rows[0].home_position, table.rows[0].away_position) == (0, 1, 1)


@needed
def test_italy_2020_21_with_an_awarded_match_and_sides_level_on_points() -> None:
    (table,) = standings(season("it.1-2020-21"), rules_of("italian-serie-a"), "2020-21")
    assert order(table)[:8] == [
        "fc-internazionale-milano", "ac-milan", "atalanta-bc", "juventus-fc", "ssc-napoli", "ss-lazio", "as-roma",
        "us-sassuolo-calcio",
    ]  # fmt: skip
    assert order(table)[12:17] == ["acf-fiorentina", "udinese-calcio", "spezia-calcio", "cagliari-calcio", "torino-fc"]
    verona = next(row for row in table.rows if row.team.id == "hellas-verona-fc")
    assert (verona.overall.played, verona.points) == (38, 45)


@needed
def test_a_season_that_was_stopped_stands_as_it_was() -> None:
    (table,) = standings(season("nl.1-2019-20"), CompetitionRules(), "2019-20")
    assert [(row.team.id, row.points, row.overall.played) for row in table.rows][:3] == [
        ("afc-ajax", 56, 25), ("az-alkmaar", 56, 25), ("feyenoord", 50, 25)
    ]  # fmt: skip
    assert len(table.rows) == 18


@needed
@pytest.mark.parametrize(
    ("file", "rules", "name", "groups"),
    [
        (
            "worldcup-2022", WORLD_CUP, "2022",
            {
                "A": "netherlands senegal ecuador qatar", "B": "england usa iran wales",
                "C": "argentina poland mexico saudi-arabia", "D": "france australia tunisia denmark",
                "E": "japan spain germany costa-rica", "F": "morocco croatia belgium canada",
                "G": "brazil switzerland cameroon serbia", "H": "portugal south-korea uruguay ghana",
            },
        ),
        (
            "worldcup-2018", WORLD_CUP, "2018",
            {
                "A": "uruguay russia saudi-arabia egypt", "B": "spain portugal iran morocco",
                "C": "france denmark peru australia", "D": "croatia argentina nigeria iceland",
                "E": "brazil switzerland serbia costa-rica", "F": "sweden mexico south-korea germany",
                "G": "belgium england tunisia panama", "H": "colombia japan senegal poland",
            },
        ),
        (
            "euro-2024", EURO, "2024",
            {
                "A": "germany switzerland hungary scotland", "B": "spain italy croatia albania",
                "C": "england denmark slovenia serbia", "D": "austria france netherlands poland",
                "E": "romania belgium slovakia ukraine", "F": "portugal turkey georgia czech-republic",
            },
        ),
    ],
)  # fmt: skip
def test_groups_of_tournaments(file: str, rules: CompetitionRules, name: str, groups: dict[str, str]) -> None:
    tables = standings(season(file), rules, name)
    assert {str(table.place.group): " ".join(order(table)) for table in tables} == groups
    assert [table.place.group for table in tables] == sorted(groups)
    assert {row.position for table in tables for row in table.rows} == {1, 2, 3, 4}


# After each matchday, beside another count.

Tiers = list[list[str]]


def tiers(table: Standings) -> Tiers:
    return [[row.team.id for row in tier] for _, tier in itertools.groupby(table.rows, key=lambda row: row.position)]


def split(team_ids: Iterable[str], key: Callable[[str], object]) -> Tiers:
    ordered = sorted(team_ids, key=key, reverse=True)  # type: ignore[arg-type,type-var]
    return [sorted(tier) for _, tier in itertools.groupby(ordered, key=key)]


def by_all_matches(matches: Sequence[Match], team_ids: Sequence[str], taken: dict[str, int]) -> Tiers:
    """Points, goal difference, goals; what is still equal is left so."""
    figures = counted(matches, team_ids)
    return split(team_ids, lambda id_: (figures[id_][0] - taken.get(id_, 0), *figures[id_][1:]))


def between_first(matches: Sequence[Match], team_ids: Sequence[str]) -> Tiers:
    """Points; then the matches between the equal sides, anew for those that these leave equal; then all matches."""
    total = counted(matches, team_ids)
    result: Tiers = []
    for equal in split(team_ids, lambda id_: total[id_][0]):
        result += between(matches, equal, total)
    return result


def between(matches: Sequence[Match], equal: list[str], total: dict[str, tuple[int, int, int]]) -> Tiers:
    if len(equal) > 1 and met(matches, equal, 1):
        own = counted(matches, equal)
        parts = split(equal, lambda id_: own[id_])
        if len(parts) > 1:
            return [tier for part in parts for tier in between(matches, part, total)]
    return split(equal, lambda id_: total[id_][1:])


def until(matches: Sequence[Match], days: Iterable[object], key: Callable[[Match], object]) -> Iterable[list[Match]]:
    """The season as it was after each matchday: later matches are only fixtures."""
    done: set[object] = set()
    for day in days:
        done.add(day)
        yield [
            match if key(match) in done else replace(match, score=None, status=Status.SCHEDULED) for match in matches
        ]


@needed
@pytest.mark.parametrize(("file", "rules"), [("en.1-2023-24", ENGLAND), ("de.1-2023-24", GERMANY)])
def test_a_league_after_each_matchday(file: str, rules: CompetitionRules) -> None:
    matches = season(file)
    team_ids = sorted({match.home.id for match in matches if match.home})
    taken = dict(rules.deductions.get("2023-24", {}))
    days = dict.fromkeys(match.round for match in matches)
    for so_far in until(matches, days, lambda match: match.round):
        (table,) = standings(so_far, rules, "2023-24")
        # What only matches between them part stands together in the other count.
        parted = iter(tiers(table))
        for tier in by_all_matches(so_far, team_ids, taken):
            ours: list[str] = []
            while len(ours) < len(tier):
                ours += next(parted)
            assert sorted(ours) == tier
    assert len(days) in (34, 38)


@needed
@pytest.mark.parametrize(("file", "rules", "name"), [("worldcup-2022", WORLD_CUP, "2022"), ("euro-2024", EURO, "2024")])
def test_groups_after_each_day(file: str, rules: CompetitionRules, name: str) -> None:
    matches = [match for match in season(file) if match.stage]
    # What fair play decided stands together in the other count.
    rules = replace(rules, verdicts={})
    days = sorted({match.start_time // 86_400_000 for match in matches if match.start_time})
    for so_far in until(matches, days, lambda match: (match.start_time or 0) // 86_400_000):
        for table in standings(so_far, rules, name):
            own = [match for match in so_far if match.stage == f"Group {table.place.group}"]
            expected = between_first(own, order(table)) if rules is not WORLD_CUP and name == "2024" else None
            if expected is None:
                expected = by_all_matches(own, order(table), {})
            assert [sorted(tier) for tier in tiers(table)] == expected


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


def test_a_verdict_ranks_those_that_all_criteria_leave_equal_and_nobody_else() -> None:
    rules = replace(EURO, verdicts={"x": [{"b": 0, "a": 1}]})
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
    ("stage", "round_", "group"),
    [
        ("Group A", "1", "A"), ("GROUP_B", None, "B"), ("Group Stage", "Gruppe C", "C"), ("group 2", "3", "2"),
        ("Cup 2022, Group D", None, "D"), ("Group Stage", "1", None), ("League", "5", None), (None, "21. Tag", None),
    ],
)  # fmt: skip
def test_a_group_is_known_by_the_words_of_any_provider(
    stage: str | None, round_: str | None, group: str | None
) -> None:
    (table,) = standings([played(1, "a", "b", 1, 0, stage=stage, round=round_)], CompetitionRules(), "")
    assert (table.place.group, table.place.stage) == (group, None)


def test_a_team_of_two_names_is_one_and_is_called_as_it_was_last() -> None:
    matches = [
        played(1, "old", "b", 1, 0, home=Team("old", "Old")),
        played(2, "new", "b", 1, 0, home=Team("new", "New FC")),
        played(3, "new", "b", 1, 0, home=Team("new", "Newest FC")),
    ]
    (table,) = standings(matches, CompetitionRules(), "", {"old": "new"})
    assert [(row.team, row.points) for row in table.rows] == [(Team("new", "Newest FC"), 9), (Team("b", "B"), 0)]
