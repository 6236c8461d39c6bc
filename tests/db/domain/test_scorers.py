"""Who has scored how often."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from db.domain import Event, Match, Person, Score, Side, Stamp, Status, Team
from db.domain.scorers import CreditedGoal, credited_goals, scorers

HOME, AWAY = Team("h", "Home"), Team("a", "Away")
MATCH = Match("m", home=HOME, away=AWAY, status=Status.SECOND_HALF, score=Score(1, 0), source="s")


def goal(player: str | None = "A", type_: str = "goal", team: Side | None = Side.HOME, **fields: Any) -> Event:
    stamp = Stamp(1, source=fields.pop("source", "s"))
    person = Person(player) if player else None
    return Event("g", type_, stamp, since=stamp, team=team, player=person, **fields)


@pytest.mark.parametrize(
    ("event", "counts"),
    [
        (goal(), True),
        (goal(type_="penalty_goal"), True),
        (goal(type_="own_goal"), False),
        (goal(type_="shootout_goal"), False),
        (goal(period=5), False),
        (goal(void_at=Stamp(2, source="s")), False),
        (goal(source="other"), False),
        (goal(source=""), True),
        (goal(player=None), False),
        (goal(team=None), False),
    ],
)
def test_what_is_credited(event: Event, counts: bool) -> None:
    assert len(list(credited_goals(MATCH, [event]))) == counts


@pytest.mark.parametrize("status", [Status.ABANDONED, Status.SCHEDULED, Status.REPLACED])
def test_a_match_that_does_not_count_credits_nobody(status: Status) -> None:
    assert list(credited_goals(replace(MATCH, status=status), [goal()])) == []


def credited(name: str, team: Team = HOME, id_: str | None = None, **fields: Any) -> CreditedGoal:
    return CreditedGoal(team, Person(name, id_), fields.get("assist"), fields.get("is_penalty", False))


def test_most_goals_first_and_of_equals_those_with_more_assists() -> None:
    rows = scorers(
        [
            credited("B", assist=Person("A")),
            credited("A"),
            credited("C", AWAY, is_penalty=True),
            credited("C", AWAY),
            credited("D", assist=Person("E")),
        ]
    )
    shown = [(row.position, row.player.name, row.goals, row.penalties, row.assists) for row in rows]
    assert shown == [(1, "C", 2, 1, 0), (2, "A", 1, 0, 1), (2, "B", 1, 0, 0), (2, "D", 1, 0, 0)]


def test_a_player_is_known_by_the_id_or_else_by_name_and_team() -> None:
    by_id = scorers([credited("A", HOME, "p1"), credited("A. Long", AWAY, "p1")])
    assert [(row.player.name, row.team.id, row.goals) for row in by_id] == [("A. Long", "a", 2)]
    assert len(scorers([credited("A", HOME), credited("A", AWAY)])) == 2
    assert len(scorers([credited("A", HOME), credited("A", Team("old", "Home"))], {"old": "h"})) == 1
