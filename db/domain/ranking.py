"""Who is before whom: equal sides are told apart by one criterion after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, groupby
from typing import TypeVar

from db.domain.balance import Balance
from db.domain.competition_rules import Criterion, RankingStep

# Scores of home and away, by the ids of the two sides.
Meetings = Mapping[tuple[str, str], Sequence[tuple[int, int]]]
T = TypeVar("T")
Key = tuple[int, ...]


class Ranker:
    """Of one table.

    balances: home and away of each side, by team id.
    deducted: points taken away, by team id.
    per_pair: how often two sides meet.
    """

    def __init__(
        self,
        balances: Mapping[str, tuple[Balance, Balance]],
        deducted: Mapping[str, int],
        meetings: Meetings,
        per_pair: int,
    ) -> None:
        self.balances = balances
        self.deducted = deducted
        self.meetings = meetings
        self.per_pair = per_pair

    def ranked(self, team_ids: Sequence[str], steps: Sequence[RankingStep]) -> list[list[str]]:
        """Best first; those that nothing tells apart are together.

        Where the matches between equal sides part only some of them, the rest are compared anew in the matches between
        those alone (UEFA Euro 2024 regulations, 20.01 d).
        """
        if len(team_ids) == 1 or not steps:
            return [list(team_ids)]
        step, rest = steps[0], steps[1:]
        keys = self._between(team_ids, step) if step.is_between else self._overall(team_ids, step)
        groups = parted(team_ids, keys.__getitem__)
        if len(groups) == 1:
            return self.ranked(team_ids, rest)
        return [tier for group in groups for tier in self.ranked(group, steps if step.is_between else rest)]

    def _overall(self, team_ids: Iterable[str], step: RankingStep) -> dict[str, Key]:
        return {
            team_id: tuple(
                _worth(*self.balances[team_id], criterion, self.deducted.get(team_id, 0)) for criterion in step.criteria
            )
            for team_id in team_ids
        }

    def _between(self, team_ids: Sequence[str], step: RankingStep) -> dict[str, Key]:
        """Nobody is before another until all of them have met as often as they will."""
        balances = {team_id: (Balance(), Balance()) for team_id in team_ids}
        for pair in combinations(team_ids, 2):
            both_ways = [(pair, self.meetings.get(pair, ())), (pair[::-1], self.meetings.get(pair[::-1], ()))]
            if sum(len(scores) for _, scores in both_ways) < self.per_pair:
                return dict.fromkeys(team_ids, ())
            for (host, guest), scores in both_ways:
                for home, away in scores:
                    balances[host][0].add(home, away)
                    balances[guest][1].add(away, home)
        return {
            team_id: tuple(_worth(*balances[team_id], criterion) for criterion in step.criteria) for team_id in team_ids
        }


def parted(items: Iterable[T], key: Callable[[T], Key]) -> list[list[T]]:
    """Groups of equals, those with more before those with less; within a group the order stays."""
    return [list(group) for _, group in groupby(sorted(items, key=key, reverse=True), key=key)]


def _worth(home: Balance, away: Balance, criterion: Criterion, deducted: int = 0) -> int:
    match criterion:
        case Criterion.POINTS:
            return home.points + away.points - deducted
        case Criterion.GOAL_DIFFERENCE:
            return home.goal_difference + away.goal_difference
        case Criterion.GOALS_FOR:
            return home.goals_for + away.goals_for
        case Criterion.AWAY_GOALS:
            return away.goals_for
        case Criterion.WINS:
            return home.won + away.won
        case Criterion.AWAY_WINS:
            return away.won
