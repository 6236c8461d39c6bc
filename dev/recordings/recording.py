"""Recording, RecordedMessage, RecordedGoal and Expected."""

from __future__ import annotations

from dataclasses import dataclass

from db.domain import Side


@dataclass(frozen=True, slots=True)
class RecordedMessage:
    """One delivery as its provider would send it.

    at_ms: when it was sent.
    match_id: None for a heartbeat.
    """

    at_ms: int
    provider: str
    body: bytes
    match_id: str | None


@dataclass(frozen=True, slots=True)
class RecordedGoal:
    """team: the side it counts for.
    minute, added: as displayed (`90`, `6` for 90+6).
    scorer: name.
    kind: `goal`, `own_goal`…
    """

    team: Side
    minute: int
    added: int | None
    scorer: str | None
    kind: str

    @property
    def order(self) -> tuple[int, int]:
        return self.minute, self.added or 0


@dataclass(frozen=True, slots=True)
class Expected:
    """The result of a match by the recording's own totals.

    home, away: None where nothing was played.
    goals: None where the recording does not list them.
    """

    home: int | None
    away: int | None
    status: str
    shootout: tuple[int, int] | None = None
    goals: tuple[RecordedGoal, ...] | None = None

    def __str__(self) -> str:
        score = f"{_shown(self.home)}-{_shown(self.away)}"
        kicks = f" ({self.shootout[0]}-{self.shootout[1]} p)" if self.shootout else ""
        return f"{score}{kicks} {self.status}"


def _shown(points: int | None) -> str:
    return "?" if points is None else str(points)


@dataclass(frozen=True, slots=True)
class Recording:
    """messages: in the order sent.
    expected: results by our match id.
    """

    name: str
    messages: list[RecordedMessage]
    expected: dict[str, Expected]


def in_order(messages: list[RecordedMessage]) -> list[RecordedMessage]:
    """Sorted by time, stable."""
    return sorted(messages, key=lambda message: message.at_ms)
