"""A match as the plan sees it: when it needs readiness, and for how many viewers."""

from __future__ import annotations

from dataclasses import dataclass

from db.domain import Match, Phase

MINUTE_MS = 60_000
# Readiness begins so long before the start: a dyno boots within a minute, and there is time for a person to step in.
AHEAD_MS = 30 * MINUTE_MS
# Readers stay after the last whistle, for the next result and the table.
AFTER_MS = 15 * MINUTE_MS
# Longest match: extra time, penalties, an interruption. Whoever is `live` for longer was forsaken by its feed.
LONGEST_MS = 6 * 60 * MINUTE_MS
# The likely length of a match: two halves, the break, added time, and a kick-off that is late.
LIKELY_MS = 135 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Expectation:
    """viewers: at the peak.
    followers: users who follow it, and are pushed to.
    reason: `word` (the operator's), `history` (of its competition) or `followers`.
    """

    viewers: int
    followers: int
    reason: str


@dataclass(frozen=True, slots=True)
class Booking:
    """match: without events; its start is known.
    expected: of it.
    """

    match: Match
    expected: Expectation

    @property
    def start_ms(self) -> int:
        assert self.match.start_time is not None  # noqa: S101 - only such matches are booked
        return self.match.start_time

    def begins_ms(self) -> int:
        return self.start_ms - AHEAD_MS

    def ends_ms(self, now_ms: int) -> int:
        """When readiness ends, as far as is known now (ms)."""
        match self.match.phase:
            case Phase.OFF:
                return self.begins_ms()
            case Phase.FINISHED:
                ended_ms = self.match.updated_at
            case Phase.LIVE | Phase.BREAK:
                ended_ms = max(self.start_ms + LIKELY_MS, now_ms)
            case _:
                ended_ms = self.start_ms + LIKELY_MS
        # A correction of the day after does not bring its readers back.
        return min(ended_ms, self.start_ms + LONGEST_MS) + AFTER_MS

    def is_due(self, now_ms: int) -> bool:
        return self.begins_ms() <= now_ms < self.ends_ms(now_ms)
