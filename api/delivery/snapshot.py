"""A topic's state as readers get it: rendered once per version, then only finished with where to wait next.

A topic is a match's id, or BOARD for all live matches together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

from wsproto.connection import Connection, ConnectionType
from wsproto.events import Event, TextMessage
from wsproto.extensions import PerMessageDeflate

from api.delivery.answer import COMPRESS_MIN, RenderedAnswer, WaitOutcome
from cdn import headers, keys
from db.domain import HOLD_MS, Cursor, Phase

# No match id: it has a slash.
BOARD = "/live"

# Held answers bear no keys, for they need no purge; so every CDN understands them in the common dialect.
WAIT, AT_ONCE = headers.WAIT.headers(), headers.AT_ONCE.headers()


# ms. In a surge, a fifth of the requests of a reader who polls in play.
SURGE_POLL_MS = 10_000

# Answers kept for a second: of a few slots and reasons, however many cursors somebody makes up.
RECENT_MAX = 64


class RecentAnswers:
    """Those of one second, which share their bytes: their Date may be so old."""

    def __init__(self) -> None:
        self.second = 0
        self.answers: dict[tuple[Cursor, str], RenderedAnswer] = {}

    def get(self, cursor: Cursor, kind: str, now_ms: int, render: Callable[[], RenderedAnswer]) -> RenderedAnswer:
        """kind: why it was answered, or anything else that tells it from others at that cursor."""
        second = now_ms // 1000
        if second != self.second or len(self.answers) >= RECENT_MAX:
            self.second = second
            self.answers = {}
        answer = self.answers.get((cursor, kind))
        if answer is None:
            answer = self.answers[cursor, kind] = render()
        return answer


@dataclass(frozen=True)
class Snapshot:
    """topic: a match's id, or BOARD.
    version: of the match, or the board.
    path: where it is read.
    json: the object without `next` and `poll_after_ms`, which `body` adds.
    poll_after_ms: when a reader without a hold reads again.
    phase: of the match; how long it may be kept.
    recent: answers with it that many get.
    """

    topic: str
    version: int
    path: str
    json: bytes
    poll_after_ms: int
    phase: Phase
    recent: RecentAnswers = field(default_factory=RecentAnswers, init=False, repr=False, compare=False)

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

    @cached_property
    def in_surge(self) -> Snapshot:
        """The same, for readers who are asked to come less often."""
        return replace(self, poll_after_ms=max(self.poll_after_ms, SURGE_POLL_MS))

    def answer(self, cursor: Cursor | None, held: WaitOutcome) -> RenderedAnswer:
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

    @cached_property
    def deflated_frame(self) -> bytes:
        """The same for clients who take permessage-deflate (RFC 7692). It refers to no message before it, so that one
        encoding serves all of them."""
        return (
            framed(TextMessage(self.body(None).decode()), deflated=True)
            if len(self.json) >= COMPRESS_MIN
            else self.frame
        )


def framed(event: Event, *, deflated: bool = False) -> bytes:
    """Frames of a server are not masked (RFC 6455, 5.1): one encoding serves every client."""
    deflate = PerMessageDeflate(server_no_context_takeover=True)
    deflate.finalize(deflate.name)
    return Connection(ConnectionType.SERVER, [deflate] if deflated else []).send(event)
