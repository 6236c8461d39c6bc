"""The SQL tables. Rows stay inside db/: what leaves it is a domain type.

matches, match_scores, match_events and user_subscriptions carry the columns the product was asked for by name; what
stands beside them serves versions, filters and the way back from history to live state.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Integer, LargeBinary, String, Text, TypeDecorator, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import JSON


class UtcDateTime(TypeDecorator[datetime]):
    """An instant, always in UTC. SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


Id = String(64)
# Of match_events: goals that stand, for tables of scorers. A partial index serves only a query that says the very same.
STANDING_GOALS = "event_type IN ('goal', 'own_goal', 'penalty_goal') AND NOT voided"


class Base(DeclarativeBase):
    pass


class TeamRow(Base):
    """folded: the name in plain lower-case letters, for search."""

    __tablename__ = "teams"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    folded: Mapped[str] = mapped_column(String(400), index=True)


class CompetitionRow(Base):
    __tablename__ = "competitions"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    folded: Mapped[str] = mapped_column(String(400), index=True)


class MatchRow(Base):
    """listed_at: the start, or the first news of a match without one; lists are ordered by it. document: the whole
    match as `codec` writes it, from which live state is rebuilt."""

    __tablename__ = "matches"
    __table_args__ = (
        Index("ix_matches_listed", "listed_at", "id"),
        Index("ix_matches_competition_listed", "competition_id", "listed_at"),
        Index("ix_matches_home_listed", "home_team_id", "listed_at"),
        Index("ix_matches_away_listed", "away_team_id", "listed_at"),
        Index("ix_matches_phase_listed", "phase", "listed_at"),
        Index("ix_matches_status_listed", "status", "listed_at", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    home_team: Mapped[str | None] = mapped_column(String(200))
    away_team: Mapped[str | None] = mapped_column(String(200))
    start_time: Mapped[datetime | None] = mapped_column(UtcDateTime)
    competition: Mapped[str | None] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(32))
    venue: Mapped[str | None] = mapped_column(String(200))
    home_team_id: Mapped[str | None] = mapped_column(Id)
    away_team_id: Mapped[str | None] = mapped_column(Id)
    competition_id: Mapped[str | None] = mapped_column(Id)
    phase: Mapped[str] = mapped_column(String(16))
    listed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    document: Mapped[str] = mapped_column(Text)
    # What was told of it, from which live state goes on; read by nobody else, so it is loaded only when asked for.
    ledgers: Mapped[str | None] = mapped_column(Text, deferred=True)


class MatchScoreRow(Base):
    """One row per version in which the score or the status changed. On PostgreSQL in partitions (db.sql.months)."""

    __tablename__ = "match_scores"

    match_id: Mapped[str] = mapped_column(ForeignKey("matches.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    home_score: Mapped[int | None]
    away_score: Mapped[int | None]
    minute: Mapped[int | None]
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    added_minute: Mapped[int | None]
    home_kicks: Mapped[int | None]
    away_kicks: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(32))


class MatchEventRow(Base):
    """One row per event, voided ones included. Ids are the provider's, so they are unique only within a match.

    On PostgreSQL only what is before the months (db.sql.months), of `match_event_versions` (db.sql.timelines)."""

    __tablename__ = "match_events"
    # A match may have two thousand events, and three of them are goals.
    __table_args__ = (
        Index(
            "ix_match_events_goals",
            "match_id",
            postgresql_where=text(STANDING_GOALS),
            sqlite_where=text(STANDING_GOALS),
        ),
    )

    match_id: Mapped[str] = mapped_column(ForeignKey("matches.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    event_type: Mapped[str] = mapped_column(String(64))
    minute: Mapped[int | None]
    player: Mapped[str | None] = mapped_column(String(200))
    team: Mapped[str | None] = mapped_column(String(8))
    detail: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    voided: Mapped[bool]
    version: Mapped[int] = mapped_column(BigInteger)
    document: Mapped[str] = mapped_column(Text)


class DocumentRow(Base):
    """Line-ups or statistics of a match, as one source tells them. kind: of db.domain.documents. at: its stamp."""

    __tablename__ = "match_documents"

    match_id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    source: Mapped[str] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(BigInteger)
    document: Mapped[str] = mapped_column(Text)


class NameRow(Base):
    """Another name of a match or team. subject: `matches` or `teams`. kind: `same`, what is told under the name is told
    of the thing; or `replaced`, of a match that continues as another. merged_at: when what was known under the name was
    joined to the thing; None until then, and for `replaced`."""

    __tablename__ = "names"
    __table_args__ = (Index("ix_names_id", "subject", "id"),)

    subject: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    merged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UserRow(Base):
    """A follower. token_digest: SHA-256 of the bearer token, in hex, which is kept nowhere; None for users whose tokens
    another issuer signs. quiet_since, quiet_until: minutes after midnight in time_zone."""

    __tablename__ = "users"
    # By their last visit, for a clock that asks each minute whom no app has used: 2 ms instead of 0.3 s of two million.
    # And the few with quiet hours, for a planner that asks of a million whether they have any.
    __table_args__ = (
        Index("ix_users_active", "active_at"),
        Index(
            "ix_users_quiet",
            "id",
            "time_zone",
            "quiet_since",
            "quiet_until",
            postgresql_where=text("quiet_since IS NOT NULL"),
            sqlite_where=text("quiet_since IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    token_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    time_zone: Mapped[str] = mapped_column(String(64))
    quiet_since: Mapped[int | None]
    quiet_until: Mapped[int | None]
    spoiler_free: Mapped[bool]
    locale: Mapped[str] = mapped_column(String(35))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    active_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DeviceRow(Base):
    """One address of one user. digest names the address (platform, environment, token or endpoint): a phone that is
    handed on moves to its new user. topics: the variant of FCM topics the app has said it listens to; such a device is
    not written to one by one. live_activity_token: one phone's, so one row's at most. active_at: its user's, kept here
    because devices are planned in that order. payload: of FCM, who shows the notification."""

    __tablename__ = "devices"
    __table_args__ = (
        Index("ix_devices_user", "user_id", "id"),
        Index("ix_devices_topics", "topics"),
        Index(
            "ix_devices_sandbox",
            "id",
            postgresql_where=text("environment = 'sandbox'"),
            sqlite_where=text("environment = 'sandbox'"),
        ),
        Index(
            "ix_devices_live_activity",
            "live_activity_token",
            unique=True,
            postgresql_where=text("live_activity_token IS NOT NULL"),
            sqlite_where=text("live_activity_token IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    platform: Mapped[str] = mapped_column(String(8))
    token: Mapped[str] = mapped_column(Text)
    endpoint: Mapped[str | None] = mapped_column(Text)
    p256dh: Mapped[str | None] = mapped_column(String(128))
    auth: Mapped[str | None] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(8))
    environment: Mapped[str] = mapped_column(String(16))
    locale: Mapped[str | None] = mapped_column(String(35))
    topics: Mapped[str | None] = mapped_column(String(16))
    live_activity_token: Mapped[str | None] = mapped_column(String(400))
    registered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    active_at: Mapped[datetime] = mapped_column(UtcDateTime)
    payload: Mapped[str] = mapped_column(String(16), server_default="notification")


class UserSubscriptionRow(Base):
    """Who follows a match, and what of it they want to hear; it outweighs what they said of its teams. kinds: the same
    as a mask (domain.notice.BITS), 0 for a muted match. The index answers a planner without the table."""

    __tablename__ = "user_subscriptions"
    __table_args__ = (Index("ix_user_subscriptions_match", "match_id", "user_id", "kinds"),)

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    match_id: Mapped[str] = mapped_column(Id, primary_key=True)
    notification_prefs: Mapped[dict[str, Any]] = mapped_column(JSON)
    kinds: Mapped[int]


class FollowRow(Base):
    """Who follows a team or a competition. subject is `teams` or `competitions`."""

    __tablename__ = "follows"
    __table_args__ = (Index("ix_follows_subject", "subject", "subject_id", "user_id", "kinds"),)

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    subject: Mapped[str] = mapped_column(String(16), primary_key=True)
    subject_id: Mapped[str] = mapped_column(Id, primary_key=True)
    notification_prefs: Mapped[dict[str, Any]] = mapped_column(JSON)
    kinds: Mapped[int]


class PlayerFollowRow(Base):
    """Who follows a player. The index answers a planner without the table."""

    __tablename__ = "player_follows"
    __table_args__ = (Index("ix_player_follows_player", "player_id", "user_id", "kinds"),)

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    player_id: Mapped[str] = mapped_column(Id, primary_key=True)
    notification_prefs: Mapped[dict[str, Any]] = mapped_column(JSON)
    kinds: Mapped[int]


class ChannelRow(Base):
    """An APNs broadcast channel of a match, in one environment, from its creation until it is deleted at Apple."""

    __tablename__ = "push_channels"

    match_id: Mapped[str] = mapped_column(Id, primary_key=True)
    environment: Mapped[str] = mapped_column(String(16), primary_key=True)
    channel_id: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class RefusedRow(Base):
    """A payload an ingest endpoint refused, with the reason, until someone has looked at it."""

    __tablename__ = "refused_payloads"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    provider: Mapped[str] = mapped_column(String(32))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    code: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(Text)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    replayed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
