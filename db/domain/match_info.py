"""What is known of a match besides its play."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Team:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Competition:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class MatchInfo:
    """None means not said, and changes nothing.

    start_time: ms since the epoch.
    stage, round: of the competition, as the provider calls them: `Group Stage`, `5`, `round_of_16`.
    leg: 1 or 2 where the two sides meet twice.
    """

    home: Team | None = None
    away: Team | None = None
    competition: Competition | None = None
    venue: str | None = None
    start_time: int | None = None
    sport: str | None = None
    coverage: str | None = None
    replaced_by: str | None = None
    stage: str | None = None
    round: str | None = None
    leg: int | None = None
