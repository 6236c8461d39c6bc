"""A recording moved to now: which of its messages are due, with every time in them moved along."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dev.recordings.recording import RecordedMessage, Recording
from dev.recordings.story import rfc3339

MOMENT = re.compile(rb'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)"')


@dataclass(frozen=True, slots=True)
class Playback:
    """start_ms: now, at the beginning. speed: of the recording's time."""

    messages: list[RecordedMessage]
    start_ms: int
    speed: float

    def due(self, now_ms: int | None = None) -> int:
        """How many messages have been sent by now."""
        at = now_ms if now_ms is not None else time.time_ns() // 1_000_000
        low, high = 0, len(self.messages)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.messages[middle].at_ms <= at else (low, middle)
        return low

    @property
    def is_over(self) -> bool:
        return self.due() == len(self.messages)


def playback(recordings: list[Recording], *, speed: float, start_ms: int, lead_ms: int = 0) -> Playback:
    """All recordings begin at once: their first message that is no fixture is due `lead_ms` after the start."""
    messages: list[RecordedMessage] = []
    for recording in recordings:
        first_ms = min(message.at_ms for message in recording.messages)

        def moved(at_ms: int, first_ms: int = first_ms) -> int:
            return start_ms + lead_ms + round((at_ms - first_ms) / speed)

        messages += [
            replace(message, at_ms=moved(message.at_ms), body=_moved_body(message.body, moved))
            for message in recording.messages
        ]
    return Playback(sorted(messages, key=lambda message: message.at_ms), start_ms, speed)


def _moved_body(body: bytes, moved: Callable[[int], int]) -> bytes:
    def moment(match: re.Match[bytes]) -> bytes:
        at = datetime.fromisoformat(match[1].decode())
        at_ms = round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
        return b'"' + rfc3339(moved(at_ms)).encode() + b'"'

    return MOMENT.sub(moment, body)
