"""The rules of competitions that are known, from a file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from db.domain.competition_rules import USUAL_ORDER, CompetitionRules, ranking_steps

FILE = Path(__file__).with_name("competitions.toml")
USUAL = CompetitionRules()


def rules_of(competition_id: str) -> CompetitionRules:
    return _rulebook().get(competition_id, USUAL)


@cache
def _rulebook() -> dict[str, CompetitionRules]:
    return read(FILE.read_text())


def read(text: str) -> dict[str, CompetitionRules]:
    """By each id of each competition. Raises ValueError, KeyError or TypeError for a file that is wrong."""
    document = tomllib.loads(text)
    return {id_: rules for table in document.values() for rules in [_rules(table)] for id_ in table["ids"]}


def _rules(table: Mapping[str, Any]) -> CompetitionRules:
    plain = {name: value for name, value in table.items() if name not in _READ}
    return CompetitionRules(
        order=ranking_steps(table["order"]) if "order" in table else USUAL_ORDER,
        earlier=tuple((row["until"], ranking_steps(row["order"])) for row in table.get("earlier", ())),
        begins={season: _ms(day) for season, day in table.get("begins", {}).items()},
        deductions=_deductions(table.get("deductions", ())),
        rulings=_rulings(table.get("rulings", ())),
        **plain,
    )


_READ = frozenset({"ids", "order", "earlier", "begins", "deductions", "rulings"})


def _deductions(rows: Any) -> dict[str, dict[str, int]]:
    by_season: dict[str, dict[str, int]] = {}
    for row in rows:
        by_season.setdefault(row["season"], {}).update(dict.fromkeys(row["team"], row["points"]))
    return by_season


def _rulings(rows: Any) -> dict[str, list[dict[str, int]]]:
    """Ranks by team, 0 for the best."""
    by_season: dict[str, list[dict[str, int]]] = {}
    for row in rows:
        ranks = {team_id: rank for rank, team_ids in enumerate(row["teams"]) for team_id in team_ids}
        by_season.setdefault(row["season"], []).append(ranks)
    return by_season


def _ms(day: date) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
