"""One alert to its FCM topics, each at most once: a topic is many phones, and a second message rings on all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from db.domain import VARIANTS, Kind, Variant, conditions, mask_of
from db.live.plans import Plan, Plans
from db.sql.audience import Audience
from notify.content.alert import Alert
from notify.transports.base import Condition, Envelope, Transport
from notify.transports.outcome import ConfigFault, Delivered, Later
from workers.push.renderer import written
from workers.push.transports import counted, is_possibly_sent

# After a failed publication Google asks for ten seconds ("Scale"); an alert that was just amended takes a moment.
FAILED_AGAIN_S, AMENDED_AGAIN_S = 10, 1


class TopicPublisher:
    def __init__(self, plans: Plans, audience: Audience) -> None:
        self.plans = plans
        self.audience = audience

    def envelopes(self, plan: Plan, alert: Alert) -> list[Envelope]:
        """What is not yet begun, kind by kind. Who listens to two kinds gets two messages, the later in the place of
        the first."""
        kinds = dict.fromkeys(news.kind for news in alert.news)
        return [
            Envelope(Condition(expression), written(alert, mask_of([kind]), Variant.parse(variant)), name)
            for variant in self._variants(alert)
            for kind in kinds
            for suffix, expression in conditions(alert.match, kind, variant).items()
            if (name := f"{kind} {variant}{suffix}") not in plan.published
        ]

    def publish(self, plan: Plan, envelopes: Sequence[Envelope], transport: Transport) -> int:
        """Seconds to go on after; 0 if every topic has it, or never will.

        A topic is noted before its request. So after a kill in between nobody sends it again, and the message is lost
        if the request was not sent. It is repeated only if the service did not process it, for certain.
        """
        amended = failed = False

        def begun() -> Iterator[Envelope]:
            nonlocal amended
            for envelope in envelopes:
                if not self.plans.begin_topic(plan, str(envelope.tag)):
                    amended = True
                    return
                yield envelope

        for envelope, outcome in transport.send(begun()):
            possibly_sent = is_possibly_sent(outcome)
            again = isinstance(outcome, Later | ConfigFault) and not possibly_sent
            sent = isinstance(outcome, Delivered) or possibly_sent
            self.plans.count_topic(plan.id, str(envelope.tag), counted("topic", outcome), sent=sent, again=again)
            failed = failed or again
        return FAILED_AGAIN_S if failed else AMENDED_AGAIN_S if amended else 0

    def _variants(self, alert: Alert) -> list[str]:
        """Of a cancelled goal, those that got it."""
        if not alert.corrects:
            return self.audience.variants(VARIANTS)
        reached = [self.plans.reached_variants(alert_id, Kind.GOAL, alert.before) for alert_id in alert.corrects]
        return [variant for variant in VARIANTS if any(variant in variants for variants in reached)]
