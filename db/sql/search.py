"""What people type into a search box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Select, String, bindparam, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.domain import Competition, Match, Team
from db.sql.history_rows import fold
from db.sql.models import CompetitionRow, MatchRow, TeamRow
from db.sql.names import stored_team_ids
from db.sql.rows import readable


@dataclass(frozen=True, slots=True)
class SearchResults:
    teams: tuple[Team, ...]
    competitions: tuple[Competition, ...]
    matches: tuple[Match, ...]


def search(session: Session, words: str, limit: int) -> SearchResults:
    """Teams and competitions whose name holds the words, accents aside, and those teams' latest matches."""
    like = f"%{fold(words).replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
    teams = session.scalars(
        select(TeamRow).where(TeamRow.folded.like(like, escape="!")).order_by(TeamRow.name).limit(limit)
    ).all()
    competitions = session.scalars(
        select(CompetitionRow)
        .where(CompetitionRow.folded.like(like, escape="!"))
        .order_by(CompetitionRow.name)
        .limit(limit)
    ).all()
    return SearchResults(
        tuple(Team(team.id, team.name) for team in teams),
        tuple(Competition(row.id, row.name) for row in competitions),
        tuple(readable(_latest(session, _with_other_names(session, teams), limit))),
    )


def _with_other_names(session: Session, teams: Sequence[TeamRow]) -> Sequence[str]:
    return stored_team_ids(session, [team.id for team in teams]) if teams else ()


def _latest(session: Session, team_ids: Sequence[str], limit: int) -> Sequence[MatchRow]:
    if not team_ids:
        return []
    values = {_parameter(number): team_id for number, team_id in enumerate(team_ids)}
    return session.scalars(_latest_of(len(team_ids), limit), values).all()


@lru_cache
def _latest_of(count: int, limit: int) -> Select[MatchRow]:
    """The newest of each team and side by its index, and of those the newest. One condition over all of them would walk
    through the whole of the matches. Put together once: that takes longer than the query."""
    sides = (MatchRow.home_team_id, MatchRow.away_team_id)
    each = [_newest(side, _parameter(number), limit) for number in range(count) for side in sides]
    ids = union_all(*(select(query.subquery().c.id) for query in each))
    query = select(MatchRow).where(MatchRow.id.in_(ids)).order_by(MatchRow.listed_at.desc(), MatchRow.id)
    return query.limit(limit)


def _parameter(number: int) -> str:
    return f"team_{number}"


def _newest(side: InstrumentedAttribute[str | None], parameter: str, limit: int) -> Select[str]:
    query = select(MatchRow.id).where(side == bindparam(parameter, type_=String))
    return query.order_by(MatchRow.listed_at.desc()).limit(limit)
