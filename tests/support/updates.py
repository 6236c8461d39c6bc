"""Updates of a match as the generic feed gives them, and what follows from them."""

from __future__ import annotations

import json
from typing import Any

from db.domain import Fact, Match, Phase, Update, reduce
from feeds.generic.parse import parse

BASE = 1_700_000_000_000


def update_of(type_: str, second: float, **fields: Any) -> Update:
    """One event through the generic feed: the six fields every sender has, and what the test adds."""
    event = {"home_score": None, "away_score": None, "minute": None} | fields
    moment = f"2023-11-14T{22 + int(second) // 3600:02}:{int(second) // 60 % 60:02}:{second % 60:06.3f}Z"
    event |= {"match_id": "m", "event_type": type_, "timestamp": moment}
    [update] = parse(json.dumps({"events": [event]}).encode(), received_at=BASE + 86_400_000)
    return update


def goal(id_: str, second: float, score: str, team: str = "home", **fields: Any) -> Update:
    home, away = map(int, score.split("-"))
    return update_of("goal", second, event_id=id_, home_score=home, away_score=away, team=team, **fields)


def bare_goal(id_: str, second: float, team: str = "home", **fields: Any) -> Update:
    return update_of("goal", second, event_id=id_, team=team, **fields)


def board(second: float, score: str, **fields: Any) -> Update:
    home, away = map(int, score.split("-"))
    return update_of("score", second, home_score=home, away_score=away, **fields)


def play(*updates: Update, match: Match | None = None) -> tuple[Match, list[Fact]]:
    facts: list[Fact] = []
    for update in updates:
        match, new = reduce(match, update)
        facts += new
    assert match is not None
    return match, facts


def kinds(facts: list[Fact]) -> list[str]:
    return [f"{fact.kind.value} {fact.event_id}" if fact.event_id else fact.kind.value for fact in facts]


def shown(match: Match) -> tuple[Any, ...]:
    """All that a reader sees."""
    events = [(e.id, e.type, e.team, e.minute, e.added_minute, e.player, e.voided) for e in match.timeline]
    clock = (match.minute, match.added_minute, match.period, match.clock)
    decided = match.decided_by if match.phase is Phase.FINISHED else None
    return match.score, match.shootout, match.scorers, match.cards, match.status, decided, clock, events


def line(match: Match) -> str | None:
    return f"{match.score.home}-{match.score.away}" if match.score else None
