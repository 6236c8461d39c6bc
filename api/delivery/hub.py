"""Who waits for which topic in this process. Knows neither Flask nor Redis nor sockets.

A reader of a held request is asked for nothing but `release(answer)`; it is released once and then forgotten. A reader
of a stream is asked for `offer(snapshot)` each time, until it leaves. Waking is a loop that hands the same finished
bytes to every reader (bench/hold.py has the figures), so nothing in it may wait.

Order that makes a missed change impossible: `watch` a topic, read it, `know` what was read, then `ask`. A change after
`watch` is re-read by the listener; one before it is in what was read.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import cycle

from api.delivery.answer import RenderedAnswer, WaitOutcome
from api.delivery.ramp import Ramp
from api.delivery.snapshot import Snapshot
from api.delivery.wait_group import Later, Subscriber, Waiter, WaitGroup
from db.domain import HOLD_MS, Cursor

logger = logging.getLogger(__name__)

# Topics kept although nobody waits for them: a season's worth of live matches, a few KB each.
TOPICS_MAX = 2_048
# Under common proxies' and browsers' idle limits (Heroku 55 s, nginx 60 s); the contract says 15.
BEAT_S = 15.0


class Hub:
    """most: readers and streams that may be here at once.
    later: does something after a time.
    count: is called with how many ended, and how.
    lock: for servers with threads. Under gevent nothing in here gives way, and none is needed.
    ramp: how `most` is reached; at once without.
    """

    def __init__(
        self,
        most: int,
        later: Later,
        count: Callable[[WaitOutcome, int], None] = lambda _held, _number: None,
        lock: AbstractContextManager[object] | None = None,
        ramp: Ramp | None = None,
    ) -> None:
        self.most = most
        self.later = later
        self.count = count
        self.ramp = ramp or Ramp(0)
        self.here = 0
        self.draining = False
        self.surging = False
        self.snapshots: OrderedDict[str, Snapshot | None] = OrderedDict()
        self.holds: dict[str, dict[int, WaitGroup]] = {}
        self.arrivals: dict[str, WaitGroup] = {}
        self.streams: dict[str, dict[Subscriber, None]] = {}
        self.topics_of: Counter[Subscriber] = Counter()
        self.beating = False
        self.lock = lock or threading.RLock()

    # Snapshots.

    def watch(self, topic: str) -> None:
        """From now on the listener keeps the topic current."""
        with self.lock:
            self.snapshots.setdefault(topic, None)
            self.snapshots.move_to_end(topic)
            while len(self.snapshots) > TOPICS_MAX and self._forget_oldest():
                pass

    def watched(self) -> list[str]:
        return list(self.snapshots)

    def snapshot(self, topic: str) -> Snapshot | None:
        return self.snapshots.get(topic)

    def awaited(self, topic: str) -> bool:
        """Somebody waits for it, or is just reading it: what they get may be old by the time they have it."""
        return self._waited_for(topic) or self.snapshots.get(topic, topic) is None

    def forget(self, topic: str) -> None:
        """A topic nobody waits for need not be kept current: whoever comes next reads it anew."""
        with self.lock:
            if not self._waited_for(topic):
                self.snapshots.pop(topic, None)

    def give_up(self, topic: str) -> None:
        """It could not be read: unless something older is known of it, it is not to be kept current either."""
        with self.lock:
            if self.snapshot(topic) is None and not self._waited_for(topic):
                self.snapshots.pop(topic, None)

    def _waited_for(self, topic: str) -> bool:
        return topic in self.holds or topic in self.streams

    def know(self, snapshot: Snapshot) -> None:
        """The topic as just read. Older than what is known, it says nothing; newer, it releases all who wait, unless
        nothing changed that they are told of."""
        with self.lock:
            before = self.snapshots.get(snapshot.topic)
            if snapshot.topic not in self.snapshots or (before and before.version >= snapshot.version):
                return
            self.snapshots[snapshot.topic] = snapshot
            if before and before.waited >= snapshot.waited:
                return
            holds = self.holds.pop(snapshot.topic, {})
            listeners = list(self.streams.get(snapshot.topic, ()))
        for group in holds.values():
            self._release(group, snapshot.changed(group.cursor.version), WaitOutcome.CHANGED)
        for listener in listeners:
            listener.offer(snapshot)

    # Held requests.

    @property
    def limit(self) -> int:
        """Readers and streams that may be here now."""
        return self.ramp.limit(self.most)

    @property
    def is_full(self) -> bool:
        """Nobody more is held. In a surge nobody is, and whoever is here already stays."""
        return self.surging or self.here >= self.limit

    def ask(self, topic: str, cursor: Cursor, reader: Waiter | None, now_ms: int) -> RenderedAnswer | None:
        """None: the reader is held and will be released. Else the answer to give it now. reader: None for one that has
        no place, and cannot be held."""
        with self.lock:
            snapshot = self.snapshots[topic]
            assert snapshot is not None  # noqa: S101 - the caller has just made it known
            held = self._at_once(snapshot, cursor, now_ms)
            if held is None:
                if reader is not None:
                    self._seat(self._group(snapshot, cursor, now_ms), cursor, reader)
                    return None
                held = WaitOutcome.FULL
        self.count(held, 1)
        keeps = held in (WaitOutcome.DRAINING, WaitOutcome.FULL)
        following = cursor if keeps else snapshot.cursor(now_ms)
        base = snapshot.base(cursor.version)
        shown, goes_on = (snapshot.in_surge, None) if self.surging else (snapshot, following)
        return shown.recent.get(following, (held, base), now_ms, lambda: shown.answer(goes_on, held, base))

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

    def admit(self, topic: str, now_ms: int, failures: Sequence[RenderedAnswer] = ()) -> None:
        """The topic was read, or could not be: those who came meanwhile are held or answered. failures: of which each
        gets another one."""
        with self.lock:
            arrivals = self.arrivals.pop(topic, None)
            readers = arrivals.readers if arrivals else {}
            self.here -= len(readers)
        each = cycle(failures)
        for reader, cursor in readers.items():
            reader.hold = None
            answer = next(each, None) or self.ask(topic, cursor, reader, now_ms)
            if answer:
                self._answer(reader, answer)

    def _seat(self, group: WaitGroup, cursor: Cursor, reader: Waiter) -> None:
        group.readers[reader] = cursor
        reader.hold = group
        self.here += 1

    def leave(self, reader: Waiter) -> None:
        """The client has gone; nothing is written any more."""
        with self.lock:
            group, reader.hold = reader.hold, None
            if group is not None and reader in group.readers:
                del group.readers[reader]
                self.here -= 1
                self.count(WaitOutcome.GONE, 1)
                if not group.readers:
                    self._drop(group)

    def _at_once(self, snapshot: Snapshot, cursor: Cursor, now_ms: int) -> WaitOutcome | None:
        """Why it is not held. Only the version in force and the slots beside the present one are worth holding:
        anything else would let anybody make up URLs that an edge must fetch one by one."""
        slot = snapshot.slot(now_ms)
        if cursor.version < snapshot.waited or (cursor.version == snapshot.waited and cursor.slot < slot - 1):
            return WaitOutcome.BEHIND
        if cursor.version > snapshot.waited or cursor.slot > slot + 1:
            return WaitOutcome.AHEAD
        if self.draining:
            return WaitOutcome.DRAINING
        return WaitOutcome.FULL if self.is_full else None

    def _group(self, snapshot: Snapshot, cursor: Cursor, now_ms: int) -> WaitGroup:
        """The group of that cursor; its first reader sets its end, for the others come later and wait less."""
        group = self.holds.setdefault(snapshot.topic, {}).get(cursor.slot)
        if group is None:
            group = self.holds[snapshot.topic][cursor.slot] = WaitGroup(snapshot.topic, cursor)
            last = max(cursor.slot, snapshot.slot(now_ms))
            ends_ms = snapshot.made_ms(now_ms) + (last + 1) * HOLD_MS
            wait_ms = min(max(ends_ms - now_ms, 0), HOLD_MS)
            group.end = self.later(wait_ms / 1000, lambda group=group, at=now_ms + wait_ms: self._time_out(group, at))  # type: ignore[misc]
        return group

    def _time_out(self, group: WaitGroup, now_ms: int) -> None:
        with self.lock:
            snapshot = self.snapshots.get(group.topic)
            if self.holds.get(group.topic, {}).get(group.cursor.slot) is not group or snapshot is None:
                return
            # Its end has come: taking that back would be to kill the greenlet this runs in.
            group.end = None
            self._drop(group)
        following = max(group.cursor.slot + 1, snapshot.slot(now_ms))
        base = snapshot.base(group.cursor.version)
        answer = snapshot.answer(Cursor(snapshot.waited, following), WaitOutcome.TIMEOUT, base)
        self._release(group, answer, WaitOutcome.TIMEOUT)

    def _drop(self, group: WaitGroup) -> None:
        slots = self.holds.get(group.topic, {})
        if slots.get(group.cursor.slot) is group:
            del slots[group.cursor.slot]
            if not slots:
                self.holds.pop(group.topic, None)
        if group.end:
            group.end()

    def _release(self, group: WaitGroup, answer: RenderedAnswer, held: WaitOutcome) -> None:
        """Bytes first: nothing here may give way to another greenlet before the last reader has its answer."""
        if group.end:
            group.end()
        with self.lock:
            readers, group.readers = group.readers, {}
        for reader in readers:
            reader.hold = None
            self._answer(reader, answer)
        with self.lock:
            self.here -= len(readers)
        self.count(held, len(readers))

    @staticmethod
    def _answer(reader: Waiter, answer: RenderedAnswer) -> None:
        """A bug with one of them must not leave the others without theirs."""
        try:
            reader.release(answer)
        except Exception:
            logger.exception("release_failed")

    # Streams.

    def join(self, topic: str, listener: Subscriber) -> bool:
        """From now on it is offered every change of the topic; False if the hub is full or draining. A listener
        takes one place, however many topics it has."""
        with self.lock:
            if self.draining or (self.is_full and listener not in self.topics_of):
                self.count(WaitOutcome.DRAINING if self.draining else WaitOutcome.FULL, 1)
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
                self.count(WaitOutcome.GONE, 1)

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
            holds = [group for slots in self.holds.values() for group in slots.values()]
            self.holds.clear()
            listeners = list(self.topics_of)
        for group in holds:
            snapshot = self.snapshots[group.topic]
            assert snapshot is not None  # noqa: S101 - what is waited for is known
            base = snapshot.base(group.cursor.version)
            self._release(group, snapshot.answer(group.cursor, WaitOutcome.DRAINING, base), WaitOutcome.DRAINING)
        for listener in listeners:
            listener.end()

    def _forget_oldest(self) -> bool:
        for topic in self.snapshots:
            if not self.awaited(topic):
                del self.snapshots[topic]
                return True
        return False
