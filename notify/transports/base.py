"""The interface every way to a phone has: parcels in, outcomes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from db.domain import Device
from notify.content.message import Message
from notify.transports.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Activity:
    """A Live Activity's own token: updates the one on this phone."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ActivityStart:
    """A push-to-start token: begins a Live Activity, listening to `channel` (iOS 18; leave it out before that)."""

    token: str = field(repr=False)
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """An APNs broadcast channel: every Live Activity that listens, in one request."""

    id: str


@dataclass(frozen=True, slots=True)
class Topic:
    """An FCM topic: every app that subscribed, in one request."""

    name: str


@dataclass(frozen=True, slots=True)
class Condition:
    """An FCM condition over topics, such as `'a' in topics && !('b' in topics)`."""

    expression: str


# A Device is one app on one phone, or one browser.
Address = Device | Activity | ActivityStart | Channel | Topic | Condition


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message for an address. tag is the caller's own, and comes back with the outcome."""

    address: Address
    message: Message
    tag: object = None


class Transport(Protocol):
    name: str

    def send(self, parcels: Iterable[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        """Each parcel's outcome, in the order they become known. Exactly one for each parcel taken.

        Parcels are taken only as fast as the service answers, so they may come from a cursor of millions. Closing the
        iterator gives up what is on its way. Only Later is worth sending again; every parcel is repeated inside, where
        repeating can help, until its message expires.
        """
        ...

    def close(self) -> None: ...
