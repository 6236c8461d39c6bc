"""Who hears of a match: followers, what they follow, and the devices they are reached by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Platform(StrEnum):
    IOS = "ios"
    ANDROID = "android"
    WEB = "web"


class Subject(StrEnum):
    """What can be followed; the words are those of the path."""

    MATCH = "matches"
    TEAM = "teams"
    COMPETITION = "competitions"


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
class Device:
    """An address a message can be sent to.

    token: APNs device token, FCM registration token or installation id (kind says which), or the endpoint of a
    Web Push subscription, whose keys p256dh and auth (base64url, RFC 8291) stand beside it. environment: of APNs,
    `production` or `sandbox`. locale: BCP 47. registered_at: ms; a word that it is gone from before then is stale.
    """

    id: int
    platform: Platform
    token: str
    kind: str = "token"
    environment: str = "production"
    locale: str = "en"
    spoiler_free: bool = False
    p256dh: str | None = None
    auth: str | None = None
    registered_at: int = 0

    def __repr__(self) -> str:
        """Without its address: whoever holds a token can write to the phone, so it appears in no log."""
        return f"Device({self.id}, {self.platform})"
