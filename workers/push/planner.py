"""From an alert to chunks of devices, and to topics beside them.

The devices of a few followers are one sorted query. Those of many are split into slices by user id, each planned by
whoever is free, so that the first chunk comes at once and workers share the rest.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from db.bugs import set_aside_on_bug
from db.domain import Kind, mask_of
from db.domain.errors import Unavailable
from db.live.chunk import Chunk
from db.live.chunks import Chunks
from db.live.plans import Plan, Plans
from db.sql.audience import Audience
from db.sql.followers import PlanPosition
from notify.content.alert import Alert, decode_alert, players_of
from workers.push.quiet_hours import QuietHours
from workers.push.renderer import EXPIRY_MS
from workers.push.topic_publisher import TopicPublisher
from workers.push.transports import Transports
from workers.queues import PUSH_JOBS_MAX, Doorbells

logger = logging.getLogger(__name__)

# Devices of one chunk: what one worker sends in about a tenth of a second, and 12 KB in Redis.
CHUNK = 1_000
# s. A planner that does not renew its lease for this long is dead. It renews it with each chunk; before the first one
# SQL sorts SLICED_ABOVE followers at most.
LEASE_S = 30
# The same after SQL failed: it may be back in a moment.
AGAIN_S = 2
# The same when a chunk of the match is just being sent.
WAIT_AGAIN_S = 1
# A planner stops after this long, well before its job is ended (workers.queues.TIMEOUT_S), and the next goes on from
# the last chunk.
BUDGET_S = 20.0
# More followers than this are planned in slices: there is no chunk until a query has sorted all its followers
# (`make bench-plan` measures it).
SLICED_ABOVE = 200_000
# A slice has about SLICED_ABOVE users, for each reads much of the table of devices: a million followers cost PostgreSQL
# 5.2 s in 8 slices, 8.9 s in 64. There are no more than this: of 10 M followers each has 156,000.
SLICES_MAX = 64

# Devices with the kinds they want, and the place to go on from after them.
Page = tuple[list[tuple[int, int]], str]


class Planner:
    def __init__(
        self, plans: Plans, chunks: Chunks, audience: Audience, transports: Transports, bells: Doorbells
    ) -> None:
        self.plans = plans
        self.chunks = chunks
        self.audience = audience
        self.transports = transports
        self.bells = bells
        self.topics = TopicPublisher(plans, audience)

    def turn(self, *, now_ms: int) -> bool:
        """Plan the oldest alert that no other worker plans; False if there is none."""
        for alert_id in self.plans.unplanned():
            if self.plans.lease(alert_id, LEASE_S):
                self._plan(alert_id, now_ms)
                return True
        return False

    def turn_slice(self, *, now_ms: int) -> bool:
        """Plan a slice that no other worker plans, of the oldest alert that has one; False if there is none."""
        for alert_id in self.plans.sliced():
            plan = self._current(alert_id, now_ms)
            if plan is None or not plan.open_slices:
                self.plans.end_slices(alert_id)
                continue
            for number in plan.open_slices:
                if self.plans.lease(_slice_name(plan, number), LEASE_S):
                    self._plan_slice(plan, number)
                    return True
        return False

    def _current(self, alert_id: str, now_ms: int) -> Plan | None:
        """None if the alert is stopped or too old."""
        plan = self.plans.plan(alert_id)
        if plan and now_ms - plan.opened_at > EXPIRY_MS:
            logger.warning("alert_expired alert=%s", alert_id)
            return None
        return plan

    def _plan(self, alert_id: str, now_ms: int) -> None:
        plan, again_s = self._current(alert_id, now_ms), 0
        try:
            # After a bug the alert is given up: a repetition would hit the same bug.
            with set_aside_on_bug("alert_parked alert=%s", alert_id):
                again_s = self._carry_out(plan, now_ms) if plan else 0
        except Unavailable:
            self.plans.lease(alert_id, AGAIN_S, again=True)
            raise
        if again_s:
            self.plans.lease(alert_id, again_s, again=True)
        else:
            self.plans.planned(alert_id, now_ms=now_ms)

    def _carry_out(self, plan: Plan, now_ms: int) -> int:
        """Seconds to go on after; 0 if nothing is left. Topics go beside the devices: a slow answer of Google must not
        delay the first chunk."""
        alert, transport = decode_alert(plan.alert), self.transports.android
        envelopes = self.topics.envelopes(plan, alert) if transport else []
        if transport is None or not envelopes:
            return self._devices(plan, alert, now_ms)
        with ThreadPoolExecutor(1, thread_name_prefix="topics") as pool:
            publication = pool.submit(self.topics.publish, plan, envelopes, transport)
            waits = [self._devices(plan, alert, now_ms), publication.result()]
        return min((again_s for again_s in waits if again_s), default=0)

    def _devices(self, plan: Plan, alert: Alert, now_ms: int) -> int:
        if plan.chunked:
            return 0
        if not alert.corrects and plan.place is None and self._split(plan, alert, now_ms):
            return 0
        pages = self._corrected(plan, alert) if alert.corrects else self._followers(plan, alert)
        again_s = self._put(plan, pages, plan.place)
        if not again_s:
            self.plans.chunked(plan.id)
            logger.info("alert_planned alert=%s", plan.id)
        return again_s

    def _split(self, plan: Plan, alert: Alert, now_ms: int) -> bool:
        players = self.audience.followed(players_of(alert))
        bounds = self.audience.bounds(
            alert.match, _kinds_of(alert), above=SLICED_ABOVE, most=SLICES_MAX, players=players
        )
        if not bounds or not self.plans.split(plan, bounds, now_ms=now_ms):
            return False
        logger.info("alert_split alert=%s slices=%d", plan.id, len(bounds) + 1)
        for _ in range(PUSH_JOBS_MAX):
            self.bells.push()
        return True

    def _plan_slice(self, plan: Plan, number: int) -> None:
        name = _slice_name(plan, number)
        try:
            # After a bug the slice is given up, like an alert.
            with set_aside_on_bug("slice_parked slice=%s", name):
                alert, place = decode_alert(plan.alert), plan.places.get(number)
                if self._put(plan, self._followers(plan, alert, number), place, number):
                    self.plans.release(name)
                    return
            self.plans.end_slice(plan.id, number)
        except Unavailable:
            self.plans.lease(name, AGAIN_S, again=True)
            raise

    def _put(self, plan: Plan, pages: Iterator[Page | None], place: str | None, slice_: int | None = None) -> int:
        """Pages into chunks. 0 if all are; else the seconds to go on after: the time is up, another planner has gone on
        from here, the alert was stopped, or it has to wait."""
        name = plan.id if slice_ is None else _slice_name(plan, slice_)
        deadline = time.monotonic() + BUDGET_S
        for number, page in enumerate(pages):
            if page is None:
                return WAIT_AGAIN_S
            devices, after = page
            if not self.chunks.put(plan, devices, place, after, slice_=slice_):
                return WAIT_AGAIN_S
            place = after
            self.plans.lease(name, LEASE_S, again=True)
            if number < PUSH_JOBS_MAX:
                self.bells.push()
            if time.monotonic() > deadline:
                return WAIT_AGAIN_S
        return 0

    def _followers(self, plan: Plan, alert: Alert, slice_: int | None = None) -> Iterator[Page | None]:
        quiet_hours = QuietHours(plan.opened_at)
        place = plan.place if slice_ is None else plan.places.get(slice_)
        after = PlanPosition(*map(int, place.split())) if place else None
        ends = (None, None) if slice_ is None else plan.ends_of(slice_)
        players = self.audience.followed(players_of(alert))
        for page, position in self.audience.followers(alert.match, _kinds_of(alert), CHUNK, after, ends, players):
            devices = [
                (device_id, kinds)
                for device_id, kinds, zone, since, until, _ in page
                if zone is None or not quiet_hours.is_active(zone, since, until)
            ]
            yield devices, f"{position.active_at} {position.device_id}"

    def _corrected(self, plan: Plan, alert: Alert) -> Iterator[Page | None]:
        """Who got a goal that is cancelled now, chunk by chunk of the alert that announced it. None while an alert with
        the goal is being sent: it must not arrive after this one."""
        if self.chunks.is_being_sent(alert.match.id, alert.before):
            yield None
        done, wanted = int(plan.place or 0), mask_of([Kind.GOAL_CANCELLED])
        for number, (chunk, later) in enumerate(self._announced(alert), start=1):
            if number > done:
                reached = self.chunks.reached(chunk, Kind.GOAL, alert.before)
                devices = [(device_id, kinds) for device_id, kinds in reached if kinds & wanted]
                yield [item for item in devices if item[0] not in later], str(number)

    def _announced(self, alert: Alert) -> Iterator[tuple[Chunk, set[int]]]:
        """Chunks by which a goal was announced, with the devices that come with a later alert: the goal, then its
        scorer."""
        chunks = [self.chunks.started_chunks(alert_id, alert.before) for alert_id in alert.corrects]
        for number, own in enumerate(chunks, start=1):
            reached = (self.chunks.reached(chunk, Kind.GOAL, alert.before) for chunk in chain(*chunks[number:]))
            later = {device_id for devices in reached for device_id, _ in devices}
            yield from ((chunk, later) for chunk in own)


def _kinds_of(alert: Alert) -> int:
    return mask_of(news.kind for news in alert.news)


def _slice_name(plan: Plan, number: int) -> str:
    return f"{plan.id}/{number}"
