"""The devices of a match's followers, in the order they are sent to; dead addresses; broadcast channels."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    CTE,
    Engine,
    column,
    delete,
    exists,
    select,
    text,
    update,
    values,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.domain import Device, Match
from db.sql.devices import IS_READABLE, device_from
from db.sql.followers import BOUNDS, NOBODY, Ends, PlanPosition, Players, count_up_to, followers_of
from db.sql.models import ChannelRow, DeviceRow, PlayerFollowRow, UserRow
from db.sql.moments import moment, ms
from db.sql.session import begin, stream

# Memory PostgreSQL may use to join and sort a million rows without temporary files, for this transaction. JIT
# compilation takes longer than it saves.
FOR_MANY = ("SET LOCAL work_mem = '64MB'", "SET LOCAL jit = off")


NEVER = datetime.max.replace(tzinfo=UTC)
# The session holds no loaded row that a deletion would have to update.
_UNSEEN = {"synchronize_session": False}


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
        self,
        match: Match,
        kinds: int,
        size: int,
        after: PlanPosition | None = None,
        ends: Ends = (None, None),
        players: Players = NOBODY,
    ) -> Iterator[tuple[Sequence[Follower], PlanPosition]]:
        """Devices to send to one by one for news of these kinds, most recently active first, each once: pages of
        `size`, each with the position after it.

        ends: only users of these ids. players: also those who follow one of these, for the kinds of news they are in.

        Preferences for the match override those for its teams, and those override the competition's. Devices that
        listen to topics are left out. Only one page is in memory at a time.
        """
        with begin(self.engine) as session:
            if _is_postgresql(session):
                for setting in FOR_MANY:
                    session.execute(text(setting))
            for page in stream(session, followers_of(match, kinds, after, ends, players), size):
                last = page[-1]
                yield page, PlanPosition(ms(datetime.fromisoformat(last[5])), last[0])

    def followed(self, players: Players) -> Players:
        """Those of these players that somebody follows: to look for the others would cost each plan."""
        if not players:
            return NOBODY
        found = select(PlayerFollowRow.player_id).where(PlayerFollowRow.player_id.in_(list(players))).distinct()
        with begin(self.engine) as session:
            return {player_id: players[player_id] for player_id in session.scalars(found)}

    def bounds(self, match: Match, kinds: int, *, above: int, most: int, players: Players = NOBODY) -> list[str]:
        """User ids that divide the users into slices of about `above`, at most so many, if more than `above` follow
        the match for these kinds; else none. Only of PostgreSQL: SQLite serves one machine."""
        with begin(self.engine) as session:
            if not _is_postgresql(session):
                return []
            if (session.scalar(count_up_to(match, kinds, above + 1, players)) or 0) <= above:
                return []
            return list(dict.fromkeys(session.scalar(text(BOUNDS), {"size": above, "most": most}) or ()))

    def devices(self, ids: Collection[int]) -> list[Recipient]:
        """Those of these addresses that still exist, and that this release can read."""
        user = UserRow
        query = (
            select(*_DEVICE, user.locale, user.spoiler_free, user.time_zone, user.quiet_since, user.quiet_until)
            .join(user, user.id == DeviceRow.user_id)
            .where(DeviceRow.id.in_(ids), IS_READABLE)
        )
        with begin(self.engine) as session:
            return [_recipient(row) for row in session.execute(query)]

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
        listened = [exists().where(DeviceRow.topics == name) for name in candidates]
        with begin(self.engine) as session:
            row = session.execute(select(*listened)).one()
        return [name for name, is_listened in zip(candidates, row, strict=True) if is_listened]

    def environments(self) -> list[str]:
        """APNs environments in use; `sandbox` only if some device needs it."""
        sandbox = exists().where(DeviceRow.environment == "sandbox")
        with begin(self.engine) as session:
            return ["production", *(["sandbox"] if session.scalar(select(sandbox)) else [])]

    def wanted(self, match: Match, kinds: int) -> bool:
        """Whether anybody follows the match for these kinds at all."""
        with begin(self.engine) as session:
            return session.execute(followers_of(match, kinds).order_by(None).limit(1)).first() is not None

    def count(self, match: Match, kinds: int, most: int) -> int:
        """How many users follow the match for these kinds; no more than `most` are counted."""
        with begin(self.engine) as session:
            return session.scalar(count_up_to(match, kinds, most)) or 0

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
            rows = session.scalars(select(ChannelRow).where(ChannelRow.created_at < moment(before_ms)))
            return [BroadcastChannel(row.match_id, row.environment, row.channel_id) for row in rows]

    def keep_channel(self, channel: BroadcastChannel, *, now_ms: int) -> bool:
        """False if the match has one in this environment already: the channel given is one too many."""
        row = ChannelRow(
            match_id=channel.match_id,
            environment=channel.environment,
            channel_id=channel.id,
            created_at=moment(now_ms),
        )
        try:
            with begin(self.engine) as session:
                session.add(row)
        except IntegrityError:
            return False
        return True

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
            NEVER if address.since_ms is None else moment(address.since_ms),
            address.live_activity_token,
        )
        for address in dead
    ]
    return values(*columns, name="dead").data(rows).cte("dead")


# Columns of a device: a million objects of the ORM cost three times as much.
_DEVICE = (
    DeviceRow.id,
    DeviceRow.platform,
    DeviceRow.token,
    DeviceRow.kind,
    DeviceRow.environment,
    DeviceRow.locale.label("own_locale"),
    DeviceRow.topics,
    DeviceRow.live_activity_token,
    DeviceRow.endpoint,
    DeviceRow.p256dh,
    DeviceRow.auth,
    DeviceRow.registered_at,
    DeviceRow.payload,
)


def _recipient(row: Any) -> Recipient:
    device = device_from(row, row.own_locale)
    locale = row.own_locale or row.locale
    return Recipient(row.id, device, locale, row.spoiler_free, row.time_zone, row.quiet_since, row.quiet_until)


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
