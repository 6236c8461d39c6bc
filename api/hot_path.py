"""Readers who poll or wait, answered or held from the event loop: no handler, no environment, no Flask.

gunicorn's worker hands each whole head to `HotPath` first. What it does not take goes to the app, which answers alike.
"""

from __future__ import annotations

from api.delivery.answer import GZIP
from api.delivery.read_queue import ReadQueue
from api.delivery.request_head import RequestHead, parse
from api.delivery.snapshot import Snapshot
from api.server.connection import Connection
from api.services import Services, later, now_ms
from api.topics import learn, plain
from db.domain import Cursor


class HotPath:
    def __init__(self, services: Services) -> None:
        self.services = services
        self.reads = ReadQueue(services.reader, later)

    def __call__(self, connection: Connection, data: bytes) -> bool:
        """False, and nothing done, where the request has to go the ordinary way. data: a whole head.

        Nothing in here may give way to another greenlet."""
        head = parse(data)
        if head is None:
            return False
        connection.variant = GZIP if head.gzip else 0
        if head.cursor is not None:
            return self._wait(connection, head, head.cursor)
        self._read(connection, head, data)
        return True

    def _wait(self, connection: Connection, head: RequestHead, cursor: Cursor) -> bool:
        hub = self.services.hub
        snapshot = hub.snapshot(head.topic)
        is_current = snapshot is not None and snapshot.waited >= cursor.version
        if not is_current and (not connection.place or hub.is_full):
            return False
        connection.closing = head.close or not connection.place
        if is_current:
            answer = hub.ask(head.topic, cursor, connection if connection.place else None, now_ms())
            if answer:
                connection.release(answer)
                return True
        elif hub.arrive(head.topic, cursor, connection):
            later(0, lambda: learn(self.services, head.topic))
        connection.wait(hub.leave)
        return True

    def _read(self, connection: Connection, head: RequestHead, data: bytes) -> None:
        connection.closing = head.close or not connection.place
        connection.wait(None)
        self.reads.ask(head.topic, lambda snapshot: self._give(connection, head, data, snapshot))

    def _give(self, connection: Connection, head: RequestHead, data: bytes, snapshot: Snapshot | None) -> None:
        if snapshot is None:
            connection.hand_over(data)
            return
        answer = plain(self.services, snapshot)
        has_it = "*" in head.etags or answer.etag in head.etags
        connection.release(answer.not_modified if has_it else answer)
