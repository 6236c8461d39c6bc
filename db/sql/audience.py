"""The devices of a match's followers, in the order they are sent to; dead addresses; broadcast channels."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    CTE,
    Engine,
    Select,
    Subquery,
    Text,
    and_,
    cast,
    column,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    tuple_,
    union_all,
    update,
    values,
)

from db.domain import Device, Match, Platform, Subject
from db.sql.models import ChannelRow, DeviceRow, FollowRow, UserRow, UserSubscriptionRow
from db.sql.session import begin, stream

# Memory PostgreSQL may use to join and sort a million rows without temporary files, for this transaction. JIT
# compilation takes longer than it saves.
FOR_MANY = ("SET LOCAL work_mem = '64MB'", "SET LOCAL jit = off")


NEVER = datetime.max.replace(tzinfo=UTC)
# The session holds no loaded row that a deletion would have to update.
_UNSEEN = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class PlanPosition:
    """Where a plan continues: after this activity (ms) and device, in the order of `followers`."""

    active_at: int
    device_id: int


# A row: device, kinds its user wants (a mask), the user's time zone and quiet hours (all None without), and when it was
# last active, as text: a million of them are not parsed where one in a thousand is needed.
Follower = tuple[int, int, str | None, int | None, int | None, str]


@dataclass(frozen=True, slots=True)
class Recipient:
    """An address with what decides its message.

    id: of the device.
    locale: its own, else its user's.
    spoiler_free, time_zone: its user's.
    quiet_since, quiet_until: quiet hours, minutes after midnight; None without.
    """

    id: int
    device: Device
    locale: str
    spoiler_free: bool
    time_zone: str
    quiet_since: int | None
    quiet_until: int | None


@dataclass(frozen=True, slots=True)
class DeadAddress:
    """An address that a service reports as gone.

    since_ms: since when; None if the service does not say.
    live_activity_token: set if that token is dead and not the device.
    """

    device_id: int
    since_ms: int | None
    live_activity_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class BroadcastChannel:
    match_id: str
    environment: str
    id: str


class Audience:
    """Every method raises Unavailable without a database."""

    def __init__(self, bind: Engine) -> None:
        self.engine = bind

    def followers(
        self, match: Match, kinds: int, size: int, after: PlanPosition | None = None
    ) -> Iterator[tuple[Sequence[Follower], PlanPosition]]:
        """Devices to send to one by one for news of these kinds, most recently active first, each once: pages of
        `size`, each with the position after it.

        Preferences for the match override those for its teams and its competition. Devices that listen to topics are
        left out. Only one page is in memory at a time.
        """
        with begin(self.engine) as session:
            if session.get_bind().dialect.name == "postgresql":
                for setting in FOR_MANY:
                    session.execute(text(setting))
            for page in stream(session, _followers(match, kinds, after), size):
                last = page[-1]
                yield page, PlanPosition(_ms(datetime.fromisoformat(last[5])), last[0])

    def devices(self, ids: Collection[int]) -> list[Recipient]:
        """Those of these addresses that still exist."""
        user = UserRow
        query = (
            select(DeviceRow, user.locale, user.spoiler_free, user.time_zone, user.quiet_since, user.quiet_until)
            .join(user, user.id == DeviceRow.user_id)
            .where(DeviceRow.id.in_(ids))
        )
        with begin(self.engine) as session:
            return [
                Recipient(row.id, _device(row), row.locale or locale, spoiler_free, zone, since, until)
                for row, locale, spoiler_free, zone, since, until in session.execute(query)
            ]

    def of_user(self, user_id: str) -> list[Recipient]:
        with begin(self.engine) as session:
            ids = session.scalars(select(DeviceRow.id).where(DeviceRow.user_id == user_id)).all()
        return self.devices(ids)

    def forget(self, dead: Sequence[DeadAddress]) -> int:
        """Delete dead addresses, except those registered again since they died; returns how many were deleted. A device
        with a dead Live Activity token stays, without the token."""
        if not dead:
            return 0
        listed = _listed(dead)
        died = select(DeviceRow.id).join(listed, listed.c.id == DeviceRow.id)
        died = died.where(DeviceRow.registered_at <= listed.c.since)
        devices = delete(DeviceRow).where(DeviceRow.id.in_(died.where(listed.c.start.is_(None))))
        starts = died.where(listed.c.start == DeviceRow.live_activity_token)
        ends = update(DeviceRow).where(DeviceRow.id.in_(starts)).values(live_activity_token=None)
        statements = [devices, ends] if any(address.live_activity_token for address in dead) else [devices]
        with begin(self.engine) as session:
            # Counted by returned ids: sqlite3 has no row count for a statement that begins with WITH.
            return sum(
                len(session.scalars(statement.returning(DeviceRow.id), execution_options=_UNSEEN).all())
                for statement in statements
            )

    def variants(self, candidates: Sequence[str]) -> list[str]:
        """Those topic variants that some device listens to."""
        with begin(self.engine) as session:
            return [name for name in candidates if session.scalar(select(exists().where(DeviceRow.topics == name)))]

    def environments(self) -> list[str]:
        """APNs environments in use; `sandbox` only if some device needs it."""
        sandbox = exists().where(DeviceRow.environment == "sandbox")
        with begin(self.engine) as session:
            return ["production", *(["sandbox"] if session.scalar(select(sandbox)) else [])]

    def wanted(self, match: Match, kinds: int) -> bool:
        """Whether anybody follows the match for these kinds at all."""
        with begin(self.engine) as session:
            return session.execute(_followers(match, kinds, None).order_by(None).limit(1)).first() is not None

    # Broadcast channels.

    def channels(self, match_ids: Collection[str]) -> list[BroadcastChannel]:
        if not match_ids:
            return []
        with begin(self.engine) as session:
            rows = session.scalars(select(ChannelRow).where(ChannelRow.match_id.in_(match_ids)))
            return [BroadcastChannel(row.match_id, row.environment, row.channel_id) for row in rows]

    def channel_ids(self, environment: str) -> set[str]:
        with begin(self.engine) as session:
            return set(session.scalars(select(ChannelRow.channel_id).where(ChannelRow.environment == environment)))

    def channels_before(self, before_ms: int) -> list[BroadcastChannel]:
        with begin(self.engine) as session:
            rows = session.scalars(select(ChannelRow).where(ChannelRow.created_at < _moment(before_ms)))
            return [BroadcastChannel(row.match_id, row.environment, row.channel_id) for row in rows]

    def keep_channel(self, channel: BroadcastChannel, *, now_ms: int) -> None:
        with begin(self.engine) as session:
            session.merge(
                ChannelRow(
                    match_id=channel.match_id,
                    environment=channel.environment,
                    channel_id=channel.id,
                    created_at=_moment(now_ms),
                )
            )

    def drop_channel(self, channel: BroadcastChannel) -> None:
        with begin(self.engine) as session:
            session.execute(
                delete(ChannelRow).where(
                    ChannelRow.match_id == channel.match_id, ChannelRow.environment == channel.environment
                )
            )


def _listed(dead: Sequence[DeadAddress]) -> CTE:
    """As rows of a query. Whoever died at no known time did so after any registration."""
    columns = (
        column("id", DeviceRow.id.type),
        column("since", DeviceRow.registered_at.type),
        column("start", DeviceRow.live_activity_token.type),
    )
    rows = [
        (
            address.device_id,
            NEVER if address.since_ms is None else _moment(address.since_ms),
            address.live_activity_token,
        )
        for address in dead
    ]
    return values(*columns, name="dead").data(rows).cte("dead")


def _followers(match: Match, kinds: int, after: PlanPosition | None) -> Select[Any]:
    """Two index-only reads: followers of the match, and followers of its teams or competition who have no preference
    for the match itself; then each user's devices, and the few who have quiet hours."""
    wants, device, user = _wants(match, kinds), DeviceRow, UserRow
    columns = (device.id, wants.c.kinds, user.time_zone, user.quiet_since, user.quiet_until)
    query = (
        select(*columns, cast(device.active_at, Text))
        .join(wants, wants.c.user_id == device.user_id)
        .outerjoin(user, and_(user.id == device.user_id, user.quiet_since.is_not(None)))
        .where(device.topics.is_(None))
        .order_by(device.active_at.desc(), device.id.desc())
    )
    if after is None:
        return query
    return query.where(tuple_(device.active_at, device.id) < tuple_(_moment(after.active_at), after.device_id))


