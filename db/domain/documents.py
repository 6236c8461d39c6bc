"""What a provider tells of a match as a whole and the score does not follow from: line-ups and statistics."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from db.domain.event import Person

# A squad of a match has 23 to 26 players; a bench of a friendly more. No provider has as many kinds of figures.
PLAYERS_MAX, FIGURES_MAX = 60, 80
FIGURE_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class DocumentKind(StrEnum):
    """The last part of the path where each is read."""

    LINEUPS = "lineups"
    STATS = "stats"


@dataclass(frozen=True, slots=True)
class LineupPlayer:
    """number: on the shirt.
    position: `goalkeeper`, `defender`, `midfielder`, `forward`, or the provider's own word.
    place: in the formation, from 1 for the goalkeeper.
    """

    name: str
    id: str | None = None
    number: int | None = None
    position: str | None = None
    place: int | None = None
    starter: bool = False
    captain: bool = False


@dataclass(frozen=True, slots=True)
class TeamLineup:
    """formation: `4-3-3`. players: starters by their place, then the bench."""

    formation: str | None = None
    coach: Person | None = None
    players: tuple[LineupPlayer, ...] = ()


@dataclass(frozen=True, slots=True)
class Lineups:
    """confirmed: by the teams; before that they are expected."""

    home: TeamLineup | None = None
    away: TeamLineup | None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Stats:
    """Figures of each side by name; possession is in percent."""

    home: dict[str, float] = field(default_factory=dict)
    away: dict[str, float] = field(default_factory=dict)


Document = Lineups | Stats


def kind_of(document: Document) -> DocumentKind:
    return DocumentKind.LINEUPS if isinstance(document, Lineups) else DocumentKind.STATS


def formation_of(word: str | None) -> str | None:
    """`433` and `4-3-3` alike; None for what is no formation."""
    digits = re.sub(r"[^0-9]", "", word or "")
    return "-".join(digits) if 3 <= len(digits) <= 5 and "0" not in digits else None


def ordered(players: list[LineupPlayer]) -> tuple[LineupPlayer, ...]:
    """Starters by their place, then the bench by number."""

    def order(player: LineupPlayer) -> tuple[bool, int, int, str]:
        return not player.starter, player.place or 99, player.number or 999, player.name

    return tuple(sorted(players[:PLAYERS_MAX], key=order))
