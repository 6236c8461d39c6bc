"""The clock: every second, ring for mailboxes whose bell was lost; every minute, housekeeping.

`python -m workers.clock`. Runs once per deployment; two of them do no harm.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from threading import Event, Thread

from cdn import headers
from config import set_up_logs
from db.domain import Stamp, Update
from db.domain.errors import Refused, Unavailable
from db.live.metrics import Reporter
from workers.boot import WorkerServices, begin
from workers.probe import Probe, check_at_start
from workers.reconcile import forsaken, reconcile

logger = logging.getLogger(__name__)

SWEEP_S = 1.0
# A healthy mailbox is emptied within 100 ms; after a second its bell, or the worker that heard it, is gone.
OVERDUE_MS = 1_000
# A parked match is tried again: most often a new release has mended the bug meanwhile.
PARKED_MS = 60_000
# Matches worked out anew in one sweep, and when again, if nobody has done so by then.
DUE_MAX, DUE_AGAIN_MS = 500, 5_000
KEEP_REFUSED_MS = 30 * 24 * 60 * 60 * 1000


def sweep(here: WorkerServices, *, now_ms: int) -> int:
    """Ring for every mailbox that has waited too long; returns how many bells that were."""
    rung = 0
    for shard in range(here.live.shards):
        if here.live.pending(shard, before_ms=now_ms - OVERDUE_MS):
            here.bells.ingest(shard)
            rung += 1
    rung += tick_due(here, now_ms=now_ms)
    next_ms = here.purges.next_ms()
    if next_ms is not None and next_ms < now_ms - OVERDUE_MS:
        here.bells.purge()
        rung += 1
    if is_history_due(here, now_ms=now_ms):
        here.bells.history()
        rung += 1
    # A window's end is rung for by nobody else; a second late is early enough for what has waited thirty.
    work_at = here.alerts.work_at()
    if work_at is not None and work_at <= now_ms:
        here.bells.push()
        rung += 1
    return rung


def is_history_due(here: WorkerServices, *, now_ms: int) -> bool:
    """Whether something has waited too long to be written to SQL, or to be merged with what is there."""
    since = here.live.history_waiting_since()
    if since is not None and since < now_ms - OVERDUE_MS:
        return True
    return bool(here.live.refused_waiting() or here.partials.due(now_ms - OVERDUE_MS, 1))


def tick_due(here: WorkerServices, *, now_ms: int) -> int:
    """Have matches worked out anew that have something due, as if they had been told the time; returns the bells."""
    due = here.live.due(now_ms, DUE_MAX)
    if not due:
        return 0
    held = [match.id for match in here.live.read(due) if match]
    _, bells = here.live.accept([Update(match_id, Stamp(0), now_ms) for match_id in held], now_ms=now_ms)
    here.live.put_off(due, held, until_ms=now_ms + DUE_AGAIN_MS)
    for shard in bells:
        here.bells.ingest(shard)
    return len(bells)


def housekeep(here: WorkerServices, *, now_ms: int) -> None:
    here.bells.prematch()
    for match_id in here.live.unpark(before_ms=now_ms - PARKED_MS):
        logger.warning("match_unparked match=%s", match_id)
    # Whoever reads the board counts what cannot be read: so that the count is of the last minutes without readers too.
    here.live.board()
    clear_board(here, now_ms=now_ms)
    here.history.forget_refused(before_ms=now_ms - KEEP_REFUSED_MS)


def clear_board(here: WorkerServices, *, now_ms: int) -> None:
    """A match that was never ended leaves the live list, and a day later Redis; its last known state stands in SQL."""
    for match in here.live.forsaken(**forsaken(now_ms)):
        if here.live.drop(match):
            logger.warning("match_forsaken match=%s status=%s updated_at=%d", match.id, match.status, match.updated_at)


class Clock:
    """Runs the schedule; a service that is away is named once a minute and tried again."""

    def __init__(self, here: WorkerServices) -> None:
        self.here = here
        self.stopping = Event()
        self.minute = -1

    def run(self) -> None:
        while not self.stopping.is_set():
            self.tick(time.time_ns() // 1_000_000)
            self.stopping.wait(SWEEP_S)

    def tick(self, now_ms: int) -> None:
        """Each step on its own: without SQL nothing can be rebuilt, but bells are swept all the same.

        Raises Refused where Redis is drained in another number of shards than this process knows.
        """
        for step in (self._agree, self._reconcile, self._sweep, self._housekeep):
            try:
                step(now_ms)
            except Unavailable as error:
                logger.warning("clock_waits step=%s reason=%r", step.__name__.strip("_"), error.message)

    def _agree(self, _now_ms: int) -> None:
        self.here.shards.agree()

    def _reconcile(self, now_ms: int) -> None:
        reconcile(self.here.live, self.here.history, now_ms=now_ms)

    def _sweep(self, now_ms: int) -> None:
        sweep(self.here, now_ms=now_ms)

    def _housekeep(self, now_ms: int) -> None:
        if now_ms // 60_000 != self.minute:
            self.minute = now_ms // 60_000
            housekeep(self.here, now_ms=now_ms)


def watch_edge(here: WorkerServices, stopping: Event) -> None:
    """Where it is known how readers come: what do they see, and does the CDN do as it is told."""
    settings = here.settings
    if not settings.public_url:
        return
    Probe(settings.redis_url, settings.public_url, stopping).start()
    asked = (settings.public_url, here.cdn, headers.dialect(settings.cdn), stopping)
    Thread(target=check_at_start, args=asked, name="edge-check", daemon=True).start()


def main() -> None:
    here = begin()
    set_up_logs(here.settings.log_level)
    clock = Clock(here)
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: clock.stopping.set())
    reporter = Reporter(here.live.redis)
    reporter.start()
    watch_edge(here, clock.stopping)
    logger.info("clock_started")
    try:
        clock.run()
    except Refused as error:
        sys.exit(error.message)
    finally:
        reporter.stop()


if __name__ == "__main__":
    main()
