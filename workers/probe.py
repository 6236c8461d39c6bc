"""Measures when a change is visible at the edge: reads a changed match through PUBLIC_URL until its version is there.

Viewers get what the edge serves, whatever the CDN answers to a purge. A thread of the clock.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from urllib.parse import quote

import requests

from cdn.backends.base import Backend
from cdn.check import check
from cdn.headers import Dialect
from db.domain.errors import Unavailable
from db.live import metrics
from db.live.pubsub import MatchChanged, NewsFeed

logger = logging.getLogger(__name__)

# Between two reads of one change, and between two probed changes: at most forty requests a second, and on a busy day
# one change in about a hundred.
LOOK_S, EVERY_S = 0.025, 1.0
# A change not visible by then is logged as an error. Cache lifetimes are far shorter.
GIVE_UP_S = 15.0
TIMEOUT_S = (2.0, 5.0)
# Wait before the check at start, so that the service is up.
SETTLE_S = 20.0


class Probe(threading.Thread):
    """news: opens a subscription to changes.
    url: where readers come.
    """

    def __init__(self, news: Callable[[], NewsFeed], url: str, stopping: threading.Event) -> None:
        super().__init__(name="probe", daemon=True)
        self.news, self.url, self.stopping = news, url.rstrip("/"), stopping
        self.session = requests.Session()

    def run(self) -> None:
        while not self.stopping.is_set():
            feed = self.news()
            try:
                feed.subscribe()
                self._listen(feed)
            except Unavailable as error:
                logger.warning("probe_waits reason=%r", error.message)
                self.stopping.wait(EVERY_S)
            finally:
                feed.close()

    def _listen(self, feed: NewsFeed) -> None:
        while not self.stopping.is_set():
            # Urgent changes are purged; a change of the minute is left to expire.
            changes = [change for change in feed.next(1.0) if isinstance(change, MatchChanged) and change.urgent]
            if changes:
                # The newest change: older ones waited for this thread, not for the edge.
                self.see(changes[-1].match_id, changes[-1].version)
                self.stopping.wait(EVERY_S)
                feed.next(0.0)

    def see(self, match_id: str, version: int) -> float | None:
        """Seconds from the commit (a version is its time) to reading it at the edge; None if it never came."""
        path = f"{self.url}/api/score/{quote(match_id, safe='')}"
        started = time.monotonic()
        while time.monotonic() - started < GIVE_UP_S and not self.stopping.is_set():
            version_seen = self._version(path)
            if version_seen is not None and version_seen >= version:
                visible_s = max(0.0, time.time() - version / 1000)
                metrics.EDGE_VISIBLE.observe(visible_s)
                return visible_s
            self.stopping.wait(LOOK_S)
        metrics.EDGE_UNSEEN.add()
        logger.error("edge_unseen match=%s version=%d url=%s", match_id, version, path)
        return None

    def _version(self, path: str) -> int | None:
        try:
            answer = self.session.get(path, timeout=TIMEOUT_S)
            return int(answer.json()["version"]) if answer.status_code == 200 else None
        except (requests.RequestException, ValueError, KeyError, TypeError):
            return None


def check_at_start(url: str, backend: Backend, dialect: Dialect, stopping: threading.Event) -> None:
    """Once the service is up, check that the edge caches and purges, and log the result."""
    if stopping.wait(SETTLE_S):
        return
    for finding in check(url, backend, dialect):
        if not finding.ok:
            logger.error("edge_unsound cdn=%s reason=%r", backend.name, finding.message)
            return
    logger.info("edge_sound cdn=%s url=%s", backend.name, url)
