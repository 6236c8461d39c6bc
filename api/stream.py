"""Server-Sent Events: `/api/score/{match_id}/stream`, one event a version, until the reader leaves."""

from __future__ import annotations

import queue
import re
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request

from api.document import Document
from api.held import current
from api.matches import checked_id
from api.openapi import documented
from api.outlet import Outlet
from api.parking import ALREADY_HANDLED, Connection, parkable
from api.services import here
from api.waiting import BEAT_S, Room
from cdn import headers

blueprint = Blueprint("stream", __name__)

# EventSource waits this long before it comes back (ms); those of one process that ends are spread by their own jitter.
RETRY_MS = 2_000
HEADERS = {"Content-Type": "text/event-stream", "Access-Control-Allow-Origin": "*", "X-Accel-Buffering": "no"}
BEAT = b":\n\n"


class EventStream(Outlet):
    kind = "stream"
    beat_bytes = BEAT

    def encoded(self, document: Document) -> bytes:
        return document.event


class PlainStream:
    """A stream on a server whose connections cannot be written to from outside: its thread waits for the newest."""

    def __init__(self) -> None:
        self.newest: queue.Queue[bytes | None] = queue.Queue()

    def offer(self, document: Document) -> None:
        self.newest.put(document.event)

    def beat(self) -> None:
        """Its thread keeps its own time."""

    def end(self) -> None:
        self.newest.put(None)

    def events(self, first: bytes, room: Room, topic: str) -> Iterator[bytes]:
        try:
            yield first
            while (event := self._next()) is not None:
                yield event
        finally:
            room.part(topic, self)

    def _next(self) -> bytes | None:
        try:
            event = self.newest.get(timeout=BEAT_S)
            while event is not None and not self.newest.empty():
                event = self.newest.get()
        except queue.Empty:
            return BEAT
        return event


class Streamed(Response):
    """The head and first events are written to the connection, which is the room's from then on."""

    def __init__(self, connection: Connection, first: bytes) -> None:
        super().__init__()
        self.connection, self.first = connection, first

    def __call__(self, _environ: Any, _start_response: Any) -> Any:
        self.connection.quiet = True
        self.connection.write(head() + self.first)
        return ALREADY_HANDLED


@blueprint.get("/api/score/<match_id>/stream")
@documented("Stream a match's changes", tag="held")
def stream(match_id: str) -> Response:
    """Server-Sent Events: each has the body of the score as `data` and its version as `id`; `Last-Event-ID` resumes.

    A comment every 15 s shows that the line is alive. Where no more streams are taken, the present score is sent with
    a `retry` of its `poll_after_ms` and the stream ends: the browser polls by itself.
    """
    topic = checked_id(match_id)
    services = here()
    document = current(services, topic, _seen())
    connection = parkable(request.environ)
    listener = EventStream(connection, services.room) if connection else PlainStream()
    if request.method == "HEAD" or not services.room.join(topic, listener):
        once = b"retry: %d\n%b" % (document.poll_after_ms, document.event)
        return Response(once, headers=HEADERS | headers.NO_STORE)
    # Read again now that changes are heard: whatever came between is in it.
    newest = services.room.known(topic) or document
    first = b"retry: %d\n%b" % (RETRY_MS, newest.event if newest.version != _seen() else BEAT)
    if connection is None:
        assert isinstance(listener, PlainStream)  # noqa: S101 - for the type checker
        return Response(listener.events(first, services.room, topic), headers=HEADERS | headers.NO_STORE)
    connection.leave = lambda _: services.room.part(topic, listener)
    return Streamed(connection, first)


def _seen() -> int:
    """The version that the reader says it has, 0 for none."""
    said = request.headers.get("Last-Event-ID", "")
    return int(said) if re.fullmatch(r"\d{1,15}", said, re.ASCII) else 0


def head() -> bytes:
    """Its end is the connection's, so it needs no length (RFC 9112, 6.3)."""
    said = {"Connection": "close"} | HEADERS | headers.NO_STORE
    lines = [f"{name}: {value}\r\n" for name, value in said.items()]
    return f"HTTP/1.1 200 OK\r\n{''.join(lines)}\r\n".encode()
