"""The interface of every way to a phone: envelopes in, outcomes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from db.domain import Device
from notify.content.message import Message
from notify.transports.outcome import Outcome


@dataclass(frozen=True, slots=True)
class ActivityStart:
    """A push-to-start token: starts a Live Activity that listens to `channel` (iOS 18; None before that)."""

    token: str = field(repr=False)
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """An APNs broadcast channel: every Live Activity that listens to it, in one request."""

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
Address = Device | ActivityStart | Channel | Topic | Condition


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message for an address. tag: the caller's own, handed back with the outcome."""

    address: Address
    message: Message
    tag: object = None


class Transport(Protocol):
    name: str

    def send(self, envelopes: Iterable[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        """Exactly one outcome for each envelope taken, in the order they become known.

        Envelopes are taken only as fast as the service answers, so they may come from a cursor of millions. Every one
        is repeated inside, where that can help, until its message expires; only Later is worth sending again. A repeat
        after a try of unknown fate is passive, and topics and conditions are never repeated then. Closing the iterator
        abandons what is in flight.
        """
        ...

    def close(self) -> None: ...


@runtime_checkable
class Checkable(Protocol):
    """A transport whose connection can be checked before a push needs it."""

    def check(self) -> bool:
        """Whether the service answers a request that reaches no phone. A dead connection is replaced, and a missing one
        made. Not while a send() is under way."""
        ...
