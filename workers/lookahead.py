"""What is done ahead of kick-off and after the end, once a minute: reminders, and broadcast channels."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from db.alerts import Alerts
from db.audience import Audience, Channel
from db.domain import Kind, Match, Phase, mask_of
from db.errors import Unavailable
from db.history import History, Wanted
from notify.news import News
from notify.outcome import Delivered, Gone
from workers.boot import services
from workers.push import Push, push_of
from workers.transports import Transports

logger = logging.getLogger(__name__)

MINUTE_MS = 60_000
# What most apps offer first, and time enough to reach a screen.
REMIND_MS = 15 * MINUTE_MS
# An app can offer a match's Live Activity from when there is a channel to listen to (the Guardian: two hours before).
CHANNEL_AHEAD_MS = 120 * MINUTE_MS
# A match interrupted tonight may be played on tomorrow; and 10,000 channels are all an app has.
CHANNEL_KEEP_MS = 36 * 60 * MINUTE_MS
# Kick-offs within two hours on the busiest Saturday known: about 200.
MATCHES = 1_000
# A clock too many does no harm: the second look of a minute finds it looked after.
LEASE_S = 50


def look() -> None:
    """The job the clock enqueues each minute."""
    here = services()
    ahead = Lookahead(here.alerts, here.audience, here.history, here.transports, push_of(here))
    try:
        if here.alerts.lease("lookahead", LEASE_S):
            ahead.look(now_ms=time.time_ns() // 1_000_000)
            here.bells.push()
    except Unavailable as error:
        logger.warning("lookahead_waits reason=%r", error.message)


class Lookahead:
    def __init__(
        self, alerts: Alerts, audience: Audience, history: History, transports: Transports, push: Push
    ) -> None:
        self.alerts = alerts
        self.audience = audience
        self.history = history
        self.transports = transports
        self.push = push

    def look(self, *, now_ms: int) -> None:
        for match_id in self.alerts.unpark(before_ms=now_ms - MINUTE_MS):
            logger.warning("push_unparked match=%s", match_id)
        for match in self._upcoming(now_ms, REMIND_MS):
            self._remind(match, now_ms)
        if self.transports.channels("production") is None:
            return
        for match in self._upcoming(now_ms, CHANNEL_AHEAD_MS):
            self._open(match, now_ms)
        self._delete_old(now_ms)

    def _upcoming(self, now_ms: int, within_ms: int) -> Iterator[Match]:
        wanted = Wanted(since=now_ms, until=now_ms + within_ms, phase=Phase.SCHEDULED)
        found, _ = self.history.matches(wanted, MATCHES)
        yield from (match for match in found if match.start_time is not None)

    def _remind(self, match: Match, now_ms: int) -> None:
        """Once for each start: a match that is put off is reminded of again."""
        minutes = -(-((match.start_time or now_ms) - now_ms) // MINUTE_MS)
        news = News(Kind.REMINDER, str(match.start_time), minutes=max(1, minutes))
        self.push.tell(match, news, now_ms=now_ms)

    def _open(self, match: Match, now_ms: int) -> None:
        """A channel in each environment, for a match somebody follows."""
        known = {channel.environment for channel in self.audience.channels([match.id])}
        missing = [name for name in self.audience.environments() if name not in known]
        if not missing or not self.audience.wanted(match, mask_of(Kind)):
            return
        for environment in missing:
            channels = self.transports.channels(environment)
            made = channels.create() if channels else None
            if isinstance(made, str):
                self.audience.keep_channel(Channel(match.id, environment, made), now_ms=now_ms)
                logger.info("channel_created match=%s environment=%s", match.id, environment)
            elif made:
                logger.error("channel_refused match=%s environment=%s reason=%s", match.id, environment, made.reason)

    def _delete_old(self, now_ms: int) -> None:
        """At Apple first: what is forgotten here before could never be deleted there."""
        for channel in self.audience.channels_before(now_ms - CHANNEL_KEEP_MS):
            channels = self.transports.channels(channel.environment)
            outcome = channels.delete(channel.id) if channels else None
            if isinstance(outcome, Delivered | Gone):
                self.audience.drop_channel(channel)
                logger.info("channel_deleted match=%s environment=%s", channel.match_id, channel.environment)
            elif outcome:
                said = (channel.match_id, channel.environment, outcome.reason)
                logger.warning("channel_kept match=%s environment=%s reason=%s", *said)
