"""The kinds of exception. Expected outcomes are values; anything else raised is a bug and propagates."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with what was sent: `field` is a path such as `events[3].home_score`."""

    field: str
    message: str
    index: int | None = None


class LiveScoreError(Exception):
    code = "internal"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code


class Refused(LiveScoreError):
    """The asker is wrong and repeating will not help. `faults` say where; retry_after_s when, for who was too fast."""

    code = "refused"

    def __init__(
        self, message: str, code: str | None = None, faults: tuple[Fault, ...] = (), retry_after_s: int = 0
    ) -> None:
        super().__init__(message, code)
        self.faults = faults
        self.retry_after_s = retry_after_s


class Unavailable(LiveScoreError):
    """The other side is down or over its limit; `retry_after_s` says when to ask again."""

    code = "unavailable"

    def __init__(self, message: str, retry_after_s: int = 2) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Undecodable(LiveScoreError):
    """What is kept of one match cannot be read by this release (db.undecodable); the other matches can. It can once a
    release is out that reads it, so a reader may ask again in a while."""

    code = "unavailable"
    retry_after_s = 60

    def __init__(self, match_id: str, reason: str) -> None:
        super().__init__("This match cannot be read at present.")
        self.match_id = match_id
        self.reason = reason
