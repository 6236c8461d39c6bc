"""Knock-out rounds: two legs, away goals where they counted, shoot-outs, and real brackets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from db.domain import Match, Score, Status, Team
from db.domain.competition_rules import CompetitionRules
from db.domain.knockout import KnockoutRound, Tie, knockout_rounds
from db.rulebook import rules_of
from tests.support.seasons import needed, season

USUAL, OLD = CompetitionRules(), CompetitionRules(away_goals_until="2020-21")


def leg(number: int, host: str, guest: str, *score: int, **fields: Any) -> Match:
    known = Score(*score) if score else None
    defaults = {"status": Status.FINISHED if score else Status.SCHEDULED, "round": "Semi-finals", "leg": number}
    sides = {"home": Team(host, host.upper()), "away": Team(guest, guest.upper())}
    return Match(f"m{number}", number, start_time=number, score=known, **(defaults | sides | fields))


def tie(*legs: Match, rules: CompetitionRules = USUAL, name: str = "2020-21") -> Tie:
    ((only,),) = (each.ties for each in knockout_rounds(legs, rules, name))
    return only


def result(pair: Tie) -> tuple[Any, ...]:
    score = pair.aggregate
    return (score.home, score.away) if score else None, pair.winner.id if pair.winner else None, pair.decided_by


@pytest.mark.parametrize(
    ("legs", "rules", "expected"),
    [
        ((leg(1, "a", "b"), leg(2, "b", "a")), USUAL, (None, None, None)),
        ((leg(1, "a", "b", 2, 1), leg(2, "b", "a")), USUAL, ((2, 1), None, None)),
        ((leg(1, "a", "b", 2, 1), leg(2, "b", "a", 0, 0)), USUAL, ((2, 1), "a", "regular")),
        ((leg(1, "a", "b", 2, 1), leg(2, "b", "a", 3, 1)), USUAL, ((3, 4), "b", "regular")),
        ((leg(1, "a", "b", 2, 1), leg(2, "b", "a", 1, 0)), USUAL, ((2, 2), None, None)),
        ((leg(1, "a", "b", 2, 1), leg(2, "b", "a", 1, 0)), OLD, ((2, 2), "b", "away_goals")),
        (
            (leg(1, "a", "b", 2, 1), leg(2, "b", "a", 1, 0, shootout=Score(3, 4))),
            USUAL,
            ((2, 2), "a", "penalties"),
        ),
        (
            (leg(1, "a", "b", 2, 1), leg(2, "b", "a", 3, 1, decided_by="extra_time")),
            USUAL,
            ((3, 4), "b", "extra_time"),
        ),
        ((leg(1, "a", "b", 2, 1), leg(2, "b", "a", 3, 0, status=Status.SECOND_HALF)), USUAL, ((2, 4), None, None)),
        ((leg(1, "a", "b", 2, 1), leg(2, "b", "a", 3, 0, status=Status.AWARDED)), USUAL, ((2, 4), "b", "regular")),
        ((leg(1, "a", "b", 2, 1), leg(2, "b", "a", 3, 0, status=Status.ABANDONED)), USUAL, ((2, 1), None, None)),
        ((leg(1, "a", "b", 1, 1, leg=None, shootout=Score(4, 2)),), USUAL, ((1, 1), "a", "penalties")),
        # It was abandoned, and played anew.
        (
            (leg(1, "a", "b", 1, 0, leg=None, status=Status.ABANDONED), leg(2, "a", "b", 0, 1, leg=None)),
            USUAL,
            ((0, 1), "b", "regular"),
        ),
        # The second leg is not known yet.
        ((leg(1, "a", "b", 2, 1),), USUAL, ((2, 1), None, None)),
        # A replay: its result is that of both.
        ((leg(1, "a", "b", 1, 1, leg=None), leg(2, "b", "a", 2, 0, leg=None)), USUAL, ((1, 3), "b", "regular")),
    ],
)
def test_what_one_or_two_matches_come_to(
    legs: tuple[Match, ...], rules: CompetitionRules, expected: tuple[Any, ...]
) -> None:
    assert result(tie(*legs, rules=rules)) == expected
    assert result(tie(*legs[::-1], rules=rules)) == expected


def test_sides_are_told_as_in_the_first_leg_and_under_their_own_ids() -> None:
    second = leg(2, "b", "old", 1, 0, home=Team("b", "B"), away=Team("old", "A"))
    ((only,),) = (each.ties for each in knockout_rounds([leg(1, "a", "b", 2, 0), second], USUAL, "", {"old": "a"}))
    assert ([team.id for team in only.teams], [match.id for match in only.matches]) == (["a", "b"], ["m1", "m2"])
    assert result(only) == ((2, 1), "a", "regular")


@pytest.mark.parametrize(
    ("stage", "round_", "name"),
    [
        ("KNOCKOUT", "Quarter-finals", "Quarter-finals"), ("LAST_16", None, "LAST_16"), ("LAST_16", "2", "LAST_16"),
        ("cup", "round_of_16", "round_of_16"), (None, "Achtelfinale", "Achtelfinale"),
        (None, "1/8 Finals", "1/8 Finals"), ("Qualification", "3", None),
        ("QUALIFICATION_ROUND_1", None, "QUALIFICATION_ROUND_1"), (None, "3rd place", "3rd place"),
        ("Group Stage", "Group A", None), ("League", "5", None), (None, None, None),
        ("Regular Season", "Matchday 1", None), (None, "Semi-finals - 2nd leg", "Semi-finals"),
        ("Play-offs", "Leg 1", "Play-offs"), (None, "Quarter-finals (Leg 1)", "Quarter-finals"),
    ],
)  # fmt: skip
def test_a_round_is_known_by_the_words_of_any_provider(stage: str | None, round_: str | None, name: str | None) -> None:
    rounds = knockout_rounds([leg(1, "a", "b", 1, 0, stage=stage, round=round_)], USUAL, "")
    assert [each.name for each in rounds] == ([name] if name else [])


def test_what_is_not_known_is_left_out() -> None:
    unknown = leg(1, "a", "b")
    matches = [replace(unknown, home=None), leg(2, "c", "d", 1, 0, status=Status.CANCELLED)]
    assert knockout_rounds(matches, USUAL, "") == []


def winners(rounds: list[KnockoutRound]) -> dict[str, list[str]]:
    return {each.name: [pair.winner.id if pair.winner else "?" for pair in each.ties] for each in rounds}


@needed
def test_the_world_cup_of_2022() -> None:
    rounds = winners(knockout_rounds(season("worldcup-2022"), rules_of("world-cup"), "2022"))
    assert list(rounds) == ["Round of 16", "Quarter-finals", "Semi-finals", "Match for third place", "Final"]
    assert rounds["Quarter-finals"] == ["croatia", "argentina", "morocco", "france"]
    assert (rounds["Match for third place"], rounds["Final"]) == (["croatia"], ["argentina"])


@needed
def test_the_champions_league_of_2019_20_when_away_goals_decided() -> None:
    rounds = knockout_rounds(season("uefa.cl-2019-20"), rules_of("uefa-champions-league"), "2019-20")
    legs = {pair.teams[0].id: result(pair) for pair in rounds[0].ties}
    assert legs["olympique-lyonnais-fra"] == ((2, 2), "olympique-lyonnais-fra", "away_goals")
    assert legs["atletico-madrid-esp"] == ((4, 2), "atletico-madrid-esp", "regular")
    assert winners(rounds)["Final"] == ["bayern-munchen-ger"]


@needed
def test_a_cup_is_no_league_although_its_rounds_have_but_numbers() -> None:
    rounds = winners(knockout_rounds(season("de.cup-2019-20"), rules_of("dfb-pokal"), "2019-20"))
    assert list(rounds)[:2] == ["Round 1", "Round 2"]
    assert len(rounds["Round 1"]) == 32
    assert rounds["Final"] == ["bayern-munchen"]
