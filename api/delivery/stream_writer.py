"""Writes what changes to one long-lived connection.

Newest state wins: what a slow reader has not taken is replaced by what came after it, so it costs a bounded amount of
memory and never sees the past.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from api.delivery.hub import Hub
from api.delivery.snapshot import Snapshot
from api.server.connection import Connection
from db.live import metrics


class StreamWriter(ABC):
    """kind, beat_bytes, end_bytes and `encoded` are the protocol's."""

    kind = ""
    beat_bytes = b""
    end_bytes = b""

    def __init__(self, connection: Connection, hub: Hub) -> None:
        self.connection = connection
        self.hub = hub
        self.pending: dict[str, bytes] = {}
        connection.drained = self._drained

    @abstractmethod
    def encoded(self, snapshot: Snapshot) -> bytes: ...

    def offer(self, snapshot: Snapshot) -> None:
        self.put(snapshot.topic, self.encoded(snapshot))

    def put(self, key: str, data: bytes) -> None:
        """Write it, or keep it until the socket takes more; of one key only the newest is kept."""
        if self.connection.flushing:
            if key in self.pending:
                metrics.STREAM_REPLACED.add(kind=self.kind)
            self.pending[key] = data
        else:
            self.connection.write(data)

    def beat(self) -> None:
        if not self.connection.flushing:
            self.connection.write(self.beat_bytes)

    def end(self) -> None:
        self.put("", self.end_bytes)
        self.connection.end()

    def _drained(self) -> None:
        while self.pending and not self.connection.flushing:
            key = next(iter(self.pending))
            self.connection.write(self.pending.pop(key))
