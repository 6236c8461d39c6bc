"""Live Activities over APNs broadcast channels, and Live Updates over FCM topics: one request brings every lock screen
of a match up to date.

A channel is created before kick-off for a match somebody follows, published to on each change of score or status, and
deleted a day later (Apple, "Sending channel management requests to APNs"; the Guardian's lifecycle).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from dataclasses import replace

from db.bugs import set_aside_on_bug
from db.domain import VARIANTS, Kind, Match, Payload, Variant, live_update_topic
from db.live.broadcasts import Broadcasts
from db.live.store import LiveStore
from db.sql.audience import Audience
from notify.content.message import Message, compose
from notify.content.news import News
from notify.transports.base import Address, Envelope, Topic, Transport
from notify.transports.base import Channel as ChannelAddress
from notify.transports.outcome import ConfigFault, Delivered, Gone, Later, Outcome, Unknown
from workers.push.transports import ENVIRONMENTS, Transports

logger = logging.getLogger(__name__)

# A publication that did not get through is repeated after this, with the state of that moment.
AGAIN_MS = 5_000
# The same after a wrong key, team or topic, until a person has put it right.
MISCONFIGURED_AGAIN_MS = 60_000
# A publication takes one answer of Apple's for each environment, 5 s at most, and a few repeats.
LEASE_S = 30
# A state holds until the next one, so it waits for phones out of reach and late listeners as long as APNs keeps it.
KEEP_S = 8 * 60 * 60
# How long it is believed that no app, or some app, takes data messages by topic.
LISTENERS_MS = 60_000
# Where a state is published: Apple's environments, each by a channel, and Android by a topic.
ANDROID = "android"
TARGETS = (*ENVIRONMENTS, ANDROID)
_DATA_VARIANTS = [variant for variant in VARIANTS if Variant.parse(variant).payload is Payload.DATA]
# Outcomes after which the state may not be on the screens. A broadcast rings nowhere, so one that may have arrived is
# repeated.
_AGAIN_MS = {Later: AGAIN_MS, Unknown: AGAIN_MS, ConfigFault: MISCONFIGURED_AGAIN_MS}


class LiveActivities:
    def __init__(self, broadcasts: Broadcasts, audience: Audience, live: LiveStore, transports: Transports) -> None:
        self.broadcasts = broadcasts
        self.audience = audience
        self.live = live
        self.transports = transports
        self.listeners_at, self.has_listeners = 0, False

    def turn(self, *, now_ms: int) -> bool:
        """Settle the matches that nobody watches, and publish the state of the one that has waited longest of the
        others; False if none waits, or others publish them all."""
        waiting = self.broadcasts.due(now_ms)
        watched = self._watched([match_id for match_id, _ in waiting], now_ms)
        unwatched = [(match_id, due) for match_id, due in waiting if match_id not in watched]
        self.broadcasts.done(unwatched)
        for match_id, due in waiting:
            if match_id in watched and self.broadcasts.lease(match_id, LEASE_S):
                self._turn(match_id, due, now_ms)
                return True
        return bool(unwatched)

    def _turn(self, match_id: str, due: int, now_ms: int) -> None:
        """The lease is released only when the due time is settled: it is what keeps two workers from one match."""
        outcomes: list[Outcome] = []
        match: Match | None = None
        # After a bug this state is not shown; the next one is tried.
        with set_aside_on_bug("broadcast_dropped match=%s", match_id):
            match = self.live.matches.timeline(match_id)
            outcomes = list(self._publish(match, now_ms)) if match else []
        pauses = [_AGAIN_MS[type(outcome)] for outcome in outcomes if type(outcome) in _AGAIN_MS]
        if pauses:
            self.broadcasts.again(match_id, due, at_ms=now_ms + min(pauses))
        else:
            self.broadcasts.done([(match_id, due)])
        if match and self.broadcasts.is_overtaken(match.id, match.version):
            # The lease ran out, and the newer state may have come before this one: Apple keeps what came last.
            self.broadcasts.require(match_id, TARGETS, now_ms=now_ms)
        self.broadcasts.release(match_id)

    def _watched(self, match_ids: Collection[str], now_ms: int) -> Collection[str]:
        """Those whose state somebody would see. One query for all: most matches have no channel."""
        if self._has_listeners(now_ms):
            return match_ids
        return {channel.match_id for channel in self.audience.channels(match_ids)}

    def _publish(self, match: Match, now_ms: int) -> Iterator[Outcome]:
        at = self.broadcasts.stamp(match.id, match.version)
        if at is None:  # a newer state was published
            return
        if self._has_listeners(now_ms):
            topic = Topic(live_update_topic(match.id))
            yield from self._send(match, ANDROID, topic, self.transports.android, at=at, now_ms=now_ms)
        for channel in self.audience.channels([match.id]):
            address, transport = ChannelAddress(channel.id), self.transports.ios(channel.environment)
            for outcome in self._send(match, channel.environment, address, transport, at=at, now_ms=now_ms):
                if isinstance(outcome, Gone):
                    self.audience.drop_channel(channel)
                yield outcome

    def _send(
        self, match: Match, target: str, address: Address, transport: Transport | None, *, at: int, now_ms: int
    ) -> Iterator[Outcome]:
        """Nothing where this version is there already: it is published again because another target lacks it."""
        score, (version, shown) = str(match.score), self.broadcasts.shown(match.id, target)
        if transport is None or version == match.version:
            return
        message = state_of(match, now_ms, at=at, moved=score != shown)
        for _, outcome in transport.send([Envelope(address, message)]):
            self._note(match, target, outcome)
            if isinstance(outcome, Delivered):
                self.broadcasts.show(match.id, target, match.version, score)
            yield outcome

    def _has_listeners(self, now_ms: int) -> bool:
        """Whether any app takes data messages by topic, asked once a minute: Google tells nobody's subscriptions."""
        if now_ms - self.listeners_at > LISTENERS_MS:
            self.listeners_at = now_ms
            self.has_listeners = bool(self.audience.variants(_DATA_VARIANTS))
        return self.has_listeners

    def _note(self, match: Match, environment: str, outcome: Outcome) -> None:
        fields = (match.id, match.version, environment, outcome.reason)
        if isinstance(outcome, Delivered):
            logger.info("broadcast_sent match=%s version=%d environment=%s reason=%s", *fields)
        else:
            logger.warning("broadcast_failed match=%s version=%d environment=%s reason=%s", *fields)


def state_of(match: Match, now_ms: int, *, at: int, moved: bool) -> Message:
    """The present state without words of its own: what happened is told by alerts.

    at: its timestamp (s). moved: the score has, since it was last shown. That is worth priority 10; what has this
    counts against an app's budget, so the rest goes at 5 (Apple, "Starting and updating Live Activities with
    ActivityKit push notifications").
    """
    now = now_ms / 1000
    message = compose(match, [News(Kind.KICKOFF, "state")], Variant(), now=now, silent=True, urgent=moved)
    return replace(message, expires_at=int(now) + KEEP_S, state_at=at, is_state=True)
