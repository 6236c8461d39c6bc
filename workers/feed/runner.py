"""Keeps one feed read: takes its lease, starts its reader, and starts it again with growing pauses."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from threading import Event

from db.backoff import doubled
from db.bugs import set_aside_on_bug
from db.domain.errors import Refused, Unavailable
from db.live.feeds import LEASE_MS, Lease
from workers.feed.session import FeedReader, FeedSession

logger = logging.getLogger(__name__)

RENEW_S = LEASE_MS / 1000 / 3
# Pause before the next attempt, full jitter, doubling at each failure until something is heard. Providers ban clients
# that reconnect in a tight loop; a goal must not wait for longer than half a minute after they are back.
RETRY_S, RETRY_MAX_S = 0.5, 20.0


class FeedRunner(threading.Thread):
    """session_of: makes a session of the reader, the name of its place, and the event that ends it."""

    def __init__(
        self,
        reader: FeedReader,
        lease: Lease,
        session_of: Callable[[FeedReader, str, Event], FeedSession],
        stopping: Event,
    ) -> None:
        super().__init__(name=f"feed-{reader.name}", daemon=True)
        self.reader, self.lease, self.session_of, self.stopping = reader, lease, session_of, stopping
        self.failures = 0

    def run(self) -> None:
        while not self.stopping.is_set():
            session = self._begun()
            if session:
                self._hold_and_read(session, session.halt)
            self.stopping.wait(RENEW_S)

    def _begun(self) -> FeedSession | None:
        """None where others have the lease, or Redis is away."""
        try:
            return self.session_of(self.reader, self.lease.place, Event()) if self.lease.acquire() else None
        except Unavailable as error:
            logger.warning("feed_waits feed=%s reason=%r", self.reader.name, error.message)
            return None

    def _hold_and_read(self, session: FeedSession, halt: Event) -> None:
        """Until the process stops or the lease is lost."""
        renewal = threading.Thread(target=self._renew, args=(halt,), name=f"lease-{self.reader.name}", daemon=True)
        renewal.start()
        logger.info("feed_taken feed=%s holder=%s", self.reader.name, session.health.holder)
        try:
            while not halt.is_set():
                self._read(session, halt)
        finally:
            halt.set()
            renewal.join()
            self._release(session)

    def _read(self, session: FeedSession, halt: Event) -> None:
        heard_before = session.health.heard_at
        try:
            with set_aside_on_bug("feed_failed feed=%s", self.reader.name, aside=lambda: session.lost("a bug")):
                self._read_once(session)
        except Unavailable as error:
            session.lost(error.message)
        if halt.is_set():
            return
        self.failures = 0 if session.health.heard_at > heard_before else self.failures + 1
        halt.wait(random.uniform(0, doubled(RETRY_S, self.failures, RETRY_MAX_S)))

    def _read_once(self, session: FeedSession) -> None:
        """A refusal is of the connection here, such as a wrong key: it is tried again, too, for keys are mended."""
        try:
            self.reader.read(session)
        except Refused as error:
            session.lost(error.message)

    def _renew(self, halt: Event) -> None:
        """Ends the reader where the process stops, or the lease is another's. Without Redis nothing can be accepted
        either, so the reader goes on until it notices by itself."""
        while not halt.wait(RENEW_S / 2):
            if self.stopping.is_set() or not self._still_ours():
                halt.set()

    def _still_ours(self) -> bool:
        try:
            return self.lease.acquire()
        except Unavailable:
            return True

    def _release(self, session: FeedSession) -> None:
        try:
            if self.reader.places > 1 and self.lease.place:
                # From now on there may be fewer of them.
                session.states.forget(session.health.name)
            self.lease.release()
        except Unavailable:
            logger.debug("feed_lease_kept feed=%s", self.reader.name)
