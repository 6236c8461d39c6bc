"""The push jobs: from a match's news to alerts, from alerts to chunks, from chunks to phones.

Everything there is to do lies in Redis (db.live.alerts), so a job is only time to work in: any number of them may run,
each takes the most urgent piece, and what a killed one held is taken up by another.
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

# A job ends after this long, or after the piece in hand once a job waits that this worker takes first: RQ has no other
# way to let scores and purges through.
LIFE_S = 1.0
# Matches looked at in one go, and changes taken of each.
MATCHES, CHANGES = 50, 50


def work() -> None:
    """The job behind the push bell."""
    work_off(push_of(services()))


@lru_cache(maxsize=1)
def push_of(here: WorkerServices) -> PushJobs:
    courier = ChunkSender(here.chunks, here.audience, here.transports)
    planner = Planner(here.alerts, here.chunks, here.audience, here.transports, here.bells)
    broadcasts = LiveActivities(here.alerts, here.audience, here.live, here.transports)
    return PushJobs(here.alerts, planner, courier, broadcasts, here.bells)


def work_off(push: PushJobs) -> None:
    """Work until there is nothing to do, and silence the bell; or hand over to the next job."""
    started = time.monotonic()
    try:
        while push.turn(now_ms=time.time_ns() // 1_000_000):
            if time.monotonic() - started > LIFE_S or push.bells.ahead(PUSH):
                push.bells.push()
                return
    except Unavailable as error:
        logger.warning("push_waits reason=%r", error.message)
        return
    if not push.alerts.silence():
        push.bells.push()


class PushJobs:
    """One worker's hands."""

    def __init__(
        self, alerts: Alerts, planner: Planner, courier: ChunkSender, broadcasts: LiveActivities, bells: Doorbells
    ) -> None:
        self.alerts = alerts
        self.planner = planner
        self.courier = courier
        self.broadcasts = broadcasts
        self.bells = bells

    def turn(self, *, now_ms: int) -> bool:
        """Do the most urgent thing; False if there was none. News first, for it may stop what is being sent; then
        lock screens: one request reaches all of a match, and a chunk is a thousand."""
        return (
            self.hear(now_ms=now_ms)
            or self.broadcasts.turn(now_ms=now_ms)
            or self.planner.turn(now_ms=now_ms)
            or self.courier.turn(now_ms=now_ms)
        )

    def hear(self, *, now_ms: int) -> bool:
        """Empty the mailboxes, and tell what has waited to the end of its window."""
        found = self.alerts.pending(MATCHES)
        for match_id in found:
            self._or_park(self._hear, match_id, now_ms)
        due = self.alerts.due(now_ms)
        for match_id in due:
            self._or_park(self._close, match_id, now_ms)
        return bool(found or due)

    def _or_park(self, step: Callable[[str, int], None], match_id: str, now_ms: int) -> None:
        """A match whose news meets a bug of ours must not silence the others: it is set aside, and tried again."""

        def park() -> None:
            self.alerts.park(match_id, now_ms=now_ms)

        with set_aside_on_bug("push_parked match=%s", match_id, aside=park):
            step(match_id, now_ms)

    def tell(self, match: Match, *news: News, now_ms: int) -> None:
        """News that is in no mailbox. If another worker commits at the same time nothing is told, and saying it again
        is right: what was told already is not told twice."""
        hearing = WindowTransaction(self.alerts, match.id, replace(self.alerts.mailbox(match.id, 1), changes=()))
        hearing.hear(match, news, now_ms=now_ms)
        hearing.commit(now_ms=now_ms)

    def _hear(self, match_id: str, now_ms: int) -> None:
        hearing = WindowTransaction(self.alerts, match_id, self.alerts.mailbox(match_id, CHANGES))
        for change in hearing.box.changes:
            match = change.with_events
            hearing.hear(match, news_of(match, decode_facts(change.facts)), now_ms=now_ms)
        hearing.commit(now_ms=now_ms)

    def _close(self, match_id: str, now_ms: int) -> None:
        hearing = WindowTransaction(self.alerts, match_id, self.alerts.mailbox(match_id, CHANGES))
        if hearing.box.changes:
            # What has come meanwhile may take back what waits.
            return self._hear(match_id, now_ms)
        hearing.close(now_ms=now_ms)
        return hearing.commit(now_ms=now_ms)
