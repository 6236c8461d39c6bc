"""Milliseconds since the epoch, as SQL keeps them: instants in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def ms(moment: datetime) -> int:
    """Of an instant in UTC; SQLite keeps no zone."""
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
