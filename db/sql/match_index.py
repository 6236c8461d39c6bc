"""Which matches there are, and in which version: of a season, of a team, of two teams. What tables are made from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Select, String, and_, bindparam, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.codec import decode_event, decode_match
from db.domain import Competition, Event, Match, Phase, Subject, Team
from db.domain.errors import Undecodable
from db.sql.models import CompetitionRow, MatchRow, NameRow, TeamRow
from db.sql.moments import moment, ms
from db.sql.names import NameKind, stored_team_ids
from db.sql.replica import ReplicaReads
from db.sql.timelines import standing_goals
from db.undecodable import decoded, tell

# A league has 552 matches a year at most. What has more than this is no competition that has a table.
SEASON_MAX = 2_000
# Of a team: matches of a month back, and as many ahead.
PAST_MAX, AHEAD_MAX = 20, 12
# Meetings of two teams: a hundred years of most.
MEETINGS_MAX = 50


class ListedMatch(NamedTuple):
    """has_begun: its start is over, or the first news of a match without one.
    is_near: it was in play when last written, or starts within a day, or did so.
    """

    id: str
    version: int
    has_begun: bool
    is_near: bool


# Redis keeps a match for a day after its end. What is played, is about to be, or was just now, it knows before SQL.
NEAR_MS = 24 * 60 * 60 * 1000
_ListedQuery = Select[str, int, bool, bool]
_STARTED = MatchRow.listed_at <= bindparam("now")
_LISTED = (
    MatchRow.id,
    MatchRow.version,
    _STARTED.label("has_begun"),
    or_(
        MatchRow.phase.in_([Phase.LIVE.value, Phase.BREAK.value]),
        MatchRow.listed_at.between(bindparam("near_since"), bindparam("near_until")),
    ).label("is_near"),
)
# Statements are put together once: that takes longer than the queries.
_OF_COMPETITION = MatchRow.competition_id == bindparam("competition", type_=String)
_SEASON = (
    select(*_LISTED)
    .where(_OF_COMPETITION, MatchRow.listed_at >= bindparam("since"), MatchRow.listed_at < bindparam("until"))
    .order_by(MatchRow.listed_at, MatchRow.id)
    .limit(SEASON_MAX + 1)
)
_STARTS = select(MatchRow.listed_at).where(_OF_COMPETITION).limit(1)
_NEWEST = _STARTS.where(_STARTED).order_by(MatchRow.listed_at.desc())
_NEXT = _STARTS.where(MatchRow.listed_at > bindparam("now")).order_by(MatchRow.listed_at)
_HOME, _AWAY = MatchRow.home_team_id, MatchRow.away_team_id
_FIRST: BindParameter[Any] = bindparam("first", expanding=True)
_SECOND: BindParameter[Any] = bindparam("second", expanding=True)
_BETWEEN = (
    select(*_LISTED)
    .where(or_(and_(_HOME.in_(_FIRST), _AWAY.in_(_SECOND)), and_(_HOME.in_(_SECOND), _AWAY.in_(_FIRST))))
    .order_by(MatchRow.listed_at.desc(), MatchRow.id)
    .limit(MEETINGS_MAX)
)
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_DOCUMENTS = select(MatchRow.id, MatchRow.document, MatchRow.version, MatchRow.updated_at).where(MatchRow.id.in_(_IDS))
_OTHER_NAMES = select(NameRow.name, NameRow.id).where(
    NameRow.subject == Subject.TEAM.value, NameRow.kind == NameKind.SAME.value, NameRow.name.in_(_IDS)
)


class MatchIndex:
    """Every method is one transaction, may be a moment behind, and raises Unavailable without a database."""

    def __init__(self, read: ReplicaReads) -> None:
        self._read = read

    def season(self, competition_id: str, since: int, until: int, now_ms: int) -> list[ListedMatch]:
        """The matches of a competition from one moment (ms) to another, as they begin; none of more than SEASON_MAX."""
        wanted = {"competition": competition_id, "since": moment(since), "until": moment(until), **_now(now_ms)}
        listed = self._read(lambda session: _listed(session.execute(_SEASON, wanted)))
        return listed if len(listed) <= SEASON_MAX else []

    def nearest_start(self, competition_id: str, now_ms: int) -> int | None:
        """When its newest match began (ms), or where none has, when its first will; None where it has no matches."""
        wanted = {"competition": competition_id, "now": moment(now_ms)}

        def read(session: Session) -> int | None:
            start = session.scalar(_NEWEST, wanted) or session.scalar(_NEXT, wanted)
            return ms(start) if start else None

        return self._read(read)

    def competition(self, competition_id: str) -> Competition | None:
        def read(session: Session) -> Competition | None:
            row = session.get(CompetitionRow, competition_id)
            return Competition(row.id, row.name) if row else None

        return self._read(read)

    def team(self, team_id: str, now_ms: int) -> tuple[Team | None, list[str], list[ListedMatch]]:
        """The team, the ids under which its matches are stored, and those that began last and that begin next."""

        def read(session: Session) -> tuple[Team | None, list[str], list[ListedMatch]]:
            ids = stored_team_ids(session, [team_id])
            row = next((row for id_ in ids if (row := session.get(TeamRow, id_))), None)
            values = {_parameter(number): id_ for number, id_ in enumerate(ids)}
            matches = _listed(session.execute(_around(len(ids)), values | _now(now_ms)))
            return Team(row.id, row.name) if row else None, ids, list({match.id: match for match in matches}.values())

        return self._read(read)

    def between(self, team_id: str, other_id: str, now_ms: int) -> tuple[list[str], list[str], list[ListedMatch]]:
        """The ids under which matches of the one and of the other are stored, and those of the two, newest first."""

        def read(session: Session) -> tuple[list[str], list[str], list[ListedMatch]]:
            ids, other_ids = (stored_team_ids(session, [id_]) for id_ in (team_id, other_id))
            return (
                ids,
                other_ids,
                _listed(session.execute(_BETWEEN, {"first": ids, "second": other_ids, **_now(now_ms)})),
            )

        return self._read(read)

    def matches(self, match_ids: Sequence[str]) -> list[Match]:
        """Those of them that are stored and that this release can read, without events."""
        rows = self._read(lambda session: session.execute(_DOCUMENTS, {"ids": match_ids}).all())
        return list(_readable(rows))

    def goals(self, match_ids: Sequence[str]) -> dict[str, list[Event]]:
        """Goals that stand, of any source, by match. Raises Undecodable."""
        rows = self._read(lambda session: standing_goals(session, match_ids))
        goals: dict[str, list[Event]] = {match_id: [] for match_id in match_ids}
        for match_id, document in rows:
            goals[match_id].append(decoded(match_id, partial(decode_event, document)))
        return goals

    def other_names(self, team_ids: Sequence[str]) -> dict[str, str]:
        """Of team ids that are other names: the id that is meant."""
        return self._read(lambda session: dict(session.execute(_OTHER_NAMES, {"ids": team_ids}).all()))


def _now(now_ms: int) -> dict[str, datetime]:
    bounds = {"near_since": now_ms - NEAR_MS, "near_until": now_ms + NEAR_MS}
    return {name: moment(at_ms) for name, at_ms in {"now": now_ms, **bounds}.items()}


def _listed(rows: Iterable[Any]) -> list[ListedMatch]:
    return [ListedMatch(*row) for row in rows]


def _readable(rows: Iterable[Any]) -> Iterable[Match]:
    for row in rows:
        try:
            yield decoded(row.id, partial(decode_match, row.document, row.version, ms(row.updated_at)))
        except Undecodable as error:
            tell(error)


@lru_cache
def _around(count: int) -> Select[Any]:
    """Of a team of so many ids: by side, those that began last and that begin next, each by its index."""
    parts = [
        part.subquery()
        for number in range(count)
        for side in (_HOME, _AWAY)
        for part in _around_side(side, _parameter(number))
    ]
    every = union_all(*(select(part) for part in parts)).subquery()
    return select(every.c.id, every.c.version, every.c.has_begun, every.c.is_near)


def _around_side(side: InstrumentedAttribute[str | None], parameter: str) -> tuple[_ListedQuery, _ListedQuery]:
    of_side = select(*_LISTED).where(side == bindparam(parameter, type_=String))
    past = of_side.where(_STARTED).order_by(MatchRow.listed_at.desc()).limit(PAST_MAX)
    ahead = of_side.where(MatchRow.listed_at > bindparam("now")).order_by(MatchRow.listed_at).limit(AHEAD_MAX)
    return past, ahead


def _parameter(number: int) -> str:
    return f"team_{number}"
