"""Seasons of one competition, and the file of rules."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from db.domain.competition_rules import Criterion
from db.domain.season import season_at, season_named
from db.rulebook import FILE, read, rules_of


def at(moment: str) -> int:
    return round(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("competition", "moment", "name"),
    [
        ("some-league", "2023-06-30T23:59", "2022-23"),
        ("some-league", "2023-07-01T00:00", "2023-24"),
        ("some-league", "1999-12-31T00:00", "1999-00"),
        ("world-cup", "2022-12-18T15:00", "2022"),
        ("world-cup", "2026-07-19T19:00", "2026"),
        # That summer went on, and its first days are in the file.
        ("english-premier-league", "2020-07-26T15:00", "2019-20"),
        ("uefa-champions-league", "2020-08-23T19:00", "2019-20"),
        ("uefa-champions-league", "2020-10-20T19:00", "2020-21"),
    ],
)
def test_a_moment_is_in_one_season(competition: str, moment: str, name: str) -> None:
    rules = rules_of(competition)
    season = season_at(rules, at(moment))
    assert season.name == name
    assert season.since <= at(moment) < season.until
    assert season_named(rules, name) == season


@pytest.mark.parametrize("name", ["2023-25", "2023", "23-24", "2023-24 ", "1899-00", "9999-00", "２０２３-24", ""])
def test_another_spelling_is_no_season(name: str) -> None:
    assert season_named(rules_of("some-league"), name) is None


def test_seasons_follow_each_other_without_a_gap() -> None:
    for competition in ("some-league", "world-cup", "english-premier-league", "uefa-champions-league"):
        rules = rules_of(competition)
        season = season_at(rules, at("2018-03-01T00:00"))
        for _ in range(5):
            following = season_at(rules, season.until)
            assert following.since == season.until
            season = following


def test_every_id_of_the_file_has_one_set_of_rules() -> None:
    text = FILE.read_text()
    rulebook = read(text)
    assert sum(text.count(f'"{id_}"') for id_ in rulebook) == len(rulebook)
    assert all(rules.order[0].criteria == (Criterion.POINTS,) for rules in rulebook.values())


def test_an_order_that_holds_no_more_holds_for_its_seasons() -> None:
    rules = rules_of("uefa-champions-league")
    orders = [rules.order_in(season) for season in ("2019-20", "2020-21", "2021-22", "2023-24", "2024-25")]
    assert orders[0] == orders[1]
    assert orders[2] == orders[3]
    assert len({orders[0], orders[2], orders[4]}) == 3


@pytest.mark.parametrize("wrong", ['order = ["luck"]', "meeting = 1", "deductions = [{ season = 1 }]"])
def test_a_file_that_is_wrong_is_not_taken(wrong: str) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        read(f'[x]\nids = ["x"]\n{wrong}')
