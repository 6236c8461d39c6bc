"""Knock-out rounds: which sides are paired, what their one or two matches come to, and who goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from db.domain.competition_rules import CompetitionRules
from db.domain.match import Match
from db.domain.match_info import Team
from db.domain.result import has_result, is_dropped
from db.domain.score import Score
from db.domain.stage import place_of
from db.domain.vocabulary import Phase, Side, Status


@dataclass(frozen=True, slots=True)
class Tie:
    """Two sides of a round.

    teams: the host of the first match, then its guest.
    matches: in the order of their legs.
    aggregate: goals of the two in all matches, in the order of `teams`; None before the first.
    winner: who goes on; None until that is known.
    decided_by: regular, extra_time, away_goals or penalties; None without a winner.
    """

    teams: tuple[Team, Team]
    matches: tuple[Match, ...]
    aggregate: Score | None = None
    winner: Team | None = None
    decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class KnockoutRound:
    """name: as told. ties: as they begin."""

    name: str
    ties: tuple[Tie, ...]


def knockout_rounds(
    matches: Iterable[Match], rules: CompetitionRules, season: str, team_ids: Mapping[str, str] | None = None
) -> list[KnockoutRound]:
    """Among the matches of a season, as they begin. Pairs whose sides are not known are left out."""
    rounds: dict[str, dict[frozenset[str], list[Match]]] = {}
    for match in sorted(matches, key=lambda match: (match.start_time or 0, match.leg or 0, match.id)):
        name = place_of(match, rules).round
        if name is None or is_dropped(match) or not match.home or not match.away:
            continue
        pair = frozenset(_known_id(team, team_ids or {}) for team in (match.home, match.away))
        rounds.setdefault(name, {}).setdefault(pair, []).append(match)
    away_goals = rules.away_goals_decide(season)
    return [
        KnockoutRound(name, tuple(tie_of(legs, team_ids or {}, away_goals=away_goals) for legs in pairs.values()))
        for name, pairs in rounds.items()
    ]


def tie_of(matches: list[Match], team_ids: Mapping[str, str], *, away_goals: bool) -> Tie:
    """Of the matches of one pair, whose sides are known. away_goals: they decide between equals over two legs."""
    legs = sorted(matches, key=lambda match: (match.leg or 0, match.start_time or 0, match.id))
    teams = _teams(legs[0], team_ids)
    played = [leg for leg in legs if has_result(leg)]
    scores = [(_is_host(leg, teams, team_ids), leg.score) for leg in played if leg.score]
    if not scores:
        return Tie(teams, tuple(legs))
    aggregate = Score(
        sum(score.home if is_host else score.away for is_host, score in scores),
        sum(score.away if is_host else score.home for is_host, score in scores),
    )
    side, decided_by = _decided(played, scores, aggregate, away_goals) if _is_over(legs, played) else (None, None)
    winner = teams[side is Side.AWAY] if side else None
    return Tie(teams, tuple(legs), aggregate, winner, decided_by)


def _decided(
    played: list[Match], scores: list[tuple[bool, Score]], aggregate: Score, away_goals: bool
) -> tuple[Side | None, str | None]:
    """The side of `teams` that goes on, and by what."""
    last = played[-1]
    if aggregate.home != aggregate.away:
        by = "extra_time" if last.decided_by == "extra_time" else "regular"
        return (Side.HOME if aggregate.home > aggregate.away else Side.AWAY), by
    away = [sum(score.away for is_host, score in scores if is_host is is_home) for is_home in (False, True)]
    if away_goals and len(played) == 2 and away[0] != away[1]:
        return (Side.HOME if away[0] > away[1] else Side.AWAY), "away_goals"
    kicks = last.shootout
    if kicks is None or kicks.home == kicks.away:
        return None, None
    winner = Side.HOME if kicks.home > kicks.away else Side.AWAY
    return (winner if scores[-1][0] else winner.other), "penalties"


def _is_over(legs: list[Match], played: list[Match]) -> bool:
    """One that was abandoned is waited for no longer once it was played anew."""
    expected = 2 if any(leg.leg for leg in legs) else 1
    is_waiting = any(leg not in played and leg.status is not Status.ABANDONED for leg in legs)
    return not is_waiting and len(played) >= expected and all(leg.phase is Phase.FINISHED for leg in played)


def _teams(match: Match, team_ids: Mapping[str, str]) -> tuple[Team, Team]:
    """Of a match whose sides are known."""
    home, away = (Team(_known_id(side, team_ids), side.name) for side in (match.home, match.away) if side)
    return home, away


def _is_host(match: Match, teams: tuple[Team, Team], team_ids: Mapping[str, str]) -> bool:
    """Whether the first of the two is at home."""
    return match.home is not None and _known_id(match.home, team_ids) == teams[0].id


def _known_id(team: Team, team_ids: Mapping[str, str]) -> str:
    return team_ids.get(team.id, team.id)
