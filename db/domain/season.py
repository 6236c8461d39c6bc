"""A season of a competition: a year that begins in its month. A competition keeps its id from season to season."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from db.domain.competition_rules import CompetitionRules

# Both spellings; which of them a competition has follows from its month.
SEASON_PATTERN = re.compile(r"(\d{4})(?:-(\d{2}))?", re.ASCII)
FIRST_YEAR, LAST_YEAR = 1900, 2098


@dataclass(frozen=True, slots=True)
class Season:
    """name: `2023-24`, or `2023` where it begins with the year.
    since, until: ms; until is exclusive.
    """

    name: str
    since: int
    until: int


def season_at(rules: CompetitionRules, at_ms: int) -> Season:
    """The season of a moment."""
    year = datetime.fromtimestamp(at_ms / 1000, UTC).year
    return _season(rules, year if _begins(rules, year) <= at_ms else year - 1)


def season_named(rules: CompetitionRules, name: str) -> Season | None:
    """None where no season of the competition is called so."""
    parts = SEASON_PATTERN.fullmatch(name)
    year = int(parts[1]) if parts else 0
    if not FIRST_YEAR <= year <= LAST_YEAR or _name(rules, year) != name:
        return None
    return _season(rules, year)


def _season(rules: CompetitionRules, year: int) -> Season:
    return Season(_name(rules, year), _begins(rules, year), _begins(rules, year + 1))


def _name(rules: CompetitionRules, year: int) -> str:
    return f"{year}" if rules.season_month == 1 else f"{year}-{(year + 1) % 100:02}"


def _begins(rules: CompetitionRules, year: int) -> int:
    usual = datetime(year, rules.season_month, 1, tzinfo=UTC)
    return rules.begins.get(_name(rules, year), round(usual.timestamp() * 1000))
