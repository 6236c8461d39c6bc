"""Live Activities over APNs broadcast channels: one request brings every lock screen of a match up to date.

A channel is created before kick-off for a match somebody follows, published to on each change of score or status, and
deleted a day later (Apple, "Sending channel management requests to APNs"; the Guardian's lifecycle).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

from db.bugs import set_aside_on_bug
from db.domain import Kind, Match
from db.live.alerts import Alerts
from db.live.store import LiveStore
from db.sql.audience import Audience, BroadcastChannel
from notify.content.message import Message, compose
from notify.content.news import News
from notify.transports.base import Channel as ChannelAddress
from notify.transports.base import Envelope
from notify.transports.outcome import Delivered, Gone, Later, Outcome
from workers.push.transports import Transports

logger = logging.getLogger(__name__)

# A publication that did not get through is repeated with what is so by then.
AGAIN_MS = 5_000
# A state holds until the next one, so it waits for phones out of reach and late listeners as long as APNs keeps it.
KEEP_S = 8 * 60 * 60


class LiveActivities:
    def __init__(self, alerts: Alerts, audience: Audience, live: LiveStore, transports: Transports) -> None:
        self.alerts = alerts
        self.audience = audience
        self.live = live
        self.transports = transports

    def turn(self, *, now_ms: int) -> bool:
        """Publish the state of the match that has waited longest; False if none waits."""
        for match_id, due in self.alerts.broadcasts(now_ms):
            outcomes: list[Outcome] = []
            # After a bug this state is not shown; the next one is tried.
            with set_aside_on_bug("broadcast_dropped match=%s", match_id):
                outcomes = list(self._publish(match_id, now_ms))
            if any(isinstance(outcome, Later) for outcome in outcomes):
                self.alerts.broadcast_again(match_id, due, at_ms=now_ms + AGAIN_MS)
            else:
                self.alerts.broadcast_done(match_id, due)
            return True
        return False

    def _publish(self, match_id: str, now_ms: int) -> Iterator[Outcome]:
        channels = self.audience.channels([match_id])
        match = self.live.matches.read([match_id])[0] if channels else None
        if match is None:
            return
        score = str(match.score)
        message = state_of(match, now_ms, moved=score != self.alerts.shown(match_id))
        for channel in channels:
            transport = self.transports.ios(channel.environment)
            for _, outcome in transport.send([Envelope(ChannelAddress(channel.id), message)]) if transport else ():
                self._note(channel, match, outcome)
                if isinstance(outcome, Delivered):
                    self.alerts.show(match_id, score)
                yield outcome

    def _note(self, channel: BroadcastChannel, match: Match, outcome: Outcome) -> None:
        fields = (match.id, match.version, channel.environment, outcome.reason)
        if isinstance(outcome, Delivered):
            logger.info("broadcast_sent match=%s version=%d environment=%s reason=%s", *fields)
        else:
            logger.warning("broadcast_failed match=%s version=%d environment=%s reason=%s", *fields)
        if isinstance(outcome, Gone):
            self.audience.drop_channel(channel)


def state_of(match: Match, now_ms: int, *, moved: bool) -> Message:
    """The present state without words of its own: what happened is told by alerts. moved: the score has, since it was
    last shown. That is worth priority 10; what has this counts against an app's budget, so the rest goes at 5 (Apple,
    "Starting and updating Live Activities with ActivityKit push notifications")."""
    now = now_ms / 1000
    message = compose(match, [News(Kind.KICKOFF, "state")], "en", now=now, silent=True, urgent=moved)
    return replace(message, expires_at=int(now) + KEEP_S)
