"""Server-Sent Events: `/api/score/{match_id}/stream`, one event a version, and `/api/live/stream`, one a change of the
board, until the reader leaves."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, Response, request

from api.delivery.environ import ALREADY_HANDLED, Connection, connection_of, has_place
from api.delivery.snapshot import CHANGES, Snapshot
from api.delivery.stream_writer import StreamWriter
from api.services import here
from api.topics import current
from api.web import responses
from api.web.ids import checked_id
from api.web.openapi import documented
from cdn import headers

blueprint = Blueprint("stream", __name__)

# EventSource waits this long before it comes back (ms), so those of one process that ends do not come back together.
RETRY_MS = (1_000, 4_000)
# In a surge no stream is taken, and each try to open one reaches the origin.
SURGE_RETRY_MS = (20_000, 40_000)
HEADERS = {"Content-Type": "text/event-stream", "Access-Control-Allow-Origin": "*", "X-Accel-Buffering": "no"}
BEAT = b":\n\n"

_spread = random.Random()


class EventStream(StreamWriter):
    kind = "stream"
    beat_bytes = BEAT

    def encoded(self, snapshot: Snapshot, version: int | None) -> bytes:
        return snapshot.event(version)


class StreamResponse(Response):
    """The head and first events are written to the connection, which is the hub's from then on.

    leave: called when the client goes.
    """

    def __init__(self, connection: Connection, first: bytes, leave: Callable[[Connection], None]) -> None:
        super().__init__()
        self.connection, self.first, self.leave = connection, first, leave

    def __call__(self, _environ: Any, _start_response: Any) -> Any:
        self.connection.stream(self.leave)
        self.connection.write(head() + self.first)
        return ALREADY_HANDLED


@blueprint.get("/api/score/<match_id>/stream")
@documented("Stream a match's changes", tag="held")
def stream(match_id: str) -> Response:
    """Server-Sent Events: each has the body of the score as `data` and its version as `id`; `Last-Event-ID` resumes.

    A comment every 15 s shows that the line is alive. `retry` is another each time, so that readers of a process that
    ends do not come back together. Where no more streams are taken, the present score is sent with a `retry` of its
    `poll_after_ms` (in a surge 20 to 40 s) and the stream ends: the browser polls by itself.
    """
    return _streamed(checked_id(match_id))


@blueprint.get("/api/live/stream")
@documented("Stream what changes on the board", tag="held")
def stream_live() -> Response:
    """Server-Sent Events as of a match: the first is the whole board, or what changed since `Last-Event-ID`; each
    further one what changed since the one before, as `/api/live/changes` tells it."""
    return _streamed(CHANGES)


def _streamed(topic: str) -> Response:
    services = here()
    seen = _seen()
    snapshot = current(services, topic, seen or 0)
    if snapshot.replaced_by:
        path = f"/api/score/{snapshot.replaced_by}/stream"
        return responses.rendered(responses.moved(path, services.dialect, topic))
    connection = connection_of(request.environ)
    may_stay = connection is not None and has_place(request.environ) and request.method != "HEAD"
    writer = EventStream(connection, services.hub) if connection and may_stay else None
    if writer is None or not services.hub.join(topic, writer):
        retry_ms = _spread.randint(*SURGE_RETRY_MS) if services.hub.surging else snapshot.poll_after_ms
        once = b"retry: %d\n%b" % (retry_ms, snapshot.event(seen))
        return Response(once, headers=HEADERS | headers.NO_STORE)
    leave = partial(services.hub.part, topic, writer)
    try:
        # Read again now that changes are heard: whatever came between is in it.
        newest = current(services, topic, snapshot.waited)
    except BaseException:
        leave()
        raise
    writer.written[topic] = newest.waited
    retry_ms = _spread.randint(*RETRY_MS)
    first = b"retry: %d\n%b" % (retry_ms, newest.event(seen) if newest.waited != seen else BEAT)
    return StreamResponse(writer.connection, first, lambda _: leave())


def _seen() -> int | None:
    """The version that the reader says it has."""
    version = request.headers.get("Last-Event-ID", "")
    return int(version) if re.fullmatch(r"\d{1,15}", version, re.ASCII) else None


def head() -> bytes:
    """Its end is the connection's, so it needs no length (RFC 9112, 6.3)."""
    fields = {"Connection": "close"} | HEADERS | headers.NO_STORE
    lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
    return f"HTTP/1.1 200 OK\r\n{''.join(lines)}\r\n".encode()
