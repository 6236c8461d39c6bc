"""What became of one push: a value, never an exception. Which reason means which is a table of each transport."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delivered:
    """The service has it. id: its name for the push, where it gave one."""

    id: str | None = None
    reason: str = "delivered"


@dataclass(frozen=True, slots=True)
class Gone:
    """The address is dead: forget it, unless it was registered anew after `since_ms` (Apple's 410 `timestamp`; None
    where the service gives none)."""

    reason: str
    since_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """Not now: this device or this service asks for patience, or did not answer. Worth repeating before the message
    expires, not sooner than after `retry_after_s`."""

    reason: str
    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Dropped:
    """Nobody's fault and not worth repeating: it expired on the way, or this one address does not take this payload."""

    reason: str


@dataclass(frozen=True, slots=True)
class OurFault:
    """We built it wrong, so each further push of it by this service is wrong: stop them, keep the addresses, alert."""

    reason: str


@dataclass(frozen=True, slots=True)
class ConfigFault:
    """Key, team, topic or project is not what the service expects: nothing will pass until a person mends it. Alert."""

    reason: str


Outcome = Delivered | Gone | Later | Dropped | OurFault | ConfigFault
