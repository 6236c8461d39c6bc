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
    """kind, beat_bytes, end_bytes and `encoded` are the protocol's.

    pending: what waits until the socket takes more, by its key.
    written: the version that the client has, by topic.
    ended: nothing is taken any more.
    """

    kind = ""
    beat_bytes = b""
    end_bytes = b""

    def __init__(self, connection: Connection, hub: Hub) -> None:
        self.connection = connection
        self.hub = hub
        self.pending: dict[str, bytes | Snapshot] = {}
        self.written: dict[str, int] = {}
        self.ended = False
        connection.drained = self._drained

    @abstractmethod
    def encoded(self, snapshot: Snapshot, version: int | None) -> bytes:
        """For a client that has this version, None for none."""

    def offer(self, snapshot: Snapshot) -> None:
        self.put(snapshot.topic, snapshot)

    def put(self, key: str, data: bytes | Snapshot) -> None:
        """Write it, or keep it until the socket takes more; of one key only the newest is kept."""
        if self.ended:
            return
        if self.connection.flushing:
            if key in self.pending:
                metrics.STREAM_REPLACED.add(kind=self.kind)
            self.pending[key] = data
        else:
            self._write(data)

    def beat(self) -> None:
        if not (self.connection.flushing or self.ended):
            self.connection.write(self.beat_bytes)

    def end(self) -> None:
        self.put("", self.end_bytes)
        self.ended = True
        self.connection.end()

    def _drained(self) -> None:
        while self.pending and not self.connection.flushing:
            key = next(iter(self.pending))
            self._write(self.pending.pop(key))

    def _write(self, data: bytes | Snapshot) -> None:
        """What a client is told of a change depends on what it has, and so is encoded last."""
        if isinstance(data, Snapshot):
            version = self.written.get(data.topic)
            self.written[data.topic] = data.waited
            data = self.encoded(data, version)
        self.connection.write(data)
