"""The rules by which a competition ranks its sides: in what order, for which season, and what no result says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Criterion(StrEnum):
    """What equal sides are told apart by; more of it is better."""

    POINTS = "points"
    GOAL_DIFFERENCE = "goal_difference"
    GOALS_FOR = "goals_for"
    AWAY_GOALS = "away_goals"
    WINS = "wins"
    AWAY_WINS = "away_wins"


@dataclass(frozen=True, slots=True)
class RankingStep:
    """criteria: one after another.
    is_between: counted in the matches between the equal sides alone.
    """

    criteria: tuple[Criterion, ...]
    is_between: bool = False


def ranking_steps(order: Sequence[str | Sequence[str]]) -> tuple[RankingStep, ...]:
    """order: names of criteria; a list among them is of the matches between the equal sides. Raises ValueError."""
    return tuple(
        RankingStep((Criterion(entry),))
        if isinstance(entry, str)
        else RankingStep(tuple(map(Criterion, entry)), is_between=True)
        for entry in order
    )


USUAL_ORDER = ranking_steps(["points", "goal_difference", "goals_for"])


@dataclass(frozen=True, slots=True)
class CompetitionRules:
    """What holds for a competition; without any of it, what most leagues do.

    order: of ranking.
    earlier: other orders, each with the last season in which it held, oldest first.
    meetings: how often two sides meet; before they have, the matches between them tell nothing.
    is_cup: rounds without a telling name are knock-out rounds, too.
    season_month: in which a season begins, on the first. With 1, a season is called by one year.
    begins: the beginning (ms) of seasons that began at another time, by name.
    away_goals_until: the last season in which away goals decided two legs; "" for none.
    deductions: points taken away, by season and team.
    rulings: sides that all criteria leave equal, with their ranks, by season: what fair play or the lot said.
    """

    order: tuple[RankingStep, ...] = USUAL_ORDER
    earlier: tuple[tuple[str, tuple[RankingStep, ...]], ...] = ()
    meetings: int = 2
    is_cup: bool = False
    season_month: int = 7
    begins: Mapping[str, int] = field(default_factory=dict)
    away_goals_until: str = ""
    deductions: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    rulings: Mapping[str, Sequence[Mapping[str, int]]] = field(default_factory=dict)

    def order_in(self, season: str) -> tuple[RankingStep, ...]:
        return next((order for until, order in self.earlier if season <= until), self.order)

    def away_goals_decide(self, season: str) -> bool:
        return season <= self.away_goals_until
