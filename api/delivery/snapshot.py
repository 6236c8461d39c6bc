"""A topic's state as readers get it: rendered once per version, then only finished with where to wait next.

A topic is a match's id, BOARD for all live matches together, or CHANGES for what changes on the board.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar, cast

from wsproto.events import TextMessage

from api.delivery.answer import COMPRESS_MIN, RenderedAnswer, WaitOutcome
from api.delivery.frames import framed
from cdn import headers, keys
from db.domain import HOLD_MS, Cursor, Phase

# No match ids: they have a slash.
BOARD, CHANGES = "/live", "/live/changes"
OF_BOARD = (BOARD, CHANGES)

# No clock is so far ahead of the others.
AHEAD_MS = 24 * 60 * 60 * 1000
# Held answers bear no keys, for they need no purge; so every CDN understands them in the common dialect.
WAIT, AT_ONCE = headers.WAIT.headers(), headers.AT_ONCE.headers()


# ms. In a surge, a fifth of the requests of a reader who polls in play.
SURGE_POLL_MS = 10_000

T = TypeVar("T")

# Answers kept for a second: of a few slots and reasons, however many cursors somebody makes up.
RECENT_MAX = 64


class RecentAnswers:
    """Those of one second, which share their bytes: their Date may be so old."""

    def __init__(self) -> None:
        self.second = 0
        self.answers: dict[tuple[Cursor, Hashable], RenderedAnswer] = {}

    def get(self, cursor: Cursor, kind: Hashable, now_ms: int, render: Callable[[], RenderedAnswer]) -> RenderedAnswer:
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
    """topic: a match's id, BOARD or CHANGES.
    version: of the match, or the board.
    path: where it is read.
    json: the object without the paths to wait at and `poll_after_ms`, which `body` adds.
    poll_after_ms: when a reader without a hold reads again.
    phase: of the match; how long it may be kept.
    told: of the board: the version of the newest change that readers who wait are told of.
    replaced_by: the match under which it continues, None where it does not.
    recent: answers with it that many get.
    """

    topic: str
    version: int
    path: str
    json: bytes
    poll_after_ms: int
    phase: Phase
    told: int | None = None
    replaced_by: str | None = None
    recent: RecentAnswers = field(default_factory=RecentAnswers, init=False, repr=False, compare=False)

    @property
    def waited(self) -> int:
        """The version in its cursors. The board's own grows with each minute that ticks, which releases nobody."""
        return self.version if self.told is None else self.told

    def slot(self, now_ms: int) -> int:
        """Hold-lengths since the version was made, so that topics do not re-poll together."""
        return max(0, (now_ms - self.made_ms(now_ms)) // HOLD_MS)

    def made_ms(self, now_ms: int) -> int:
        """When the version was made. The board's is the sum of its shards' versions, of which each is a time: then its
        slots are counted from the epoch, for every process has to count them alike."""
        return self.waited if self.waited <= now_ms + AHEAD_MS else 0

    def cursor(self, now_ms: int) -> Cursor:
        return Cursor(self.waited, self.slot(now_ms))

    def base(self, _version: int | None) -> int | None:
        """Of which version an answer tells the difference to a reader who has the given one; None where it is whole."""
        return None

    @property
    def waits(self) -> dict[str, str]:
        """Where to wait, without the cursor, by the field that says so."""
        paths = {"next": f"{self.path}/wait"}
        return paths | {"changes": f"{self.path}/changes"} if self.topic == BOARD else paths

    def document(self, _base: int | None) -> bytes:
        """The object without what `body` adds. base: as of `base`."""
        return self.json

    def body(self, cursor: Cursor | None, held: WaitOutcome | None = None, base: int | None = None) -> bytes:
        """cursor: where to wait next; None where nothing waits for just this."""
        links = "".join(f',"{name}":{self._link(path, cursor)}' for name, path in self.waits.items())
        why = f',"held":"{held}"' if held else ""
        return self.document(base)[:-1] + f'{links},"poll_after_ms":{self.poll_after_ms}{why}}}'.encode()

    def _link(self, path: str, cursor: Cursor | None) -> str:
        """Where to wait, in JSON. Whoever waits for a match that continues as another goes on there."""
        if self.replaced_by:
            return f'"/api/score/{self.replaced_by}/wait/0.0"'
        return f'"{path}/{cursor}"' if cursor else "null"

    @cached_property
    def in_surge(self) -> Snapshot:
        """The same, for readers who are asked to come less often."""
        return replace(self, poll_after_ms=max(self.poll_after_ms, SURGE_POLL_MS))

    def answer(self, cursor: Cursor | None, held: WaitOutcome, base: int | None = None) -> RenderedAnswer:
        """held: what the asked cursor came to; changes and time-outs are immutable, the rest lives a second."""
        lasting = held in (WaitOutcome.CHANGED, WaitOutcome.TIMEOUT)
        cache = WAIT if lasting else AT_ONCE
        return RenderedAnswer(self.body(cursor, held, base), cache, close=held is WaitOutcome.DRAINING)

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """What purges it at the edge."""
        return (keys.LIVE,) if self.topic in OF_BOARD else (keys.match(self.topic),)

    @property
    def etag(self) -> str:
        return f"{self.topic.strip('/')}-{self.version}"

    @cached_property
    def shared(self) -> dict[tuple[str, int | None], Any]:
        """What many get of it, by its form and base: the same bytes."""
        return {}

    def changed(self, version: int) -> RenderedAnswer:
        """To all who waited with this version, whichever slot they waited in."""
        return self._shared("answer", version, lambda base: self.answer(Cursor(self.waited), WaitOutcome.CHANGED, base))

    def event(self, version: int | None = None) -> bytes:
        """As one Server-Sent Event (html.spec.whatwg.org, 9.2.6) to a reader who has this version; the body has no line
        breaks."""
        return self._shared("event", version, self._event)

    def frame(self, version: int | None = None, *, deflated: bool = False) -> bytes:
        """As one WebSocket message. deflated: for a client who takes permessage-deflate."""
        form = "deflated frame" if deflated else "frame"
        return self._shared(form, version, lambda base: self._frame(base, deflated=deflated))

    def _frame(self, base: int | None, *, deflated: bool) -> bytes:
        text = self.body(None, base=base).decode()
        return framed(TextMessage(text), deflated=deflated and len(text) >= COMPRESS_MIN)

    def _event(self, base: int | None) -> bytes:
        return b"id: %d\ndata: %b\n\n" % (self.waited, self.body(Cursor(self.waited), base=base))

    def _shared(self, form: str, version: int | None, render: Callable[[int | None], T]) -> T:
        base = self.base(version)
        if len(self.shared) >= RECENT_MAX:
            self.shared.clear()
        if (form, base) not in self.shared:
            self.shared[form, base] = render(base)
        return cast(T, self.shared[form, base])
