"""Accounts in SQL: settings, devices and follows."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.domain import (
    VARIANTS,
    Account,
    Device,
    Follow,
    Platform,
    Quiet,
    Subject,
    Variant,
    fits,
)
from db.domain.errors import Refused
from db.sql import follows
from db.sql.devices import IS_READABLE, device_of
from db.sql.models import DeviceRow, PlayerFollowRow, UserRow
from db.sql.moments import moment
from db.sql.session import begin

# More than any fan needs; bounded because each follow is a row in every plan.
FOLLOWS_MAX = 500
# A phone, a tablet, a watch, a browser or two, and some that were not signed out. The oldest is dropped.
DEVICES_MAX = 10
# Resolution of "recently active": one write per user and day.
ACTIVE_EVERY = timedelta(days=1)
# An app registers its device at each start. FCM takes a token of an app that was not opened for so long as expired
# ("Best practices for FCM registration token management"), and so do we for all services, of accounts that are used.
STALE_AFTER = timedelta(days=270)
_SPOILER_FREE = [variant for variant in VARIANTS if Variant.parse(variant).spoiler_free]


@dataclass(frozen=True, slots=True)
class Profile:
    account: Account
    devices: tuple[Device, ...]
    follows: tuple[Follow, ...]


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Accounts:
    """Every method is one transaction and raises Unavailable without a database. Each statement names the user it is
    for, so a user reaches only their own rows."""

    def __init__(self, bind: Engine) -> None:
        self.engine = bind

    def create(self, *, now_ms: int) -> tuple[str, str]:
        """A new anonymous account: its id and its bearer token of 256 random bits, which is not stored."""
        user_id, token = f"u-{secrets.token_urlsafe(12)}", secrets.token_urlsafe(32)
        with begin(self.engine) as session:
            session.add(_new(Account(user_id), digest_of(token), moment(now_ms)))
        return user_id, token

    def by_token(self, token: str, *, now_ms: int) -> Account | None:
        """Looked up by digest, so that timing reveals nothing about stored tokens."""
        with begin(self.engine) as session:
            row = session.scalar(select(UserRow).where(UserRow.token_digest == digest_of(token)))
            return _seen(session, row, moment(now_ms)) if row else None

    def by_subject(self, issuer: str, subject: str, *, now_ms: int) -> Account:
        """The account of a user of another token issuer, created at the first visit."""
        user_id, now = "x-" + digest_of(f"{issuer}\0{subject}")[:32], moment(now_ms)
        with begin(self.engine) as session:
            if row := session.get(UserRow, user_id):
                return _seen(session, row, now)
        with suppress(IntegrityError), begin(self.engine) as session:
            # Of two first visits at once, the other created it.
            session.add(_new(Account(user_id), None, now))
        return Account(user_id)

    def profile(self, user_id: str) -> Profile:
        with begin(self.engine) as session:
            row = session.get(UserRow, user_id)
            if row is None:
                raise _deleted()
            readable = select(DeviceRow).where(DeviceRow.user_id == user_id, IS_READABLE)
            devices = session.scalars(readable.order_by(DeviceRow.id))
            return Profile(_account(row), tuple(map(device_of, devices)), tuple(follows.of_user(session, user_id)))

    def change(self, user_id: str, changes: Mapping[str, Any]) -> None:
        """Change the named fields of Account and no others, so that two changes at once both hold.

        Devices whose topics do not fit the new settings are sent to one by one from now on: topics have no quiet hours,
        and a variant is either spoiler-free or not.
        """
        with begin(self.engine) as session:
            row = session.scalar(select(UserRow).where(UserRow.id == user_id).with_for_update())
            if row is None:
                raise _deleted()
            account = replace(_account(row), **changes)
            quiet = account.quiet
            row.time_zone, row.spoiler_free, row.locale = account.time_zone, account.spoiler_free, account.locale
            row.quiet_since, row.quiet_until = (quiet.since, quiet.until) if quiet else (None, None)
            lost = update(DeviceRow).where(DeviceRow.user_id == account.id, DeviceRow.topics.is_not(None))
            if quiet is None:
                calm = DeviceRow.topics.in_(_SPOILER_FREE)
                lost = lost.where(~calm if account.spoiler_free else calm)
            session.execute(lost.values(topics=None))

    def rotate_token(self, user_id: str) -> str:
        """A new bearer token; the old one is void at once. Raises Refused for a user of another issuer."""
        token = secrets.token_urlsafe(32)
        rotated = update(UserRow).where(UserRow.id == user_id, UserRow.token_digest.is_not(None))
        with begin(self.engine) as session:
            result = session.execute(rotated.values(token_digest=digest_of(token)))
            if result.rowcount == 0:  # type: ignore[attr-defined]
                raise Refused("The tokens of this account are those of its issuer.", "bad_request")
        return token

    def expire(self, *, before_ms: int, limit: int) -> int:
        """Delete accounts that no app has used since then, with all that is theirs; returns how many."""
        stale = select(UserRow.id).where(UserRow.active_at < moment(before_ms)).limit(limit)
        with begin(self.engine) as session:
            user_ids = session.scalars(stale).all()
            session.execute(delete(UserRow).where(UserRow.id.in_(user_ids), UserRow.active_at < moment(before_ms)))
        return len(user_ids)

    def delete(self, user_id: str) -> None:
        """Everything of the user; other tables follow by ON DELETE CASCADE."""
        with begin(self.engine) as session:
            session.execute(delete(UserRow).where(UserRow.id == user_id))

    # Devices.

    def add_device(self, user_id: str, device: Device, *, now_ms: int) -> None:
        """Register an address. One of another user moves here: the phone changed hands. Topics that do not fit the
        user's settings are dropped, as in `change`."""
        try:
            self._add_device(user_id, device, now_ms)
        except IntegrityError:
            # Two accounts register one address at once: the other row exists now and is replaced.
            self._add_device(user_id, device, now_ms)

    def _add_device(self, user_id: str, device: Device, now_ms: int) -> None:
        digest = _digest(device)
        with begin(self.engine) as session:
            _lock(session, user_id, moment(now_ms))
            row = session.scalar(select(DeviceRow).where(DeviceRow.digest == digest, DeviceRow.user_id == user_id))
            kept_id = row.id if row else None
            same = (DeviceRow.digest == digest) | _named(user_id, device)
            session.execute(delete(DeviceRow).where(same, DeviceRow.id.is_distinct_from(kept_id)))
            if device.live_activity_token:
                # A phone with a new device token or owner must start a Live Activity only once.
                same_token = DeviceRow.live_activity_token == device.live_activity_token
                others = update(DeviceRow).where(same_token, DeviceRow.id.is_distinct_from(kept_id))
                session.execute(others.values(live_activity_token=None))
            row = row or DeviceRow(user_id=user_id, digest=digest)
            if device.topics and not _fits(session, user_id, device.topics):
                device = replace(device, topics=None)
            _write(row, device, moment(now_ms))
            session.add(row)
            session.flush()
            newest = (
                select(DeviceRow.id)
                .where(DeviceRow.user_id == user_id)
                .order_by(DeviceRow.registered_at.desc(), DeviceRow.id.desc())
            )
            kept = session.scalars(newest.limit(DEVICES_MAX)).all()
            session.execute(delete(DeviceRow).where(DeviceRow.user_id == user_id, DeviceRow.id.not_in(kept)))

    def remove_device(self, user_id: str, platform: Platform, token: str) -> None:
        with begin(self.engine) as session:
            session.execute(delete(DeviceRow).where(_named(user_id, Device(platform, token))))

    # Follows.

    def follow(self, user_id: str, follow: Follow, *, now_ms: int) -> None:
        """Raises Refused `limit_reached` for one follow too many.

        Whoever follows a player is sent to one by one from now on, for no topic tells of players.
        """
        with begin(self.engine) as session:
            _lock(session, user_id, moment(now_ms))
            existing = follows.find(session, user_id, follow)
            if existing is None and follows.count(session, user_id) >= FOLLOWS_MAX:
                raise Refused(f"At most {FOLLOWS_MAX} follows are allowed; remove one first.", "limit_reached")
            row = existing or follows.row_of(user_id, follow)
            row.kinds, row.notification_prefs = follow.kinds, follows.prefs_of(follow.kinds)
            session.add(row)
            if follow.subject is Subject.PLAYER:
                session.execute(update(DeviceRow).where(DeviceRow.user_id == user_id).values(topics=None))

    def unfollow(self, user_id: str, subject: Subject, subject_id: str) -> None:
        with begin(self.engine) as session:
            row = follows.find(session, user_id, Follow(subject, subject_id, 0))
            if row:
                session.delete(row)


