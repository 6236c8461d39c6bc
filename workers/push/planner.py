"""From an alert to chunks of devices: topics first, for one request reaches all who listen; then everybody else."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from db.bugs import set_aside_on_bug
from db.domain import VARIANTS, Kind, condition, mask_of
from db.domain.errors import Unavailable
from db.live.alerts import Alerts, Plan
from db.live.chunks import Chunks
from db.sql.audience import Audience, PlanPosition
from notify.content.alert import Alert, decode_alert
from notify.transports.base import Condition, Envelope
from notify.transports.outcome import ConfigFault, Delivered, Later
from workers.push.quiet_hours import QuietHours
from workers.push.renderer import EXPIRY_MS, written
from workers.push.transports import Transports, counted
from workers.queues import PUSH_JOBS_MAX, Doorbells

logger = logging.getLogger(__name__)

# Devices of one chunk: what a killed worker may send twice, and 12 KB in Redis.
CHUNK = 1_000
# A planner that does not renew its lease for this long is dead.
LEASE_S = 30
# The same after SQL failed: it may be back in a moment.
AGAIN_S = 2
# The same when work is left: after a failed publication to a topic, Google asks for ten seconds; a chunk that is being
# sent, or an alert that was just amended, takes a moment.
TOPIC_AGAIN_S, LEFT_AGAIN_S = 10, 1

# Devices with the kinds they want, and the place to go on from after them.
Page = tuple[list[tuple[int, int]], str]


class Planner:
    def __init__(
        self, alerts: Alerts, chunks: Chunks, audience: Audience, transports: Transports, bells: Doorbells
    ) -> None:
        self.alerts = alerts
        self.chunks = chunks
        self.audience = audience
        self.transports = transports
        self.bells = bells

    def turn(self, *, now_ms: int) -> bool:
        """Plan the oldest alert that no other worker plans; False if there is none."""
        for alert_id in self.alerts.unplanned():
            if self.alerts.lease(alert_id, LEASE_S):
                self._plan(alert_id, now_ms)
                return True
        return False

    def _plan(self, alert_id: str, now_ms: int) -> None:
        plan = self.alerts.plan(alert_id)
        if plan and now_ms - plan.opened_at > EXPIRY_MS:
            logger.warning("alert_expired alert=%s", alert_id)
            plan = None
        again_s = 0
        try:
            # After a bug the alert is given up: a repetition would hit the same bug.
            with set_aside_on_bug("alert_parked alert=%s", alert_id):
                again_s = self._carry_out(plan) if plan else 0
        except Unavailable:
            self.alerts.lease(alert_id, AGAIN_S, again=True)
            raise
        if again_s:
            self.alerts.lease(alert_id, again_s, again=True)
        else:
            self.alerts.planned(alert_id, now_ms=now_ms)

    def _carry_out(self, plan: Plan) -> int:
        """After how many seconds to go on with it; 0 where nothing is left to do."""
        alert = decode_alert(plan.alert)
        waits = [self._publish(plan, alert), 0 if plan.chunked else self._chunks(plan, alert)]
        return min((again_s for again_s in waits if again_s), default=0)

    def _publish(self, plan: Plan, alert: Alert) -> int:
        """To topics, a kind at a time; who listens to two kinds gets two, the later in the place of the first. 0 where
        all have it, or never will; else the seconds to go on after."""
        transport = self.transports.android
        envelopes = self._publications(plan, alert) if transport else []
        if transport is None or not envelopes:
            return 0
        if not self.alerts.publish(plan, [str(envelope.tag) for envelope in envelopes]):
            return LEFT_AGAIN_S
        later = False
        for envelope, outcome in transport.send(envelopes):
            again = isinstance(outcome, Later | ConfigFault)
            sent = isinstance(outcome, Delivered)
            self.alerts.published(plan.id, str(envelope.tag), counted("topic", outcome), sent=sent, again=again)
            later = later or again
        return TOPIC_AGAIN_S if later else 0

    def _variants(self, alert: Alert) -> list[str]:
        """Of a cancelled goal, those that were told of it."""
        if alert.corrects:
            reached = [self.alerts.reached_variants(name, Kind.GOAL, alert.before) for name in alert.corrects]
            return [variant for variant in VARIANTS if any(variant in variants for variants in reached)]
        return self.audience.variants(VARIANTS)

    def _publications(self, plan: Plan, alert: Alert) -> list[Envelope]:
        kinds = dict.fromkeys(news.kind for news in alert.news)
        wanted = [(kind, variant) for variant in self._variants(alert) for kind in kinds]
        return [
            Envelope(Condition(condition(alert.match, kind, variant)), written(alert, mask_of([kind]), variant), name)
            for kind, variant in wanted
            if (name := f"{kind} {variant}") not in plan.published
        ]

    def _chunks(self, plan: Plan, alert: Alert) -> int:
        """0 where all are in chunks; else the seconds to go on after: the alert was stopped meanwhile, is another
        planner's now, or has to wait."""
        number, total = plan.planned, 0
        for page in self._corrected(plan, alert) if alert.corrects else self._followers(plan, alert):
            if page is None or not self.chunks.put(plan, number, *page):
                return LEFT_AGAIN_S
            self.alerts.lease(plan.id, LEASE_S, again=True)
            if number < PUSH_JOBS_MAX:
                self.bells.push()
            number, total = number + 1, total + len(page[0])
        self.alerts.chunked(plan.id)
        logger.info("alert_planned alert=%s devices=%d", plan.id, total)
        return 0

    def _followers(self, plan: Plan, alert: Alert) -> Iterator[Page | None]:
        quiet_hours = QuietHours(plan.opened_at)
        mask = mask_of(news.kind for news in alert.news)
        after = PlanPosition(*map(int, plan.place.split())) if plan.place else None
        for page, place in self.audience.followers(alert.match, mask, CHUNK, after):
            devices = [
                (device_id, kinds)
                for device_id, kinds, zone, since, until, _ in page
                if zone is None or not quiet_hours.is_active(zone, since, until)
            ]
            yield devices, f"{place.active_at} {place.device_id}"

    def _corrected(self, plan: Plan, alert: Alert) -> Iterator[Page | None]:
        """Who heard of a goal that is cancelled now, chunk by chunk of the alert that told it. None: what says
        otherwise is just being sent, and must not come after this."""
        if self.chunks.is_being_sent(alert.match.id, alert.before):
            yield None
        done, wanted = int(plan.place or 0), mask_of([Kind.GOAL_CANCELLED])
        chunks = [chunk for alert_id in alert.corrects for chunk in self.chunks.started_chunks(alert_id, alert.before)]
        for number, chunk in enumerate(chunks[done:], start=done + 1):
            reached = self.chunks.reached(chunk, Kind.GOAL, alert.before)
            yield [(device_id, kinds) for device_id, kinds in reached if kinds & wanted], str(number)
