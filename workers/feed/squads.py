"""Whose line-ups are to be asked for, and when: matches that begin within about an hour, until they are confirmed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from db.domain import Phase, Update, phase_of

# Line-ups are there about an hour before the start (developer.sportradar.com, "Rosters, lineups and transfers").
AHEAD_MS = 75 * 60_000
# Asked for again until confirmed; once more after the start, for those that never say so.
AGAIN_MS = 5 * 60_000
LATE_MS = 10 * 60_000
FIXTURES_MAX = 20_000


@dataclass(slots=True)
class Squad:
    """start_time, asked_at: ms; 0 where it was never asked."""

    start_time: int
    asked_at: int = 0


class Squads:
    def __init__(self) -> None:
        self.fixtures: dict[str, Squad] = {}

    def note(self, updates: Iterable[Update]) -> None:
        """Of documents: matches to come are remembered, those with confirmed line-ups need nothing more."""
        for update in updates:
            start = update.info.start_time if update.info else None
            is_to_come = update.status is None or phase_of(update.status) is Phase.SCHEDULED
            if update.lineups and update.lineups.confirmed:
                self.fixtures.pop(update.match_id, None)
            elif start and is_to_come and len(self.fixtures) < FIXTURES_MAX:
                self.fixtures.setdefault(update.match_id, Squad(start)).start_time = start

    def due(self, now_ms: int, limit: int) -> list[str]:
        """The next to be asked for, the earliest start first; they count as asked."""
        self.fixtures = {name: one for name, one in self.fixtures.items() if now_ms < one.start_time + LATE_MS}
        due = sorted(
            (squad.start_time, match_id)
            for match_id, squad in self.fixtures.items()
            if squad.start_time - now_ms <= AHEAD_MS and now_ms - squad.asked_at >= AGAIN_MS
        )
        chosen = [match_id for _, match_id in due[:limit]]
        for match_id in chosen:
            self.fixtures[match_id].asked_at = now_ms
        return chosen
