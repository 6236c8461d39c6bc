"""What became of one push: a value, never an exception. Which reason means which is in notify/transports/reasons.py."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delivered:
    """The service accepted it. reason: `delivered`; `repeated` where an earlier try may have arrived too, so this one
    was passive; `unsent` of a dry run."""

    reason: str = "delivered"

    @property
    def is_repeat(self) -> bool:
        return self.reason == "repeated"


@dataclass(frozen=True, slots=True)
class Gone:
    """The address is dead: delete it, unless it was registered again after `since_ms` (the `timestamp` of Apple's 410;
    None where the service gives none)."""

    reason: str
    since_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """Not now. Worth repeating before the message expires.

    retry_after_s: not sooner than after this.
    possibly_sent: a try may have arrived, so a repeat must be passive (`Message.silent`).
    """

    reason: str
    retry_after_s: float = 0.0
    possibly_sent: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have arrived or not, and is not repeated: the address stands for many phones, and a second one would ring
    on all of them; or it expired before a repeat was accepted. Count it as delivered where a correction would otherwise
    miss somebody."""

    reason: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """Not worth repeating, and the address stays: it expired, or this address does not accept this payload."""

    reason: str


@dataclass(frozen=True, slots=True)
class OurFault:
    """The request is malformed, so all others of this message are: stop them, keep the addresses, alert."""

    reason: str


@dataclass(frozen=True, slots=True)
class ConfigFault:
    """Key, team, topic or project is not what the service expects: nothing passes until a person fixes it. Alert."""

    reason: str


Outcome = Delivered | Gone | Later | Unknown | Dropped | OurFault | ConfigFault
