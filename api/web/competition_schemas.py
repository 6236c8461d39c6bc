"""The wire contract of what is computed from many matches: tables, knock-out rounds, scorers, teams, meetings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.web.schemas import Body, Id, MaybeNamed, Named, Query, Summary, TimelinePerson
from db.domain.result import MatchOutcome


class SeasonQuery(Query):
    season: Annotated[
        str | None,
        Field(pattern=r"^\d{4}(-\d{2})?$", description="2023-24, or 2023 where seasons begin with the year"),
    ] = None


class BalanceBody(Body):
    played: int
    won: int
    drawn: int
    lost: int
    goals_for: int
    goals_against: int
    goal_difference: int
    points: int


class RankedBalance(BalanceBody):
    position: Annotated[int, Field(description="in the table of these matches alone")]


class TableRowBody(BalanceBody):
    position: Annotated[int, Field(description="from 1; sides that nothing tells apart share one")]
    team: Named
    deducted: Annotated[int, Field(description="points taken away; `points` is without them")]
    form: Annotated[list[MatchOutcome], Field(description="of the last five matches, oldest first")]
    live: Annotated[Id | None, Field(description="the match in play that counts in this row")]
    home: RankedBalance
    away: RankedBalance


class StandingsBody(Body):
    stage: Annotated[str | None, Field(description="as the provider calls it; null for the ordinary one")]
    group: Annotated[str | None, Field(description="its letter or number; null outside of groups")]
    provisional: Annotated[bool, Field(description="a match in play counts in it")]
    rows: list[TableRowBody]


class LegBody(Summary):
    leg: int | None


class TieBody(Body):
    teams: Annotated[list[Named], Field(description="two: the host of the first match, then its guest")]
    aggregate: Annotated[list[int] | None, Field(description="goals of the two in all matches; null before the first")]
    winner: Annotated[str | None, Field(description="id of the team that goes on; null until that is known")]
    decided_by: Annotated[str | None, Field(description="regular, extra_time, away_goals or penalties")]
    matches: list[LegBody]


class KnockoutRoundBody(Body):
    round: Annotated[str, Field(description="as the provider calls it")]
    ties: list[TieBody]


class CompetitionTable(Body):
    competition: Named
    season: str
    version: Annotated[int, Field(description="that of the newest change of a match in it")]
    provisional: Annotated[bool, Field(description="a match in play counts in one of the tables")]
    groups: Annotated[list[StandingsBody], Field(description="one table, or one a group or stage; none for a cup")]
    rounds: Annotated[list[KnockoutRoundBody], Field(description="knock-out rounds as they begin")]


class ScorerBody(Body):
    position: Annotated[int, Field(description="from 1; players with as many goals share one")]
    player: TimelinePerson
    team: Named
    goals: Annotated[int, Field(description="without own goals and kicks of a shoot-out")]
    penalties: Annotated[int, Field(description="among the goals")]
    assists: int


class TopScorers(Body):
    competition: Named
    season: str
    version: Annotated[int, Field(description="that of the newest change of a match in it")]
    provisional: Annotated[bool, Field(description="a match of the competition is in play")]
    scorers: list[ScorerBody]


class FormEntry(Body):
    match_id: Id
    outcome: MatchOutcome


class TeamPage(Body):
    team: Named
    version: Annotated[int, Field(description="that of the newest change of a match in it")]
    form: Annotated[list[FormEntry], Field(description="of the last five results, oldest first")]
    live: list[Summary]
    results: Annotated[list[Summary], Field(description="the last ten, newest first")]
    fixtures: Annotated[list[Summary], Field(description="the next ten, postponed ones included")]


class HeadToHead(Body):
    match_id: Id
    version: Annotated[int, Field(description="that of the newest change of a meeting")]
    home_team: MaybeNamed
    away_team: MaybeNamed
    home_wins: Annotated[int, Field(description="of the home side of this match, wherever they met; of results alone")]
    away_wins: int
    draws: int
    matches: Annotated[list[Summary], Field(description="the last fifty meetings that have begun, newest first")]
    tie: Annotated[TieBody | None, Field(description="of a knock-out match: with the other leg")]
