"""Tables of real seasons: final ones as they were, and after every matchday beside another count."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pytest

from db.domain import Match, Status
from db.domain.competition_rules import CompetitionRules
from db.domain.standings import Standings, standings
from db.rulebook import rules_of
from tests.support.seasons import counted, met, needed, season

pytestmark = needed

ENGLAND, GERMANY = rules_of("english-premier-league"), rules_of("deutsche-bundesliga")
WORLD_CUP, EURO = rules_of("world-cup"), rules_of("euro")
DAY_MS = 24 * 60 * 60 * 1000


def order(table: Standings) -> list[str]:
    return [row.team.id for row in table.rows]


# Final tables.


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


def test_italy_2020_21_with_an_awarded_match_and_sides_level_on_points() -> None:
    (table,) = standings(season("it.1-2020-21"), rules_of("italian-serie-a"), "2020-21")
    assert order(table)[:8] == [
        "fc-internazionale-milano", "ac-milan", "atalanta-bc", "juventus-fc", "ssc-napoli", "ss-lazio", "as-roma",
        "us-sassuolo-calcio",
    ]  # fmt: skip
    assert order(table)[12:17] == ["acf-fiorentina", "udinese-calcio", "spezia-calcio", "cagliari-calcio", "torino-fc"]
    verona = next(row for row in table.rows if row.team.id == "hellas-verona-fc")
    assert (verona.overall.played, verona.points) == (38, 45)


def test_a_season_that_was_stopped_stands_as_it_was() -> None:
    (table,) = standings(season("nl.1-2019-20"), CompetitionRules(), "2019-20")
    assert [(row.team.id, row.points, row.overall.played) for row in table.rows][:3] == [
        ("afc-ajax", 56, 25), ("az-alkmaar", 56, 25), ("feyenoord", 50, 25)
    ]  # fmt: skip
    assert len(table.rows) == 18


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


def is_finer(ours: Tiers, coarse: Tiers) -> bool:
    """The same order, but that what stands together in the one may be parted in the other."""
    parts = iter(ours)
    for tier in coarse:
        team_ids: list[str] = []
        while len(team_ids) < len(tier):
            team_ids += next(parts)
        if sorted(team_ids) != tier:
            return False
    return True


@pytest.mark.parametrize(("file", "rules"), [("en.1-2023-24", ENGLAND), ("de.1-2023-24", GERMANY)])
def test_a_league_after_each_matchday(file: str, rules: CompetitionRules) -> None:
    """The other count knows nothing of the matches between equal sides."""
    matches = season(file)
    team_ids = sorted({match.home.id for match in matches if match.home})
    taken = dict(rules.deductions.get("2023-24", {}))
    days = dict.fromkeys(match.round for match in matches)
    assert len(days) == 2 * len(team_ids) - 2
    for so_far in until(matches, days, lambda match: match.round):
        (table,) = standings(so_far, rules, "2023-24")
        assert is_finer(tiers(table), by_all_matches(so_far, team_ids, taken))


@pytest.mark.parametrize(("file", "rules", "name"), [("worldcup-2022", WORLD_CUP, "2022"), ("euro-2024", EURO, "2024")])
def test_groups_after_each_day(file: str, rules: CompetitionRules, name: str) -> None:
    matches = [match for match in season(file) if match.stage]
    days = sorted({(match.start_time or 0) // DAY_MS for match in matches})
    # What fair play decided stands together in the other count.
    undecided = replace(rules, rulings={})
    for so_far in until(matches, days, lambda match: (match.start_time or 0) // DAY_MS):
        for table in standings(so_far, undecided, name):
            own = [match for match in so_far if match.stage == f"Group {table.place.group}"]
            if rules is EURO:
                assert [sorted(tier) for tier in tiers(table)] == between_first(own, order(table))
            else:
                assert is_finer(tiers(table), by_all_matches(own, order(table), {}))
