"""A score: how many each side has."""

from __future__ import annotations

from dataclasses import dataclass

from db.domain.vocabulary import Side


@dataclass(frozen=True, slots=True)
class Score:
    home: int
    away: int

    def plus(self, side: Side, n: int) -> Score:
        home, away = (self.home + n, self.away) if side is Side.HOME else (self.home, self.away + n)
        return Score(max(home, 0), max(away, 0))

    def of(self, side: Side) -> int:
        return self.home if side is Side.HOME else self.away
