"""Tables, knock-out rounds, scorers, teams and meetings → the JSON of the wire contract."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from api.delivery.render import person, summary, team
from db.domain import Competition, Match, Phase, Side, Team
from db.domain.balance import Balance
from db.domain.knockout import KnockoutRound, Tie
from db.domain.result import has_result, is_replaced, outcome_for, winning_side
from db.domain.scorers import Scorer
from db.domain.standings import FORM, Standings, TableRow

# What people look at: nobody reads a list of scorers further.
SCORERS_MAX = 50
LISTED_MAX = 10
# A match that has not begun so long after its start is forgotten by its provider.
LATE_MS = 6 * 60 * 60 * 1000


def table(
    competition: Competition, season: str, version: int, groups: Iterable[Standings], rounds: Iterable[KnockoutRound]
) -> dict[str, Any]:
    shown = [_standings(group) for group in groups]
    return {
        **_head(competition, season, version),
        "provisional": any(group["provisional"] for group in shown),
        "groups": shown,
        "rounds": [{"round": each.name, "ties": [tie(pair) for pair in each.ties]} for each in rounds],
    }


def _head(competition: Competition, season: str, version: int) -> dict[str, Any]:
    return {"competition": {"id": competition.id, "name": competition.name}, "season": season, "version": version}


def _standings(standings: Standings) -> dict[str, Any]:
    return {
        "stage": standings.place.stage,
        "group": standings.place.group,
        "provisional": standings.is_provisional,
        "rows": [_row(row) for row in standings.rows],
    }


def _row(row: TableRow) -> dict[str, Any]:
    return {
        "position": row.position,
        "team": {"id": row.team.id, "name": row.team.name},
        **_balance(row.overall),
        "points": row.points,
        "deducted": row.deducted,
        "form": row.form,
        "live": row.live,
        "home": {"position": row.home_position, **_balance(row.home)},
        "away": {"position": row.away_position, **_balance(row.away)},
    }


def _balance(balance: Balance) -> dict[str, int]:
    return {
        "played": balance.played,
        "won": balance.won,
        "drawn": balance.drawn,
        "lost": balance.lost,
        "goals_for": balance.goals_for,
        "goals_against": balance.goals_against,
        "goal_difference": balance.goal_difference,
        "points": balance.points,
    }


def tie(pair: Tie) -> dict[str, Any]:
    first, second = pair.teams
    aggregate = pair.aggregate
    return {
        "teams": [team(first), team(second)],
        "aggregate": [aggregate.home, aggregate.away] if aggregate else None,
        "winner": pair.winner.id if pair.winner else None,
        "decided_by": pair.decided_by,
        "matches": [{"leg": match.leg, **summary(match)} for match in pair.matches],
    }


def scorers(
    competition: Competition, season: str, version: int, rows: list[Scorer], *, is_provisional: bool
) -> dict[str, Any]:
    return {
        **_head(competition, season, version),
        "provisional": is_provisional,
        "scorers": [
            {
                "position": row.position,
                "player": person(row.player),
                "team": team(row.team),
                "goals": row.goals,
                "penalties": row.penalties,
                "assists": row.assists,
            }
            for row in rows[:SCORERS_MAX]
        ],
    }


def team_page(
    subject: Team, version: int, ids: frozenset[str], matches: Iterable[Match], now_ms: int
) -> dict[str, Any]:
    """ids: under which its matches are stored."""
    ordered = sorted(matches, key=lambda match: (match.start_time or match.updated_at, match.id))
    over = [match for match in ordered if match.phase is Phase.FINISHED and has_result(match)]
    in_play = [match for match in ordered if match.phase in (Phase.LIVE, Phase.BREAK) and not is_replaced(match)]
    to_come = [match for match in ordered if _is_to_come(match, now_ms)]
    return {
        "team": team(subject),
        "version": version,
        "form": [{"match_id": match.id, "outcome": outcome_for(match, _side_of(match, ids))} for match in over[-FORM:]],
        "live": [summary(match) for match in in_play],
        "results": [summary(match) for match in reversed(over[-LISTED_MAX:])],
        "fixtures": [summary(match) for match in to_come[:LISTED_MAX]],
    }


def _is_to_come(match: Match, now_ms: int) -> bool:
    """A match that is off is shown until its start, for it says why nobody plays."""
    if match.phase not in (Phase.SCHEDULED, Phase.OFF) or is_replaced(match):
        return False
    if match.start_time is None:
        return match.phase is Phase.SCHEDULED
    return match.start_time >= now_ms - (LATE_MS if match.phase is Phase.SCHEDULED else 0)


def _side_of(match: Match, ids: frozenset[str]) -> Side:
    return Side.HOME if match.home is not None and match.home.id in ids else Side.AWAY


def head_to_head(
    match: Match, version: int, ids: frozenset[str], meetings: Iterable[Match], pair: Tie | None
) -> dict[str, Any]:
    """ids: under which matches of its home side are stored. meetings: newest first, itself included once it has begun.
    pair: where the match is one of a knock-out."""
    begun = [meeting for meeting in meetings if has_result(meeting)]
    winners = [(winning_side(meeting), _side_of(meeting, ids)) for meeting in begun if meeting.phase is Phase.FINISHED]
    return {
        "match_id": match.id,
        "version": version,
        "home_team": team(match.home),
        "away_team": team(match.away),
        "home_wins": sum(winner is not None and winner is side for winner, side in winners),
        "away_wins": sum(winner is not None and winner is not side for winner, side in winners),
        "draws": sum(winner is None for winner, _ in winners),
        "matches": [summary(meeting) for meeting in begun],
        "tie": tie(pair) if pair else None,
    }
