"""The clock: every second ring for mailboxes whose doorbell was lost, every minute do the housekeeping.

`python -m workers.clock`. One per deployment; a second one does no harm.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from threading import Event, Thread

from cdn import headers
from config import set_up_logs
from db.domain import Stamp, Subject, Update
from db.domain.errors import Refused, Unavailable
from db.live import metrics
from db.live.metrics import Reporter
from workers.boot import WorkerServices, begin
from workers.plan import turns
from workers.probe import Probe, check_at_start
from workers.reconcile import reconcile, stale_bounds

logger = logging.getLogger(__name__)

SWEEP_S = 1.0
# A healthy mailbox is emptied within 100 ms. After a second its doorbell, or the worker that took it, is gone.
OVERDUE_MS = 1_000
# Parked matches are retried: a new release may have fixed the bug.
PARKED_MS = 60_000
# Matches derived again in one sweep, and the delay before the next attempt.
DUE_MAX, DUE_AGAIN_MS = 500, 5_000
# Matches whose other names are joined to them in one go, where that was not done at once.
JOINED_MAX = 100
DAY_MS = 24 * 60 * 60 * 1000
KEEP_REFUSED_MS = 30 * DAY_MS
# Accounts deleted in one go: each takes up to ten devices and 500 follows with it.
EXPIRED_MAX = 100
# Matches whose timelines are deleted in one go, 2,000 rows each at the most: 28,800 a day.
FORGOTTEN_MAX = 20


def sweep(services: WorkerServices, *, now_ms: int) -> int:
    """Ring for every overdue mailbox; returns the number of doorbells."""
    overdue = services.live.inbox.overdue(now_ms - OVERDUE_MS)
    for shard in overdue:
        services.bells.ingest(shard)
    rung = len(overdue)
    rung += tick_due(services, now_ms=now_ms)
    next_ms = services.purges.next_ms()
    if next_ms is not None and next_ms < now_ms - OVERDUE_MS:
        services.bells.purge()
        rung += 1
    if is_history_due(services, now_ms=now_ms):
        services.bells.history()
        rung += 1
    drawn_from_ms = services.pictures.next_ms()
    if drawn_from_ms is not None and drawn_from_ms < now_ms - OVERDUE_MS:
        services.bells.pictures()
        rung += 1
    # Nobody else rings for the end of a window. One second late is fine after thirty.
    work_at = services.alerts.work_at()
    if work_at is not None and work_at <= now_ms:
        services.bells.push()
        rung += 1
    return rung


def is_history_due(services: WorkerServices, *, now_ms: int) -> bool:
    """Whether something is overdue to be written to SQL or merged with it."""
    since = services.live.outbox.waiting_since()
    if since is not None and since < now_ms - OVERDUE_MS:
        return True
    documents = services.live.documents.pending(1)
    if documents and documents[0].score < now_ms - OVERDUE_MS:
        return True
    return bool(services.live.refusals.waiting() or services.partials.due(now_ms - OVERDUE_MS, 1))


def tick_due(services: WorkerServices, *, now_ms: int) -> int:
    """Have matches with something due derived again, by an empty update; returns the number of doorbells."""
    due = services.live.inbox.due(now_ms, DUE_MAX)
    if not due:
        return 0
    match_ids = [match.id for match in services.live.matches.read(due) if match]
    _, bells = services.live.inbox.accept([Update(match_id, Stamp(0), now_ms) for match_id in match_ids], now_ms=now_ms)
    services.live.inbox.postpone(due, match_ids, until_ms=now_ms + DUE_AGAIN_MS)
    for shard in bells:
        services.bells.ingest(shard)
    return len(bells)


def expire_accounts(services: WorkerServices, *, now_ms: int) -> None:
    """A few at a time: this runs each minute, and each account takes its devices and follows with it."""
    before_ms = now_ms - services.settings.account_keep_days * DAY_MS
    expired = services.accounts.expire(before_ms=before_ms, limit=EXPIRED_MAX)
    if expired:
        metrics.ACCOUNTS_EXPIRED.add(expired)
        logger.info("accounts_expired count=%d", expired)


def housekeep(services: WorkerServices, *, now_ms: int) -> None:
    """The first that cannot be done ends it until the next minute, or a database that hangs would hold up doorbells for
    seconds at each. So what others wait for comes first: in Redis, then the months of history."""
    services.bells.prematch()
    before_ms = now_ms - PARKED_MS
    for match_id in services.live.inbox.adopt():
        logger.warning("match_adopted match=%s", match_id)
    for match_id in services.live.inbox.unpark(before_ms=before_ms) + services.live.outbox.unpark(before_ms=before_ms):
        logger.warning("match_unparked match=%s", match_id)
    # Reading the board counts undecodable matches; without readers the count would go stale.
    services.live.board.read()
    clear_board(services, now_ms=now_ms)
    services.pictures.trim(now_ms=now_ms)
    keep_history(services, now_ms=now_ms)
    refill_names(services, now_ms=now_ms)
    services.history.refused_payloads.forget(before_ms=now_ms - KEEP_REFUSED_MS)
    expire_accounts(services, now_ms=now_ms)


def keep_history(services: WorkerServices, *, now_ms: int) -> None:
    """Months ahead are made, and those of HISTORY_KEEP_DAYS ago are dropped; elsewhere rows are deleted."""
    history, before_ms = services.history, now_ms - services.settings.history_keep_days * DAY_MS
    for name in history.months.make(now_ms=now_ms):
        logger.info("history_month_made name=%s", name)
    if forgotten := history.forget_details(before_ms=before_ms, limit=FORGOTTEN_MAX):
        logger.info("history_forgotten matches=%d", forgotten)
    for name in history.months.drop(before_ms=before_ms):
        logger.info("history_month_dropped name=%s", name)


def refill_names(services: WorkerServices, *, now_ms: int) -> None:
    """Redis's copy of other names, where it has lost some, or was not there when one was added. The same of the record
    that is to be joined."""
    for subject in (Subject.MATCH, Subject.TEAM):
        if services.live.names.count(subject) < services.history.names.count(subject):
            names = services.history.names.all(subject)
            services.live.names.add(subject, names)
            logger.warning("names_refilled subject=%s names=%d", subject.value, len(names))
    services.partials.add(services.history.names.waiting(JOINED_MAX, before_ms=now_ms - PARKED_MS), now_ms=now_ms)


def clear_board(services: WorkerServices, *, now_ms: int) -> None:
    """A stale match leaves the live list, and Redis a day later. SQL keeps its last state."""
    for match in services.live.board.stale(**stale_bounds(now_ms)):
        if services.live.board.drop(match):
            logger.warning("match_forsaken match=%s status=%s updated_at=%d", match.id, match.status, match.updated_at)


class Clock:
    """Runs the schedule. A step whose service is away is logged and tried again."""

    def __init__(self, services: WorkerServices) -> None:
        self.services = services
        self.stopping = Event()
        self.minute = -1

    def run(self) -> None:
        while not self.stopping.is_set():
            self.tick(time.time_ns() // 1_000_000)
            self.stopping.wait(SWEEP_S)

    def tick(self, now_ms: int) -> None:
        """Each step by itself: without SQL nothing can be rebuilt, but doorbells are still swept.

        Raises Refused where Redis has another number of shards than this process.
        """
        for step in (self._agree, self._reconcile, self._sweep, self._housekeep):
            try:
                if not self.services.shards.is_frozen():
                    step(now_ms)
            except Unavailable as error:
                logger.warning("clock_waits step=%s reason=%r", step.__name__.strip("_"), error.message)

    def _agree(self, _now_ms: int) -> None:
        self.services.shards.agree()

    def _reconcile(self, now_ms: int) -> None:
        reconcile(self.services.live, self.services.history, now_ms=now_ms)

    def _sweep(self, now_ms: int) -> None:
        sweep(self.services, now_ms=now_ms)

    def _housekeep(self, now_ms: int) -> None:
        if now_ms // 60_000 != self.minute:
            self.minute = now_ms // 60_000
            housekeep(self.services, now_ms=now_ms)


def watch_edge(services: WorkerServices, stopping: Event) -> None:
    """With a PUBLIC_URL: probe what readers see, and check the CDN once."""
    settings = services.settings
    if not settings.public_url:
        return
    Probe(services.news, settings.public_url, stopping).start()
    arguments = (settings.public_url, services.cdn, headers.dialect(settings.cdn), stopping)
    Thread(target=check_at_start, args=arguments, name="edge-check", daemon=True).start()


def main() -> None:
    services = begin()
    set_up_logs(services.settings.log_level)
    clock = Clock(services)
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: clock.stopping.set())
    reporter = Reporter(services.figures)
    reporter.start()
    watch_edge(services, clock.stopping)
    turns.begin(services, clock.stopping)
    logger.info("clock_started")
    try:
        clock.run()
    except Refused as error:
        sys.exit(error.message)
    finally:
        reporter.stop()


if __name__ == "__main__":
    main()
