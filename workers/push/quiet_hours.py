"""Whose quiet hours it is at one moment. A million followers live in some hundred zones."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from db.domain import Quiet


class QuietHours:
    def __init__(self, at_ms: int) -> None:
        self.at = datetime.fromtimestamp(at_ms / 1000, UTC)
        self.minutes: dict[str, int] = {}

    def reigns(self, time_zone: str, since: int | None, until: int | None) -> bool:
        return since is not None and until is not None and Quiet(since, until).holds(self._minute(time_zone))

    def _minute(self, time_zone: str) -> int:
        known = self.minutes.get(time_zone)
        if known is None:
            local = self.at.astimezone(ZoneInfo(time_zone))
            known = self.minutes[time_zone] = local.hour * 60 + local.minute
        return known
