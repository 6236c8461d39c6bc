"""From an alert to chunks of devices: topics first, for one request reaches all who listen; then everybody else."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from db.alerts import Alerts, Plan
from db.audience import Audience, Place
from db.chunks import Chunks
from db.domain import VARIANTS, Kind, Quiet, condition, mask_of
from db.errors import Unavailable
from notify import window
from notify.outcome import ConfigFault, Later
from notify.transport import Condition, Parcel
from notify.window import Alert
from workers.letters import EXPIRY_MS, written
from workers.queues import PUSHERS_MOST, Bells
from workers.transports import Transports, counted

logger = logging.getLogger(__name__)

# Devices of one chunk: what a killed worker may send twice, and 12 KB in Redis.
CHUNK = 1_000
# A planner that says nothing for this long is dead. A million rows are sorted in about 3 s before the first comes.
LEASE_S = 30
# The same after SQL failed: it may be back in a moment.
AGAIN_S = 2
# And where something is left to do: after a topic could not be published to, Google asks for ten seconds.
LEFT_AGAIN_S = 10

# Devices with the kinds they want, and the place to go on from after them.
Page = tuple[list[tuple[int, int]], str]


class Planner:
    def __init__(
        self, alerts: Alerts, chunks: Chunks, audience: Audience, transports: Transports, bells: Bells
    ) -> None:
        self.alerts = alerts
        self.chunks = chunks
        self.audience = audience
        self.transports = transports
        self.bells = bells

    def turn(self, *, now_ms: int) -> bool:
        """Plan the oldest alert that nobody else plans; False if there is none."""
        for alert_id in self.alerts.unplanned():
            if self.alerts.lease(alert_id, LEASE_S):
                self._plan(alert_id, now_ms)
                return True
        return False

    def _plan(self, alert_id: str, now_ms: int) -> None:
        plan = self.alerts.plan(alert_id)
        if plan and now_ms - plan.told_at > EXPIRY_MS:
            logger.warning("alert_expired alert=%s", alert_id)
            plan = None
        try:
            done = self._carry_out(plan) if plan else True
        except Unavailable:
            self.alerts.lease(alert_id, AGAIN_S, again=True)
            raise
        except Exception:
            # Tried again it would meet the same bug, and publish again what it had published.
            logger.exception("alert_parked alert=%s", alert_id)
            done = True
        if done:
            self.alerts.planned(alert_id, now_ms=now_ms)
        else:
            self.alerts.lease(alert_id, LEFT_AGAIN_S, again=True)

    def _carry_out(self, plan: Plan) -> bool:
        """Whether nothing of it is left to do."""
        alert = window.decode_alert(plan.alert)
        published = self._publish(plan, alert)
        return (plan.chunked or self._chunks(plan, alert)) and published

    def _publish(self, plan: Plan, alert: Alert) -> bool:
        """To topics, a kind at a time; who listens to two kinds gets two, the later in the place of the first. Whether
        all have it, or never will."""
        transport = self.transports.android
        if transport is None or (alert.of and not any(map(self.alerts.told_by_topics, alert.of))):
            return True
        later = False
        for parcel, outcome in transport.send(self._publications(plan, alert)):
            again = isinstance(outcome, Later | ConfigFault)
            self.alerts.published(plan.id, None if again else str(parcel.tag), counted("topic", outcome))
            later = later or again
        return not later

    def _publications(self, plan: Plan, alert: Alert) -> list[Parcel]:
        kinds = dict.fromkeys(news.kind for news in alert.news)
        wanted = [(kind, variant) for variant in self.audience.variants(VARIANTS) for kind in kinds]
        return [
            Parcel(Condition(condition(alert.match, kind, variant)), written(alert, mask_of([kind]), variant), name)
            for kind, variant in wanted
            if (name := f"{kind} {variant}") not in plan.published
        ]

    def _chunks(self, plan: Plan, alert: Alert) -> bool:
        """False where the alert was stopped meanwhile, or is another planner's now."""
        number, total = plan.planned, 0
        for devices, place in self._told(plan, alert) if alert.of else self._followers(plan, alert):
            if not self.chunks.put(plan, number, devices, place):
                return False
            self.alerts.lease(plan.id, LEASE_S, again=True)
            if number < PUSHERS_MOST:
                self.bells.push()
            number, total = number + 1, total + len(devices)
        self.alerts.chunked(plan.id)
        logger.info("alert_planned alert=%s devices=%d", plan.id, total)
        return True

    def _followers(self, plan: Plan, alert: Alert) -> Iterator[Page]:
        silence = Silence(plan.told_at)
        mask = mask_of(news.kind for news in alert.news)
        after = Place(*map(int, plan.place.split())) if plan.place else None
        for page, place in self.audience.followers(alert.match, mask, CHUNK, after):
            devices = [
                (one, kinds)
                for one, kinds, zone, since, until, _ in page
                if zone is None or not silence.reigns(zone, since, until)
            ]
            yield devices, f"{place.active_at} {place.device_id}"

    def _told(self, plan: Plan, alert: Alert) -> Iterator[Page]:
        """Who heard of a goal that is cancelled now, chunk by chunk of the alert that told it."""
        done, wanted = int(plan.place or 0), mask_of([Kind.GOAL_CANCELLED])
        chunks = [chunk for alert_id in alert.of for chunk in self.chunks.told_chunks(alert_id)]
        for number, chunk in enumerate(chunks[done:], start=done + 1):
            devices = [(one, kinds) for one, kinds in self.chunks.told(chunk, Kind.GOAL) if kinds & wanted]
            yield devices, str(number)


class Silence:
    """Whose quiet hours it is at one moment. A million followers live in some hundred zones."""

    def __init__(self, at_ms: int) -> None:
        self.at = datetime.fromtimestamp(at_ms / 1000, UTC)
        self.minutes: dict[str, int] = {}

    def reigns(self, time_zone: str, since: int | None, until: int | None) -> bool:
        return since is not None and until is not None and Quiet(since, until).holds(self._minute(time_zone))

    def _minute(self, time_zone: str) -> int:
        known = self.minutes.get(time_zone)
        if known is None:
            local = self.at.astimezone(ZoneInfo(time_zone))
            known = self.minutes[time_zone] = local.hour * 60 + local.minute
        return known
