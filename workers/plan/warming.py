"""Having the edge ready: what the first readers of a match ask for is read through the public address before them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import requests

from db.live import metrics
from workers.plan.booking import MINUTE_MS, Booking

logger = logging.getLogger(__name__)

# Minutes before the start at which a match is read. The first shows that all is well while there is time; the others
# keep the edge warm, where an answer of a match to come lives 30 s and is served stale for 30 s more (cdn.headers).
MINUTES = (30, 5, 4, 3, 2, 1, 0)
# Side by side. A busy minute has 109 kick-offs, which are 436 reads.
READERS = 8
TIMEOUT_S = (2.0, 5.0)
# What all matches share.
COMMON = ("/", "/api/live")


def turn(booking: Booking, now_ms: int) -> int | None:
    """The newest of MINUTES that has come (ms); None before the first and more than a minute after the last."""
    if now_ms > booking.start_ms + MINUTE_MS:
        return None
    turns_ms = (booking.start_ms - minute * MINUTE_MS for minute in MINUTES)
    return max((turn_ms for turn_ms in turns_ms if turn_ms <= now_ms), default=None)


def is_cold(booking: Booking, warmed_ms: int | None, now_ms: int) -> bool:
    """Whether it is to be read now. warmed_ms: when it was last read for this start."""
    since_ms = turn(booking, now_ms)
    return since_ms is not None and (warmed_ms is None or warmed_ms < since_ms)


def name(booking: Booking) -> str:
    """Under which its warmth is noted: a match that is rescheduled is read again."""
    return f"{booking.match.id} {booking.start_ms}"


def paths(match_id: str) -> tuple[str, ...]:
    safe = quote(match_id, safe="")
    return (f"/match/{safe}", f"/api/matches/{safe}", f"/api/score/{safe}", f"/api/matches/{safe}/events")


class Warmer:
    """urls: the public address, and any shield's own."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.urls = [url.rstrip("/") for url in urls]

    def warm(self, bookings: Sequence[Booking]) -> list[Booking]:
        """Those of which every read was well."""
        with ThreadPoolExecutor(READERS) as pool, requests.Session() as session:
            common = list(pool.map(lambda url: _read(session, url), self._addresses(COMMON)))
            warm = [
                booking
                for booking, answers in zip(
                    bookings, pool.map(lambda booking: self._match(session, booking), bookings), strict=True
                )
                if answers
            ]
        if not all(common) or len(warm) < len(bookings):
            logger.error("edge_cold matches=%d of=%d common=%s", len(bookings) - len(warm), len(bookings), all(common))
        return warm

    def _match(self, session: requests.Session, booking: Booking) -> bool:
        """Each is read, whatever the others brought."""
        outcomes = [_read(session, url) for url in self._addresses(paths(booking.match.id))]
        return all(outcomes)

    def _addresses(self, of: Iterable[str]) -> list[str]:
        return [url + path for path in of for url in self.urls]


def _read(session: requests.Session, url: str) -> bool:
    try:
        answer = session.get(url, timeout=TIMEOUT_S, headers={"Accept-Encoding": "gzip"})
        is_well = answer.status_code == 200
        reason = str(answer.status_code)
    except requests.RequestException as error:
        is_well, reason = False, type(error).__name__
    metrics.EDGE_WARMED.add(result="read" if is_well else "failed")
    if not is_well:
        logger.warning("edge_unwarmed url=%s reason=%s", url, reason)
    return is_well
