"""Once a minute: reminders before kick-off, broadcast channels before it and after the end, and a check of the
connections to the push services."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from functools import lru_cache

from db.bugs import set_aside_on_bug
from db.domain import Kind, Match, Phase, mask_of
from db.domain.errors import Unavailable
from db.live.alerts import Alerts
from db.live.plans import Plans
from db.sql.audience import Audience, BroadcastChannel
from db.sql.history import History, MatchFilter
from notify.content.news import News
from notify.transports.channels import Channels
from notify.transports.outcome import Delivered, Gone, Later, Outcome
from workers.boot import WorkerServices, services
from workers.push.connection_check import ConnectionCheck
from workers.push.job import PushJobs, push_of
from workers.push.transports import Transports

logger = logging.getLogger(__name__)

MINUTE_MS = 60_000
# What most apps offer first, and time enough to find a screen.
REMIND_MS = 15 * MINUTE_MS
# An app can offer a match's Live Activity from when there is a channel to listen to (the Guardian: two hours before).
CHANNEL_AHEAD_MS = 120 * MINUTE_MS
# A match interrupted tonight may be played on tomorrow; and 10,000 channels are all an app has.
CHANNEL_KEEP_MS = 36 * 60 * MINUTE_MS
# Kick-offs within two hours on the busiest Saturday known: about 200.
MATCHES = 1_000
# After that many calls in a row that Apple put off the trouble is general, and each may take ten seconds.
LATER_MAX = 3
# Apple's list is compared with ours this often, but only if it is longer than our own use explains (500 on the busiest
# day and a half): another deployment may have channels of the bundle, and the limit is 10,000.
SWEEP_S = 60 * 60
SWEEP_ABOVE = 2_000
# Deleted in one go: a call takes some tens of ms.
SWEEP_MAX = 100
# With two clocks, the second look in a minute finds the lease taken.
LEASE_S = 60
# To create a channel takes a call of ten seconds at most.
CHANNEL_LEASE_S = 30


def look() -> None:
    """The job the clock enqueues each minute."""
    here = services()
    ahead = Prematch(here.alerts, here.plans, here.audience, here.history, here.transports, push_of(here))
    try:
        now_ms = time.time_ns() // 1_000_000
        check_of(here).run(now_ms=now_ms)
        if here.shards.is_frozen():
            return
        if here.plans.lease(f"lookahead-{now_ms // MINUTE_MS}", LEASE_S):
            ahead.look(now_ms=now_ms)
            here.bells.push()
    except Unavailable as error:
        logger.warning("lookahead_waits reason=%r", error.message)


@lru_cache(maxsize=1)
def check_of(here: WorkerServices) -> ConnectionCheck:
    return ConnectionCheck(here.audience, here.transports)


class Prematch:
    def __init__(
        self,
        alerts: Alerts,
        plans: Plans,
        audience: Audience,
        history: History,
        transports: Transports,
        push: PushJobs,
    ) -> None:
        self.alerts = alerts
        self.plans = plans
        self.audience = audience
        self.history = history
        self.transports = transports
        self.push = push
        self.put_off = 0

    def look(self, *, now_ms: int) -> None:
        for match_id in self.alerts.unpark(before_ms=now_ms - MINUTE_MS):
            logger.warning("push_unparked match=%s", match_id)
        for match in self._upcoming(now_ms, REMIND_MS):
            with set_aside_on_bug("reminder_dropped match=%s", match.id):
                self._remind(match, now_ms)
        if self.transports.channels("production") is None:
            return
        self.put_off = 0
        for match in self._upcoming(now_ms, CHANNEL_AHEAD_MS):
            with set_aside_on_bug("channel_unopened match=%s", match.id):
                self._open(match, now_ms)
        self._delete_old(now_ms)
        for environment in self.audience.environments():
            if self.plans.lease(f"sweep-{environment}", SWEEP_S):
                self._sweep(environment)

    def _upcoming(self, now_ms: int, within_ms: int) -> Iterator[Match]:
        wanted = MatchFilter(since=now_ms, until=now_ms + within_ms, phase=Phase.SCHEDULED)
        matches, _ = self.history.matches(wanted, MATCHES)
        yield from (match for match in matches if match.start_time is not None)

    def _remind(self, match: Match, now_ms: int) -> None:
        """Once for each start time: a match that is rescheduled gets another reminder."""
        minutes = -(-((match.start_time or now_ms) - now_ms) // MINUTE_MS)
        news = News(Kind.REMINDER, str(match.start_time), minutes=max(1, minutes))
        self.push.announce(match, news, now_ms=now_ms)

    def _open(self, match: Match, now_ms: int) -> None:
        """A channel in each environment, for a match that somebody follows."""
        existing = {channel.environment for channel in self.audience.channels([match.id])}
        missing = [name for name in self.audience.environments() if name not in existing]
        if not missing or not self.audience.wanted(match, mask_of(Kind)):
            return
        for environment in missing:
            # A look that takes more than a minute overlaps with the next one.
            lease = f"channel-{environment}-{match.id}"
            if self.plans.lease(lease, CHANNEL_LEASE_S):
                self._create(match, environment, now_ms)
                self.plans.release(lease)

    def _create(self, match: Match, environment: str, now_ms: int) -> None:
        channels = self._channels(environment)
        result = channels.create() if channels else None
        self._note(result)
        if isinstance(result, str):
            self._keep(BroadcastChannel(match.id, environment, result), now_ms)
        elif isinstance(result, Later):
            logger.warning("channel_put_off match=%s environment=%s reason=%s", match.id, environment, result.reason)
        elif result:
            logger.error("channel_refused match=%s environment=%s reason=%s", match.id, environment, result.reason)

    def _keep(self, channel: BroadcastChannel, now_ms: int) -> None:
        """Phones would listen to one of two channels, and broadcasts go to the other."""
        if self.audience.keep_channel(channel, now_ms=now_ms):
            logger.info("channel_created match=%s environment=%s", channel.match_id, channel.environment)
        else:
            self._delete(channel.environment, channel.id)

    def _delete_old(self, now_ms: int) -> None:
        """At Apple first: a channel forgotten here could never be deleted there."""
        for channel in self.audience.channels_before(now_ms - CHANNEL_KEEP_MS):
            outcome = self._delete(channel.environment, channel.id)
            if isinstance(outcome, Delivered | Gone):
                self.audience.drop_channel(channel)
                logger.info("channel_deleted match=%s environment=%s", channel.match_id, channel.environment)
            elif outcome:
                fields = (channel.match_id, channel.environment, outcome.reason)
                logger.warning("channel_kept match=%s environment=%s reason=%s", *fields)

    def _sweep(self, environment: str) -> None:
        """Delete channels that only Apple knows: a worker was killed before it could store them. Apple is asked before
        SQL, so that a channel created meanwhile is on neither list or on both."""
        channels = self._channels(environment)
        listed = channels.all() if channels else []
        if not isinstance(listed, list):
            logger.warning("channels_unlisted environment=%s reason=%s", environment, listed.reason)
            return
        lost = set(listed) - self.audience.channel_ids(environment) if len(listed) > SWEEP_ABOVE else set[str]()
        outcomes = [self._delete(environment, channel_id) for channel_id in sorted(lost)[:SWEEP_MAX]]
        if lost:
            gone = sum(isinstance(outcome, Delivered | Gone) for outcome in outcomes)
            counts = (environment, len(listed), len(lost), gone)
            logger.warning("channels_swept environment=%s listed=%d lost=%d deleted=%d", *counts)

    def _channels(self, environment: str) -> Channels | None:
        """None without keys, or after Apple has put off too many calls."""
        return self.transports.channels(environment) if self.put_off < LATER_MAX else None

    def _delete(self, environment: str, channel_id: str) -> Outcome | None:
        channels = self._channels(environment)
        outcome = channels.delete(channel_id) if channels else None
        self._note(outcome)
        return outcome

    def _note(self, outcome: str | Outcome | None) -> None:
        if outcome is not None:
            self.put_off = self.put_off + 1 if isinstance(outcome, Later) else 0
