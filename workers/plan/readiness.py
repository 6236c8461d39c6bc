"""One turn of the plan: matches that begin soon are in Redis, processes are there, and the edge is warm."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence

from db.domain import Kind, Match, Phase, mask_of
from db.domain.errors import Refused, Unavailable, Undecodable
from db.live import metrics
from db.live.kickoffs import Kickoffs
from db.live.store import LiveStore
from db.sql.audience import Audience
from db.sql.history import History, MatchFilter
from db.undecodable import tell
from workers.plan.booking import AHEAD_MS, LONGEST_MS, MINUTE_MS, Booking
from workers.plan.expectation import expected
from workers.plan.figures import BenchFigures
from workers.plan.scalers.base import Scaler
from workers.plan.sizing import Hosting, wanted
from workers.plan.warming import Warmer, is_cold, name

logger = logging.getLogger(__name__)

# In play at once, and about to be: 246 and 200 on the busiest Saturday known.
MATCHES = 2_000
# Followers are counted again after this long: a million take a second.
COUNTED_MS = 10 * MINUTE_MS
FOLLOWERS_MAX = 100_000_000
EVERYTHING = mask_of(Kind)


class Readiness:
    """Every step is absolute and can be repeated, so a turn may be killed anywhere.

    warmer: None without a public address.
    """

    def __init__(
        self,
        live: LiveStore,
        history: History,
        audience: Audience,
        kickoffs: Kickoffs,
        deployment: Hosting,
        scaler: Scaler,
        warmer: Warmer | None,
        figures: BenchFigures,
    ) -> None:
        self.live, self.history, self.audience, self.kickoffs = live, history, audience, kickoffs
        self.deployment, self.scaler, self.warmer, self.figures = deployment, scaler, warmer, figures
        # Followers of a match, and when they were counted (ms).
        self.counted: dict[str, tuple[int, int]] = {}

    def turn(self, now_ms: int) -> None:
        """Raises Unavailable where what is played cannot be read: then everything stays as it is."""
        due = [booking for booking in self.bookings(now_ms, AHEAD_MS) if booking.is_due(now_ms)]
        # First what takes longest: a dyno needs a minute to boot.
        self._scale(due)
        self._restore(due)
        self._warm(due, now_ms)
        self._note_peaks(due)

    def bookings(self, now_ms: int, ahead_ms: int) -> list[Booking]:
        """Matches that may be due between now and then, in order of their start."""
        asked = MatchFilter(since=now_ms - LONGEST_MS, until=now_ms + ahead_ms + 1)
        matches, _ = self.history.matches(asked, MATCHES)
        words, peaks = self.kickoffs.words(), self.kickoffs.peaks()
        known = [match for match in matches if match.start_time is not None and match.phase is not Phase.OFF]
        counted = {match.id: self._followers(match, now_ms) for match in known}
        self.counted = {match_id: entry for match_id, entry in self.counted.items() if match_id in counted}
        return [Booking(match, expected(match, counted[match.id], words, peaks)) for match in known]

    def _followers(self, match: Match, now_ms: int) -> int:
        followers, at_ms = self.counted.get(match.id, (0, -COUNTED_MS))
        if now_ms - at_ms >= COUNTED_MS:
            followers = self.audience.count(match, EVERYTHING, FOLLOWERS_MAX)
            self.counted[match.id] = followers, now_ms
        return followers

    def _scale(self, due: Sequence[Booking]) -> None:
        """When what is wanted changes. Between two changes an operator's hand is left alone."""
        before = self.kickoffs.wanted()
        if not self.deployment.ceiling or not (due or before):
            return
        target = wanted(due, self.deployment, self.figures)
        if target.processes == before:
            return
        if target.capped:
            logger.warning("scale_capped types=%s matches=%d", ",".join(target.capped), len(due))
        try:
            reached = self.scaler.apply(target.processes)
        except (Refused, Unavailable) as error:
            metrics.SCALINGS.add(result="failed")
            logger.error("scale_failed scaler=%s reason=%r", self.scaler.name, error.message)
            return
        # After it, so that a clock killed between the two asks again for the same.
        self.kickoffs.keep_wanted(target.processes)
        metrics.SCALINGS.add(result="done")
        shown = ",".join(f"{kind}={count}" for kind, count in reached.items())
        logger.info("scaled scaler=%s processes=%s matches=%d", self.scaler.name, shown, len(due))

    def _restore(self, due: Sequence[Booking]) -> None:
        """A match that is known only to SQL is read from there by each reader at once."""
        ids = [booking.match.id for booking in due]
        versions = self.live.matches.versions(ids) if ids else []
        missing = [match_id for match_id, version in zip(ids, versions, strict=True) if version is None]
        restored = sum(self.live.commits.restore(match) for match in filter(None, map(self._stored, missing)))
        if restored:
            logger.info("matches_restored matches=%d", restored)

    def _stored(self, match_id: str) -> Match | None:
        try:
            return self.history.stored(match_id)
        except Undecodable as error:
            tell(error)
            return None

    def _warm(self, due: Sequence[Booking], now_ms: int) -> None:
        if self.warmer is None:
            return
        warmed = self.kickoffs.warmed([name(booking) for booking in due])
        cold = [booking for booking in due if is_cold(booking, warmed.get(name(booking)), now_ms)]
        if not cold:
            return
        warm = self.warmer.warm(cold)
        self.kickoffs.note_warmed([name(booking) for booking in warm], now_ms=now_ms)
        logger.info("edge_warmed matches=%d of=%d", len(warm), len(cold))

    def _note_peaks(self, due: Sequence[Booking]) -> None:
        """Without a CDN our connections are the viewers. Behind one nobody here can count them."""
        playing = [booking for booking in due if booking.match.phase is Phase.LIVE]
        if self.deployment.caches or not playing:
            return
        connections = metrics.Collector(self.kickoffs.redis).total(metrics.CONNECTIONS.name)
        self.kickoffs.note_peaks(shares(playing, connections))


def shares(playing: Iterable[Booking], connections: float) -> dict[str, int]:
    """Viewers of one match of each competition: what all have, divided as it was expected."""
    expected_of: dict[str, list[int]] = defaultdict(list)
    for booking in playing:
        if booking.match.competition:
            expected_of[booking.match.competition.id].append(booking.expected.viewers + 1)
    total = sum(sum(counts) for counts in expected_of.values())
    return {competition: int(connections * max(counts) / total) for competition, counts in expected_of.items()}
