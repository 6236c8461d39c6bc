"""A match as generic events, for recordings whose format has no endpoint of its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from db.domain import Side
from dev.recordings.recording import RecordedGoal, RecordedMessage

MINUTE_MS = 60_000
# Fixtures are announced early: providers list them as live ten minutes before kick-off.
AHEAD_MS = 10 * MINUTE_MS
# Last displayed minute of each football period; later minutes are added time.
_LAST = {1: 45, 2: 90, 3: 105, 4: 120}


class Story:
    """One message per event with the running score. score: None where the recording does not have it."""

    def __init__(self, match_id: str, start_ms: int) -> None:
        self.match_id = match_id
        self.start_ms = start_ms
        self.score: tuple[int, int] | None = (0, 0)
        self.messages: list[RecordedMessage] = []

    def introduce(self, **info: Any) -> None:
        entry = {"id": self.match_id, "start_time": rfc3339(self.start_ms), **info}
        self._send(self.start_ms - AHEAD_MS, {"matches": [entry]})

    def tell(self, kind: str, at_ms: int, minute: int | None = None, **more: Any) -> None:
        """more: further fields of the generic event; those that are None are left out."""
        home, away = self.score or (None, None)
        event = {
            "match_id": self.match_id,
            "event_type": kind,
            "event_id": more.pop("event_id", None) or kind,
            "home_score": home,
            "away_score": away,
            "minute": minute,
            "timestamp": rfc3339(at_ms),
        }
        event |= {name: value for name, value in more.items() if value is not None}
        self._send(at_ms, {"events": [event]})

    def goal(self, goal: RecordedGoal, at_ms: int, **more: Any) -> None:
        home, away = self.score or (0, 0)
        self.score = (home + 1, away) if goal.team is Side.HOME else (home, away + 1)
        more.setdefault("event_id", f"goal-{sum(self.score)}")
        more.setdefault("player", goal.scorer)
        self.tell(goal.kind, at_ms, goal.minute, added_minute=goal.added, team=goal.team, **more)

    def _send(self, at_ms: int, document: dict[str, Any]) -> None:
        body = json.dumps(document, ensure_ascii=False).encode()
        self.messages.append(RecordedMessage(at_ms, "generic", body, self.match_id))


def displayed(elapsed_minutes: int, period: int) -> tuple[int, int | None]:
    """The minute and added minute a scoreboard shows: 73:39 is the 74th, 95:22 of the second half is 90+6."""
    minute, last = elapsed_minutes + 1, _LAST.get(period, 120)
    return (minute, None) if minute <= last else (last, minute - last)


def rfc3339(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ms(moment: str) -> int:
    """Milliseconds of an ISO 8601 moment; one without an offset is UTC."""
    at = datetime.fromisoformat(moment)
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
