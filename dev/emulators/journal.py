"""What was accepted, on disk before it is acknowledged, so that it survives any kill."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS pushes (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, service TEXT NOT NULL, target TEXT NOT NULL, sort TEXT NOT NULL,
    collapse TEXT NOT NULL, expires_at REAL NOT NULL, payload TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS pushes_target ON pushes (target, id);
"""


@dataclass(frozen=True, slots=True)
class AcceptedPush:
    """
    at: s since the epoch, when it reaches the phone.
    service: apns, fcm, or phone for what happens to the phone itself.
    target: a device token, or `channel:<id>`.
    sort: alert, liveactivity, notification, data or web; of the phone itself offline or online.
    collapse: collapse id, "" for none.
    expires_at: s since the epoch; 0 is delivered now or never.
    payload: as it was sent, decoded.
    """

    at: float
    service: str
    target: str
    sort: str
    collapse: str
    expires_at: float
    payload: dict[str, Any]


class PushJournal:
    """Readers may open the same file while it is written."""

    def __init__(self, path: Path | str) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        # It must survive processes, not the machine.
        self.db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + _TABLES)
        self.unwritten: list[tuple[Any, ...]] = []

    def add(self, push: AcceptedPush) -> None:
        text = json.dumps(push.payload, ensure_ascii=False)
        row = (push.at, push.service, push.target, push.sort, push.collapse, push.expires_at, text)
        self.unwritten.append(row)

    def write(self) -> None:
        """Everything added so far is on disk when this returns."""
        if not self.unwritten:
            return
        self.db.execute("BEGIN")
        columns = "(at, service, target, sort, collapse, expires_at, payload)"
        self.db.executemany(f"INSERT INTO pushes {columns} VALUES (?, ?, ?, ?, ?, ?, ?)", self.unwritten)
        self.db.execute("COMMIT")
        self.unwritten.clear()

    def of(self, target: str, limit: int | None = None) -> list[AcceptedPush]:
        """What one phone or channel was sent, in the order of its arrival: all of it, or the last `limit`."""
        last = "SELECT * FROM pushes WHERE target = ? ORDER BY id DESC LIMIT ?"
        rows = self.db.execute(f"SELECT * FROM ({last}) ORDER BY at, id", (target, -1 if limit is None else limit))
        return list(_pushes(rows))

    def count(self, target: str) -> int:
        return int(self.db.execute("SELECT count(*) FROM pushes WHERE target = ?", (target,)).fetchone()[0])

    def all(self) -> Iterable[AcceptedPush]:
        return _pushes(self.db.execute("SELECT * FROM pushes ORDER BY at, id"))

    def counts(self) -> dict[str, int]:
        """Pushes by target."""
        return dict(self.db.execute("SELECT target, count(*) FROM pushes GROUP BY target"))

    def repeats(self) -> dict[str, int]:
        """By target, pushes that said again what an earlier one had said, whether or not with a sound."""
        statements: Counter[tuple[str, str]] = Counter((push.target, _statement(push.payload)) for push in self.all())
        repeats: Counter[str] = Counter()
        for (target, statement), count in statements.items():
            repeats[target] += count - 1 if statement else 0
        return dict(+repeats)

    def close(self) -> None:
        self.write()
        self.db.close()


def _statement(payload: dict[str, Any]) -> str:
    """What a push says, without how it is presented; "" for what happens to the phone itself."""
    aps = payload.get("aps", {})
    parts = [payload.get(name) for name in ("title", "body", "notification", "data", "match_id", "version")]
    parts += [aps.get(name) for name in ("event", "alert", "timestamp", "content-state")]
    return json.dumps(parts, sort_keys=True) if any(parts) else ""


def _pushes(rows: Iterable[tuple[Any, ...]]) -> Iterable[AcceptedPush]:
    for _id, at, service, target, sort, collapse, expires_at, payload in rows:
        yield AcceptedPush(at, service, target, sort, collapse, expires_at, json.loads(payload))
