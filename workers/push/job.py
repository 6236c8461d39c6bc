"""The push jobs: from a match's news to alerts, from alerts to chunks, from chunks to phones.

All work is stored in Redis (db.live.alerts). Any number of jobs may run; each takes the most urgent piece, and the
piece of a killed job is taken over by another.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from db.bugs import set_aside_on_bug
from db.codec import decode_facts
from db.domain import Match
from db.domain.errors import Unavailable
from db.live.alerts import Alerts
from notify.content.news import News, news_of
from workers.boot import WorkerServices, services
from workers.push.intake import WindowTransaction
from workers.push.live_activities import LiveActivities
from workers.push.planner import Planner
from workers.push.sender import ChunkSender
from workers.queues import PUSH, Doorbells

logger = logging.getLogger(__name__)

# A job ends after this long, or after its present piece once a more urgent job waits: RQ has no other way to let scores
# and purges pass.
LIFE_S = 1.0
# Matches read in one turn, and changes read of each.
MATCHES, CHANGES = 50, 50


def work() -> None:
    """The job behind the push bell."""
    here = services()
    if not here.shards.is_frozen():
        work_off(push_of(here))


@lru_cache(maxsize=1)
def push_of(here: WorkerServices) -> PushJobs:
    sender = ChunkSender(here.chunks, here.audience, here.transports)
    planner = Planner(here.plans, here.chunks, here.audience, here.transports, here.bells)
    activities = LiveActivities(here.broadcasts, here.audience, here.live, here.transports)
    return PushJobs(here.alerts, planner, sender, activities, here.bells)


def work_off(push: PushJobs) -> None:
    """Work until nothing is left and clear the doorbell, or hand over to the next job."""
    started = time.monotonic()
    try:
        while push.turn(now_ms=time.time_ns() // 1_000_000):
            if time.monotonic() - started > LIFE_S or push.bells.ahead(PUSH):
                push.bells.push()
                return
    except Unavailable as error:
        logger.warning("push_waits reason=%r", error.message)
        return
    if not push.alerts.clear_bell():
        push.bells.push()


class PushJobs:
    """The push work of one worker."""

    def __init__(
        self, alerts: Alerts, planner: Planner, sender: ChunkSender, activities: LiveActivities, bells: Doorbells
    ) -> None:
        self.alerts = alerts
        self.planner = planner
        self.sender = sender
        self.activities = activities
        self.bells = bells

    def turn(self, *, now_ms: int) -> bool:
        """Do the most urgent piece of work; False if there is none. News comes first, because it may stop what is being
        sent; then Live Activities: one request reaches all phones of a match, a chunk a thousand. A plan in slices
        takes turns with chunks: nobody waits until the last follower is planned."""
        return (
            self.read_mailboxes(now_ms=now_ms)
            or self.activities.turn(now_ms=now_ms)
            or self.planner.turn(now_ms=now_ms)
            or any([self.planner.turn_slice(now_ms=now_ms), self.sender.turn(now_ms=now_ms)])
        )

    def read_mailboxes(self, *, now_ms: int) -> bool:
        """Empty the mailboxes, and close the windows that have ended."""
        pending = self.alerts.pending(MATCHES)
        for match_id in pending:
            self._or_park(self._read, match_id, now_ms)
        due = self.alerts.due(now_ms)
        for match_id in due:
            self._or_park(self._close, match_id, now_ms)
        return bool(pending or due)

    def _or_park(self, step: Callable[[str, int], None], match_id: str, now_ms: int) -> None:
        """A match whose news hits a bug must not block the others: it is set aside and tried again later."""

        def park() -> None:
            self.alerts.park(match_id, now_ms=now_ms)

        with set_aside_on_bug("push_parked match=%s", match_id, aside=park):
            step(match_id, now_ms)

    def announce(self, match: Match, *news: News, now_ms: int) -> None:
        """Add news that is in no mailbox. If another worker commits at the same time it has no effect; it can be
        repeated, because nothing is announced twice."""
        transaction = WindowTransaction(self.alerts, match.id, replace(self.alerts.mailbox(match.id, 1), changes=()))
        transaction.apply(match, news, now_ms=now_ms)
        transaction.commit(now_ms=now_ms)

    def _read(self, match_id: str, now_ms: int) -> None:
        transaction = WindowTransaction(self.alerts, match_id, self.alerts.mailbox(match_id, CHANGES))
        for change in transaction.box.changes:
            match = change.with_events
            transaction.apply(match, news_of(match, decode_facts(change.facts)), now_ms=now_ms)
        transaction.commit(now_ms=now_ms)

    def _close(self, match_id: str, now_ms: int) -> None:
        transaction = WindowTransaction(self.alerts, match_id, self.alerts.mailbox(match_id, CHANGES))
        if transaction.box.changes:
            # New changes may cancel what waits.
            return self._read(match_id, now_ms)
        transaction.close(now_ms=now_ms)
        return transaction.commit(now_ms=now_ms)
