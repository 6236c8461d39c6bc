"""Who has scored how often."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from db.domain.claims import is_of_shootout
from db.domain.event import Event, Person
from db.domain.match import Match
from db.domain.match_info import Team
from db.domain.result import has_result
from db.domain.vocabulary import Side

# Goals that are nobody's own: an own goal is no goal of its scorer.
CREDITED = frozenset({"goal", "penalty_goal"})


@dataclass(frozen=True, slots=True)
class CreditedGoal:
    """A goal that stands. team: of the scorer."""

    team: Team
    player: Person
    assist: Person | None
    is_penalty: bool


@dataclass(slots=True)
class Scorer:
    """position: from 1; who has scored as often shares it. penalties: among the goals."""

    player: Person
    team: Team
    goals: int = 0
    penalties: int = 0
    assists: int = 0
    position: int = 0


def credited_goals(match: Match, events: Iterable[Event]) -> Iterator[CreditedGoal]:
    """events: of the match, of any source; those of the source in force count."""
    sides = {Side.HOME: match.home, Side.AWAY: match.away}
    for event in events if has_result(match) else ():
        team = sides[event.team] if event.team else None
        is_of_source = "" in (event.since.source, match.source) or event.since.source == match.source
        is_goal = event.type in CREDITED and not event.voided and not is_of_shootout(event, match.sport)
        if is_of_source and is_goal and team and event.player:
            yield CreditedGoal(team, event.player, event.assist, event.type == "penalty_goal")


def scorers(goals: Iterable[CreditedGoal], team_ids: Mapping[str, str] | None = None) -> list[Scorer]:
    """Most goals first, of equals those with more assists, then by name. Who has only assisted is no scorer.

    A player is known by the id, or else by name and team. team_ids: of teams that have another name, the id they are
    known by.
    """
    meant = team_ids or {}
    rows: dict[tuple[str, str], Scorer] = {}
    assists: dict[tuple[str, str], int] = {}
    for goal in goals:
        team = Team(meant.get(goal.team.id, goal.team.id), goal.team.name)
        row = rows.setdefault(_identity(goal.player, team), Scorer(goal.player, team))
        row.player, row.team = goal.player, team
        row.goals += 1
        row.penalties += goal.is_penalty
        if goal.assist:
            key = _identity(goal.assist, team)
            assists[key] = assists.get(key, 0) + 1
    for key, row in rows.items():
        row.assists = assists.get(key, 0)
    ranked = sorted(rows.values(), key=lambda row: (-row.goals, -row.assists, row.player.name.casefold(), row.team.id))
    for index, row in enumerate(ranked):
        is_level = index > 0 and ranked[index - 1].goals == row.goals
        row.position = ranked[index - 1].position if is_level else index + 1
    return ranked


def _identity(player: Person, team: Team) -> tuple[str, str]:
    return ("", player.id) if player.id else (team.id, player.name)
