"""What people type into a search box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select, union_all
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
    """The newest of each team and side by its index, and of those the newest. One condition over all of them would walk
    through the whole of the matches."""
    if not team_ids:
        return []
    sides = (MatchRow.home_team_id, MatchRow.away_team_id)
    each = [_newest(side, team_id, limit) for team_id in team_ids for side in sides]
    ids = union_all(*(select(query.subquery().c.id) for query in each))
    query = select(MatchRow).where(MatchRow.id.in_(ids)).order_by(MatchRow.listed_at.desc(), MatchRow.id)
    return session.scalars(query.limit(limit)).all()


def _newest(side: InstrumentedAttribute[str | None], team_id: str, limit: int) -> Select[str]:
    return select(MatchRow.id).where(side == team_id).order_by(MatchRow.listed_at.desc()).limit(limit)