def _wants(match: Match, kinds: int) -> Subquery:
    own = UserSubscriptionRow
    of_match = select(own.user_id, own.kinds).where(own.match_id == match.id, own.kinds.bitwise_and(kinds) != 0)
    followed = [(Subject.TEAM, team.id) for team in (match.home, match.away) if team]
    followed += [(Subject.COMPETITION, match.competition.id)] if match.competition else []
    if not followed:
        return of_match.subquery()
    subjects = or_(*(and_(FollowRow.subject == kind.value, FollowRow.subject_id == name) for kind, name in followed))
    overruled = exists().where(own.match_id == match.id, own.user_id == FollowRow.user_id)
    of_others = (
        select(FollowRow.user_id, func.bit_or(FollowRow.kinds).label("kinds"))
        .where(subjects, FollowRow.kinds.bitwise_and(kinds) != 0, ~overruled)
        .group_by(FollowRow.user_id)
    )
    return union_all(of_match, of_others).subquery()


def _device(row: DeviceRow) -> Device:
    return Device(
        platform=Platform(row.platform),
        token=row.token,
        kind=row.kind,
        environment=row.environment,
        locale=row.locale,
        topics=row.topics,
        live_activity_token=row.live_activity_token,
        endpoint=row.endpoint,
        p256dh=row.p256dh,
        auth=row.auth,
        registered_at=_ms(row.registered_at),
    )


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _ms(moment: datetime) -> int:
    """Of an instant in UTC; SQLite keeps no zone."""
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
