"""Server-Sent Events: `/api/score/{match_id}/stream`, one event a version, until the reader leaves."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

from flask import Blueprint, Response, request

from api.delivery.hub import BEAT_S
from api.delivery.parking import ALREADY_HANDLED, Connection, parkable
from api.delivery.snapshot import Snapshot
from api.delivery.stream_writer import StreamWriter
from api.services import here
from api.topics import current
from api.web.ids import checked_id
from api.web.openapi import documented
from cdn import headers

blueprint = Blueprint("stream", __name__)

# EventSource waits this long before it comes back (ms), so those of one process that ends do not come back together.
RETRY_MS = (1_000, 4_000)
HEADERS = {"Content-Type": "text/event-stream", "Access-Control-Allow-Origin": "*", "X-Accel-Buffering": "no"}
BEAT = b":\n\n"

_spread = random.Random()


class EventStream(StreamWriter):
    kind = "stream"
    beat_bytes = BEAT

    def encoded(self, document: Snapshot) -> bytes:
        return document.event


class PlainStream:
    """A stream on a server whose connections cannot be written to from outside: its thread waits for the newest state,
    and only that is kept for it."""

    def __init__(self) -> None:
        self.newest: Snapshot | None = None
        self.stirred = threading.Event()
        self.ended = False

    def offer(self, document: Snapshot) -> None:
        if self.newest is None or self.newest.version < document.version:
            self.newest = document
        self.stirred.set()

    def beat(self) -> None:
        """Its thread keeps its own time."""

    def end(self) -> None:
        self.ended = True
        self.stirred.set()

    def events(self, first: bytes) -> Iterator[bytes]:
        yield first
        while self.newest or not self.ended:
            yield self._next()

    def _next(self) -> bytes:
        self.stirred.wait(BEAT_S)
        self.stirred.clear()
        newest, self.newest = self.newest, None
        return newest.event if newest else BEAT


class StreamResponse(Response):
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

    A comment every 15 s shows that the line is alive; `retry` is another each time, so that those whom an ended process
    leaves do not come back together. Where no more streams are taken, the present score is sent with
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
    leave = partial(services.room.part, topic, listener)
    try:
        # Read again now that changes are heard: whatever came between is in it.
        newest = current(services, topic, document.version)
    except BaseException:
        leave()
        raise
    first = b"retry: %d\n%b" % (_spread.randint(*RETRY_MS), newest.event if newest.version != _seen() else BEAT)
    if isinstance(listener, PlainStream):
        response = Response(listener.events(first), headers=HEADERS | headers.NO_STORE)
        response.call_on_close(leave)
        return response
    listener.connection.leave = lambda _: leave()
    return StreamResponse(listener.connection, first)


def _seen() -> int:
    """The version that the reader says it has, 0 for none."""
    said = request.headers.get("Last-Event-ID", "")
    return int(said) if re.fullmatch(r"\d{1,15}", said, re.ASCII) else 0


def head() -> bytes:
    """Its end is the connection's, so it needs no length (RFC 9112, 6.3)."""
    said = {"Connection": "close"} | HEADERS | headers.NO_STORE
    lines = [f"{name}: {value}\r\n" for name, value in said.items()]
    return f"HTTP/1.1 200 OK\r\n{''.join(lines)}\r\n".encode()
