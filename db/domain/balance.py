"""What a side has won, drawn and lost, and what that is worth."""

from __future__ import annotations

from dataclasses import dataclass

from db.domain.result import MatchOutcome

WIN_POINTS, DRAW_POINTS = 3, 1


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