def _lock(session: Session, user_id: str, now: datetime) -> None:
    """Serialise the requests of one user, so that limits hold; and mark the user as active."""
    result = session.execute(update(UserRow).where(UserRow.id == user_id).values(active_at=now))
    if not result.rowcount:  # type: ignore[attr-defined]
        raise _deleted()


def _deleted() -> Refused:
    return Refused("This account has been deleted.", "unauthorized")


def _seen(session: Session, row: UserRow, now: datetime) -> Account:
    """Once a day: the user is active, and devices without a sign of life go."""
    if now - row.active_at >= ACTIVE_EVERY:
        row.active_at = now
        session.execute(update(DeviceRow).where(DeviceRow.user_id == row.id).values(active_at=now))
        stale = DeviceRow.registered_at < now - STALE_AFTER
        session.execute(delete(DeviceRow).where(DeviceRow.user_id == row.id, stale))
    return _account(row)


def _new(account: Account, token_digest: str | None, now: datetime) -> UserRow:
    return UserRow(
        id=account.id,
        token_digest=token_digest,
        time_zone=account.time_zone,
        spoiler_free=account.spoiler_free,
        locale=account.locale,
        created_at=now,
        active_at=now,
    )


def _account(row: UserRow) -> Account:
    quiet = None
    if row.quiet_since is not None and row.quiet_until is not None:
        quiet = Quiet(row.quiet_since, row.quiet_until)
    return Account(row.id, row.time_zone, quiet, row.spoiler_free, row.locale)


def _fits(session: Session, user_id: str, variant: str) -> bool:
    """Whether topics of a variant serve the user."""
    has_player = session.scalar(select(exists().where(PlayerFollowRow.user_id == user_id)))
    return not has_player and fits(variant, _account(session.get_one(UserRow, user_id)))


def _named(user_id: str, device: Device) -> Any:
    mine = DeviceRow.user_id == user_id
    return mine & (DeviceRow.platform == device.platform.value) & (DeviceRow.token == device.token)


def _digest(device: Device) -> str:
    return digest_of(f"{device.platform}\0{device.environment}\0{device.endpoint or device.token}")


def _write(row: DeviceRow, device: Device, now: datetime) -> None:
    row.platform, row.token, row.kind = device.platform.value, device.token, device.kind
    row.endpoint, row.p256dh, row.auth = device.endpoint, device.p256dh, device.auth
    row.environment, row.locale, row.topics = device.environment, device.locale, device.topics
    row.live_activity_token, row.payload = device.live_activity_token, device.payload.value
    row.registered_at = row.active_at = now
