"""Whether it is a follower's quiet hours at one moment. A million followers live in about a hundred zones."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from db.domain import Quiet


class QuietHours:
    def __init__(self, at_ms: int) -> None:
        self.at = datetime.fromtimestamp(at_ms / 1000, UTC)
        self.minutes: dict[str, int] = {}

    def is_active(self, time_zone: str, since: int | None, until: int | None) -> bool:
        return since is not None and until is not None and Quiet(since, until).holds(self._minute(time_zone))

    def _minute(self, time_zone: str) -> int:
        if time_zone not in self.minutes:
            local = self.at.astimezone(_zone(time_zone))
            self.minutes[time_zone] = local.hour * 60 + local.minute
        return self.minutes[time_zone]


def _zone(name: str) -> tzinfo:
    """UTC for one that only a newer database of zones has: it must not end the plan of all followers."""
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return UTC
