"""The query of a match's followers: whose wishes count, and in which order their devices are sent to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Subquery,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from db.domain import Match, Subject
from db.sql.models import DeviceRow, FollowRow, PlayerFollowRow, UserRow, UserSubscriptionRow
from db.sql.moments import moment

# Users from this id, to below that one; None is no bound.
Ends = tuple[str | None, str | None]

# Players that news names, by id, with the kinds of that news as a mask.
Players = Mapping[str, int]
NOBODY: Players = {}

# Ids between slices of about :size users: two slices at least and :most at most. Ids are random, so followers are
# spread like everybody. A sample of about 10,000 puts each bound within a few percent of its place, in the order of the
# indexes.
BOUNDS = """
WITH share AS (
    SELECT least(100, greatest(0.1, 1000000.0 / greatest(reltuples, 1))) AS percent
    FROM pg_class WHERE oid = 'users'::regclass
), sample AS (
    SELECT id FROM users TABLESAMPLE SYSTEM ((SELECT percent FROM share))
), counted AS (
    SELECT CAST(least(:most, greatest(2, ceil(count(*) * 100 / (SELECT percent FROM share) / :size))) AS int) AS slices
    FROM sample
)
SELECT percentile_disc(ARRAY(SELECT CAST(number AS float) / slices FROM counted, generate_series(1, slices - 1) number))
       WITHIN GROUP (ORDER BY id) FROM sample
"""


@dataclass(frozen=True, slots=True)
class PlanPosition:
    """Where a plan continues: after this activity (ms) and device, in the order of `followers`."""

    active_at: int
    device_id: int


def followers_of(
    match: Match,
    kinds: int,
    after: PlanPosition | None = None,
    ends: Ends = (None, None),
    players: Players = NOBODY,
) -> Select[Any]:
    """Index-only reads of the follows; then each user's devices, and the few who have quiet hours.

    `ends` is said of every table: PostgreSQL does not conclude it from equal user ids, and reads the others whole for
    each slice (of 64: 100 of 175 ms, `make bench-plan`).
    """
    wants, device, user = _wants(match, kinds, ends, players), DeviceRow, UserRow
    quiet_user = and_(user.id == device.user_id, user.quiet_since.is_not(None), *_between(user.id, ends))
    columns = (device.id, wants.c.kinds, user.time_zone, user.quiet_since, user.quiet_until)
    query = (
        select(*columns, cast(device.active_at, Text))
        .join(wants, wants.c.user_id == device.user_id)
        .outerjoin(user, quiet_user)
        .where(device.topics.is_(None), *_between(device.user_id, ends))
        .order_by(device.active_at.desc(), device.id.desc())
    )
    if after is None:
        return query
    return query.where(tuple_(device.active_at, device.id) < tuple_(moment(after.active_at), after.device_id))


def _wants(match: Match, kinds: int, ends: Ends = (None, None), players: Players = NOBODY) -> Subquery:
    """Users and the kinds they want. Players that are named add to the nearest thing that a user follows."""
    if not players:
        return _of_nearest(match, kinds, ends).subquery()
    # Joined, not grouped: PostgreSQL cannot tell how many groups a union has and takes 200 for a million, which costs
    # 11 s of CPU instead of 8. A full join would say the same, and takes SQLite 10 s for 30,000 followers.
    nearest, named = (
        _of_nearest(match, kinds, ends).cte("nearest"),
        _of_players(match, kinds, ends, players).cte("named"),
    )
    is_same = named.c.user_id == nearest.c.user_id
    both = nearest.c.kinds.bitwise_or(func.coalesce(named.c.kinds, 0)).label("kinds")
    return union_all(
        select(nearest.c.user_id, both).select_from(nearest.outerjoin(named, is_same)),
        select(named.c.user_id, named.c.kinds).where(~exists(select(nearest.c.user_id).where(is_same))),
    ).subquery()


def _of_nearest(match: Match, kinds: int, ends: Ends) -> CompoundSelect[Any]:
    """By the nearest thing a user follows: the match, else its teams (of two, what either brings), else its
    competition. A muted one silences what is farther away."""
    own, team, cup = UserSubscriptionRow, aliased(FollowRow), aliased(FollowRow)
    of_match = (own.match_id == match.id, *_between(own.user_id, ends))
    parts = [select(own.user_id, own.kinds).where(*of_match, own.kinds.bitwise_and(kinds) != 0)]
    teams = [side.id for side in (match.home, match.away) if side]
    of_teams = (team.subject == Subject.TEAM.value, team.subject_id.in_(teams), *_between(team.user_id, ends))
    if teams:
        has_own = exists().where(*of_match, own.user_id == team.user_id)
        brought = select(team.user_id, func.bit_or(team.kinds).label("kinds"))
        parts.append(brought.where(*of_teams, team.kinds.bitwise_and(kinds) != 0, ~has_own).group_by(team.user_id))
    if match.competition:
        nearer = [exists().where(*of_match, own.user_id == cup.user_id)]
        if teams:
            nearer.append(exists().where(*of_teams, team.user_id == cup.user_id))
        of_competition = select(cup.user_id, cup.kinds).where(
            cup.subject == Subject.COMPETITION.value,
            cup.subject_id == match.competition.id,
            cup.kinds.bitwise_and(kinds) != 0,
            *(~condition for condition in nearer),
            *_between(cup.user_id, ends),
        )
        parts.append(of_competition)
    return union_all(*parts)


def _of_players(match: Match, kinds: int, ends: Ends, players: Players) -> Select[Any]:
    """Users who follow them, with what the news of each brings, unless they muted the match."""
    fan, own = PlayerFollowRow, UserSubscriptionRow
    wanted = fan.kinds.bitwise_and(case(dict(players), value=fan.player_id))
    is_muted = exists().where(
        own.match_id == match.id, own.user_id == fan.user_id, own.kinds == 0, *_between(own.user_id, ends)
    )
    of_players = select(fan.user_id, func.bit_or(wanted).label("kinds")).where(
        fan.player_id.in_(list(players)), wanted.bitwise_and(kinds) != 0, ~is_muted, *_between(fan.user_id, ends)
    )
    return of_players.group_by(fan.user_id)


def _between(column: ColumnElement[str] | InstrumentedAttribute[str], ends: Ends) -> list[ColumnElement[bool]]:
    least, below = ends
    return [*([column >= least] if least is not None else []), *([column < below] if below is not None else [])]


def count_up_to(match: Match, kinds: int, most: int, players: Players = NOBODY) -> Select[Any]:
    """How many users follow it; no more than `most` are counted."""
    wants = _wants(match, kinds, players=players)
    return select(func.count()).select_from(wants.select().limit(most).subquery())
