"""What a side has won, drawn and lost, and what that is worth."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from db.domain.match import Match
from db.domain.vocabulary import Side

WIN_POINTS, DRAW_POINTS = 3, 1


class MatchOutcome(StrEnum):
    """Of a match, for one of its sides."""

    WON = "won"
    DRAWN = "drawn"
    LOST = "lost"


@dataclass(slots=True)
class Balance:
    """Of some matches of one side."""

    won: int = 0
    drawn: int = 0
    lost: int = 0
    goals_for: int = 0
    goals_against: int = 0

    def add(self, scored: int, conceded: int) -> MatchOutcome:
        self.goals_for += scored
        self.goals_against += conceded
        if scored > conceded:
            self.won += 1
            return MatchOutcome.WON
        if scored < conceded:
            self.lost += 1
            return MatchOutcome.LOST
        self.drawn += 1
        return MatchOutcome.DRAWN

    def plus(self, other: Balance) -> Balance:
        return Balance(
            self.won + other.won,
            self.drawn + other.drawn,
            self.lost + other.lost,
            self.goals_for + other.goals_for,
            self.goals_against + other.goals_against,
        )

    @property
    def played(self) -> int:
        return self.won + self.drawn + self.lost

    @property
    def points(self) -> int:
        return WIN_POINTS * self.won + DRAW_POINTS * self.drawn

    @property
    def goal_difference(self) -> int:
        return self.goals_for - self.goals_against


def winning_side(match: Match) -> Side | None:
    """By the score, then by the shoot-out; None for a draw and where no score is known."""
    for score in (match.score, match.shootout):
        if score is not None and score.home != score.away:
            return Side.HOME if score.home > score.away else Side.AWAY
    return None


def outcome_for(match: Match, side: Side) -> MatchOutcome:
    winner = winning_side(match)
    if winner is None:
        return MatchOutcome.DRAWN
    return MatchOutcome.WON if winner is side else MatchOutcome.LOST
