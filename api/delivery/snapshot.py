"""A topic's state as readers get it: rendered once per version, then only finished with where to wait next.

A topic is a match's id, or BOARD for all live matches together.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from wsgiref.handlers import format_date_time

from wsproto.connection import Connection, ConnectionType
from wsproto.events import Event, TextMessage

from cdn import headers, keys
from db.domain import HOLD_MS, Cursor, Phase

# No match id: it has a slash.
BOARD = "/live"

# Held answers bear no keys, for they need no purge; so every CDN understands them in the common dialect.
WAIT, AT_ONCE = headers.WAIT.headers(), headers.AT_ONCE.headers()


class WaitOutcome(StrEnum):
    """Why a held request was answered: the same word in body, log and metric."""

    CHANGED = "changed"
    TIMEOUT = "timeout"
    BEHIND = "behind"
    AHEAD = "ahead"
    DRAINING = "draining"
    FULL = "full"
    GONE = "gone"


@dataclass(frozen=True)
class RenderedAnswer:
    """A finished answer. `wire` is the same as one HTTP/1.1 message, for connections that are written to directly."""

    body: bytes
    cache: Mapping[str, str]
    etag: str | None = None
    close: bool = False
    status: str = "200 OK"

    @cached_property
    def headers(self) -> dict[str, str]:
        said = dict(self.cache) | {
            "Content-Type": "application/json",
            "Content-Length": str(len(self.body)),
            "Access-Control-Allow-Origin": "*",
        }
        return said | {"ETag": f'W/"{self.etag}"'} if self.etag else said

    @cached_property
    def wire(self) -> bytes:
        said = {"Date": format_date_time(time.time()), "Connection": "close" if self.close else "keep-alive"}
        lines = [f"{name}: {value}\r\n" for name, value in (said | self.headers).items()]
        return f"HTTP/1.1 {self.status}\r\n{''.join(lines)}\r\n".encode("latin-1") + self.body


@dataclass(frozen=True)
class Snapshot:
    """json: the object without `next` and `poll_after_ms`, which `body` adds. path: where it is read."""

    topic: str
    version: int
    path: str
    json: bytes
    poll_after_ms: int
    phase: Phase

    def slot(self, now_ms: int) -> int:
        """Hold-lengths since the version was made, so that topics do not re-poll together."""
        return max(0, (now_ms - self.version) // HOLD_MS)

    def cursor(self, now_ms: int) -> Cursor:
        return Cursor(self.version, self.slot(now_ms))

    def body(self, cursor: Cursor | None, held: WaitOutcome | None = None) -> bytes:
        """cursor: where to wait next; None where nothing waits for just this."""
        following = f'"{self.path}/wait/{cursor}"' if cursor else "null"
        why = f',"held":"{held}"' if held else ""
        return self.json[:-1] + f',"next":{following},"poll_after_ms":{self.poll_after_ms}{why}}}'.encode()

    def answer(self, cursor: Cursor, held: WaitOutcome) -> RenderedAnswer:
        """held: what the asked cursor came to; changes and time-outs are immutable, the rest lives a second."""
        lasting = held in (WaitOutcome.CHANGED, WaitOutcome.TIMEOUT)
        return RenderedAnswer(self.body(cursor, held), WAIT if lasting else AT_ONCE, close=held is WaitOutcome.DRAINING)

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """What purges it at the edge."""
        return (keys.LIVE,) if self.topic == BOARD else (keys.match(self.topic),)

    @property
    def etag(self) -> str:
        return f"{self.topic.strip('/')}-{self.version}"

    @cached_property
    def changed(self) -> RenderedAnswer:
        """To all who waited for this version, whichever slot they waited in: the same bytes."""
        return self.answer(Cursor(self.version), WaitOutcome.CHANGED)

    @cached_property
    def event(self) -> bytes:
        """As one Server-Sent Event (html.spec.whatwg.org, 9.2.6); the body has no line breaks."""
        return b"id: %d\ndata: %b\n\n" % (self.version, self.body(Cursor(self.version)))

    @cached_property
    def frame(self) -> bytes:
        """As one WebSocket message."""
        return framed(TextMessage(self.body(None).decode()))


def framed(event: Event) -> bytes:
    """Frames of a server are not masked (RFC 6455, 5.1): one encoding serves every client."""
    return Connection(ConnectionType.SERVER).send(event)
