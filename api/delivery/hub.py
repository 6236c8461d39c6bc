"""Room: who waits for which topic in this process. Knows neither Flask nor Redis nor sockets.

A reader of a held request is asked for nothing but `release(answer)`; it is released once and then forgotten. A reader
of a stream is asked for `offer(document)` each time, until it leaves. Waking is a loop that hands the same finished
bytes to every reader (bench/hold.py has the figures), so nothing in it may wait.

Order that makes a missed change impossible: `watch` a topic, read it, `know` what was read, then `ask`. A change after
`watch` is re-read by the listener; one before it is in what was read.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Protocol

from api.delivery.snapshot import RenderedAnswer, Snapshot, WaitOutcome
from db.domain import HOLD_MS, Cursor

# Topics kept although nobody waits for them: a season's worth of live matches, a few KB each.
TOPICS_MOST = 2_048
# Under common proxies' and browsers' idle limits (Heroku 55 s, nginx 60 s); the contract says 15.
BEAT_S = 15.0

# later(seconds, action): do it then; the answer takes it back.
Later = Callable[[float, Callable[[], None]], Callable[[], None]]


class Waiter(Protocol):
    """Of one held request. `hold` is where it sits, None once released."""

    hold: WaitGroup | None

    def release(self, answer: RenderedAnswer) -> None: ...


class Subscriber(Protocol):
    """Of a stream."""

    def offer(self, document: Snapshot) -> None: ...

    def beat(self) -> None: ...

    def end(self) -> None: ...


class WaitGroup:
    """All who wait with one cursor, and the cursor each came with. They are answered together: when the topic moves, or
    when its slot ends."""

    __slots__ = ("cursor", "end", "readers", "topic")

    def __init__(self, topic: str, cursor: Cursor) -> None:
        self.topic = topic
        self.cursor = cursor
        self.readers: dict[Waiter, Cursor] = {}
        self.end: Callable[[], None] | None = None


class Hub:
    """most: readers and streams that may be here at once. tell: is told how many ended, and how."""

    def __init__(
        self, most: int, later: Later, tell: Callable[[WaitOutcome, int], None] = lambda _held, _count: None
    ) -> None:
        self.most = most
        self.later = later
        self.tell = tell
        self.here = 0
        self.draining = False
        self.documents: OrderedDict[str, Snapshot | None] = OrderedDict()
        self.holds: dict[str, dict[int, WaitGroup]] = {}
        self.arrivals: dict[str, WaitGroup] = {}
        self.streams: dict[str, dict[Subscriber, None]] = {}
        self.topics_of: Counter[Subscriber] = Counter()
        self.beating = False
        # Only threads need it; under gevent nothing in here gives way.
        self.lock = threading.RLock()

    # What is known.

    def watch(self, topic: str) -> None:
        """From now on the listener keeps the topic current."""
        with self.lock:
            self.documents.setdefault(topic, None)
            self.documents.move_to_end(topic)
            while len(self.documents) > TOPICS_MOST and self._forget_oldest():
                pass

    def watched(self) -> list[str]:
        return list(self.documents)

    def known(self, topic: str) -> Snapshot | None:
        return self.documents.get(topic)

    def awaited(self, topic: str) -> bool:
        """Somebody waits for it, or is just reading it: what they get may be old by the time they have it."""
        return self._waited_for(topic) or self.documents.get(topic, topic) is None

    def forget(self, topic: str) -> None:
        """A topic nobody waits for need not be kept current: whoever comes next reads it anew."""
        with self.lock:
            if not self._waited_for(topic):
                self.documents.pop(topic, None)

    def give_up(self, topic: str) -> None:
        """It could not be read: unless something older is known of it, it is not to be kept current either."""
        with self.lock:
            if self.known(topic) is None and not self._waited_for(topic):
                self.documents.pop(topic, None)

    def _waited_for(self, topic: str) -> bool:
        return topic in self.holds or topic in self.streams

    def know(self, document: Snapshot) -> None:
        """The topic as just read. Older than what is known, it says nothing; newer, it releases all who wait."""
        with self.lock:
            before = self.documents.get(document.topic)
            if document.topic not in self.documents or (before and before.version >= document.version):
                return
            self.documents[document.topic] = document
            holds = self.holds.pop(document.topic, {})
            listeners = list(self.streams.get(document.topic, ()))
        for hold in holds.values():
            self._release(hold, document.changed, WaitOutcome.CHANGED)
        for listener in listeners:
            listener.offer(document)

    # Held requests.

    def ask(self, topic: str, cursor: Cursor, reader: Waiter, now_ms: int) -> RenderedAnswer | None:
        """None: the reader is held and will be released. Else the answer to give it now."""
        with self.lock:
            document = self.documents[topic]
            assert document is not None  # noqa: S101 - the caller has just made it known
            held = self._at_once(document, cursor, now_ms)
            if held is None:
                self._seat(self._hold(document, cursor, now_ms), cursor, reader)
                return None
        self.tell(held, 1)
        keeps = held in (WaitOutcome.DRAINING, WaitOutcome.FULL)
        return document.answer(cursor if keeps else document.cursor(now_ms), held)

    def arrive(self, topic: str, cursor: Cursor, reader: Waiter) -> bool:
        """Wait until a topic has been read of which nothing, or less than the reader has seen, is known; True for the
        first, who has to see to that.

        When a process has just started, a crowd asks at once: it must not become a crowd of greenlets in one queue.
        """
        with self.lock:
            first = topic not in self.arrivals
            self._seat(self.arrivals.setdefault(topic, WaitGroup(topic, cursor)), cursor, reader)
        return first

    def foremost(self, topic: str) -> int:
        """The newest version that any of those who have arrived has seen."""
        with self.lock:
            arrivals = self.arrivals.get(topic)
            return max((cursor.version for cursor in arrivals.readers.values()), default=0) if arrivals else 0

    def admit(self, topic: str, now_ms: int, failure: RenderedAnswer | None = None) -> None:
        """The topic was read, or could not be: those who came meanwhile are held or answered."""
        with self.lock:
            arrivals = self.arrivals.pop(topic, None)
            readers = arrivals.readers if arrivals else {}
            self.here -= len(readers)
        for reader, cursor in readers.items():
            reader.hold = None
            answer = failure or self.ask(topic, cursor, reader, now_ms)
            if answer:
                reader.release(answer)

    def _seat(self, hold: WaitGroup, cursor: Cursor, reader: Waiter) -> None:
        hold.readers[reader] = cursor
        reader.hold = hold
        self.here += 1

    def leave(self, reader: Waiter) -> None:
        """The client has gone; nothing is written any more."""
        with self.lock:
            hold, reader.hold = reader.hold, None
            if hold is not None and reader in hold.readers:
                del hold.readers[reader]
                self.here -= 1
                self.tell(WaitOutcome.GONE, 1)
                if not hold.readers:
                    self._drop(hold)

    def _at_once(self, document: Snapshot, cursor: Cursor, now_ms: int) -> WaitOutcome | None:
        """Why it is not held. Only the version in force and the slots beside the present one are worth holding:
        anything else would let anybody make up URLs that an edge must fetch one by one."""
        slot = document.slot(now_ms)
        if cursor.version < document.version or (cursor.version == document.version and cursor.slot < slot - 1):
            return WaitOutcome.BEHIND
        if cursor.version > document.version or cursor.slot > slot + 1:
            return WaitOutcome.AHEAD
        if self.draining:
            return WaitOutcome.DRAINING
        return WaitOutcome.FULL if self.here >= self.most else None

    def _hold(self, document: Snapshot, cursor: Cursor, now_ms: int) -> WaitGroup:
        """The hold of that cursor; its first reader sets its end, for the others come later and wait less."""
        found = self.holds.setdefault(document.topic, {}).get(cursor.slot)
        if found is None:
            found = self.holds[document.topic][cursor.slot] = WaitGroup(document.topic, cursor)
            last = max(cursor.slot, document.slot(now_ms))
            ends_ms = document.version + (last + 1) * HOLD_MS
            wait_ms = min(max(ends_ms - now_ms, 0), HOLD_MS)
            found.end = self.later(wait_ms / 1000, lambda hold=found, at=now_ms + wait_ms: self._time_out(hold, at))  # type: ignore[misc]
        return found

    def _time_out(self, hold: WaitGroup, now_ms: int) -> None:
        with self.lock:
            document = self.documents.get(hold.topic)
            if self.holds.get(hold.topic, {}).get(hold.cursor.slot) is not hold or document is None:
                return
            # Its end has come: taking that back would be to kill the greenlet this runs in.
            hold.end = None
            self._drop(hold)
        following = max(hold.cursor.slot + 1, document.slot(now_ms))
        self._release(
            hold, document.answer(Cursor(document.version, following), WaitOutcome.TIMEOUT), WaitOutcome.TIMEOUT
        )

    def _drop(self, hold: WaitGroup) -> None:
        slots = self.holds.get(hold.topic, {})
        if slots.get(hold.cursor.slot) is hold:
            del slots[hold.cursor.slot]
            if not slots:
                self.holds.pop(hold.topic, None)
        if hold.end:
            hold.end()

    def _release(self, hold: WaitGroup, answer: RenderedAnswer, held: WaitOutcome) -> None:
        """Bytes first: nothing here may give way to another greenlet before the last reader has its answer."""
        if hold.end:
            hold.end()
        with self.lock:
            readers, hold.readers = hold.readers, {}
        for reader in readers:
            reader.hold = None
            reader.release(answer)
        with self.lock:
            self.here -= len(readers)
        self.tell(held, len(readers))

    # Streams.

    def join(self, topic: str, listener: Subscriber) -> bool:
        """From now on it is offered every change of the topic; False if the room is full or being emptied. A listener
        takes one place, however many topics it has."""
        with self.lock:
            if self.draining or (self.here >= self.most and listener not in self.topics_of):
                self.tell(WaitOutcome.DRAINING if self.draining else WaitOutcome.FULL, 1)
                return False
            if listener not in self.streams.setdefault(topic, {}):
                self.streams[topic][listener] = None
                self.here += listener not in self.topics_of
                self.topics_of[listener] += 1
            if not self.beating:
                self.beating = True
                self.later(BEAT_S, self._beat)
        return True

    def audience(self, topic: str) -> int:
        """How many streams are offered it."""
        return len(self.streams.get(topic, ()))

    def part(self, topic: str, listener: Subscriber) -> None:
        with self.lock:
            listeners = self.streams.get(topic, {})
            if listener not in listeners:
                return
            del listeners[listener]
            if not listeners:
                del self.streams[topic]
            self.topics_of[listener] -= 1
            if not self.topics_of[listener]:
                del self.topics_of[listener]
                self.here -= 1
                self.tell(WaitOutcome.GONE, 1)

    def _beat(self) -> None:
        listeners = list(self.topics_of)
        self.beating = bool(listeners)
        if self.beating:
            self.later(BEAT_S, self._beat)
        for listener in listeners:
            listener.beat()

    # The end.

    def drain(self) -> None:
        """The process is to end: everybody is answered now, with the cursor they came with, and streams are closed."""
        with self.lock:
            self.draining = True
            holds = [hold for slots in self.holds.values() for hold in slots.values()]
            self.holds.clear()
            listeners = list(self.topics_of)
        for hold in holds:
            document = self.documents[hold.topic]
            assert document is not None  # noqa: S101 - what is waited for is known
            self._release(hold, document.answer(hold.cursor, WaitOutcome.DRAINING), WaitOutcome.DRAINING)
        for listener in listeners:
            listener.end()

    def _forget_oldest(self) -> bool:
        for topic in self.documents:
            if not self.awaited(topic):
                del self.documents[topic]
                return True
        return False
