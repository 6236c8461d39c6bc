"""Who hears of a match: accounts, what they follow, and the devices they are reached by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from db.domain.variant import Payload


class Platform(StrEnum):
    IOS = "ios"
    ANDROID = "android"
    WEB = "web"


class Subject(StrEnum):
    """What can be followed; the words are those of the path."""

    MATCH = "matches"
    TEAM = "teams"
    COMPETITION = "competitions"
    PLAYER = "players"


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours without alerts, in minutes after midnight of the follower's own day; since > until spans midnight."""

    since: int
    until: int

    def holds(self, minute: int) -> bool:
        if self.since <= self.until:
            return self.since <= minute < self.until
        return minute >= self.since or minute < self.until


@dataclass(frozen=True, slots=True)
class Account:
    """time_zone: of the IANA database. locale: BCP 47. spoiler_free: alerts tell neither score nor what happened."""

    id: str
    time_zone: str = "UTC"
    quiet: Quiet | None = None
    spoiler_free: bool = False
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class Follow:
    """kinds: what is wanted, as a mask; 0 mutes. A follow of a match outweighs those of its teams and competition; one
    of a player adds the news that names the player, unless the match is muted."""

    subject: Subject
    id: str
    kinds: int


@dataclass(frozen=True, slots=True)
class Device:
    """An address alerts are sent to.

    token: APNs device token, FCM registration token or installation id, or the app's own name of a Web Push
        subscription.
    kind: of an FCM token, `token` or `fid`.
    environment: of APNs, `production` or `sandbox`.
    locale: BCP 47, None for the account's.
    topics: the variant of FCM topics the app listens to.
    live_activity_token: of iOS 18, the push-to-start token of Live Activities.
    endpoint, p256dh, auth: of a Web Push subscription (base64url, RFC 8291).
    registered_at: ms; a report that one of its tokens died before then is out of date.
    payload: of FCM, whether the system shows the notification or the app builds it.
    """

    platform: Platform
    token: str
    kind: str = "token"
    environment: str = "production"
    locale: str | None = None
    topics: str | None = None
    live_activity_token: str | None = None
    endpoint: str | None = None
    p256dh: str | None = None
    auth: str | None = None
    registered_at: int = 0
    payload: Payload = Payload.NOTIFICATION

    def __repr__(self) -> str:
        """Without its addresses: whoever holds a token can write to the phone, so it appears in no log."""
        return f"Device({self.platform}, {self.environment})"
