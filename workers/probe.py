"""How long until a change is seen at the edge: reads a changed match through PUBLIC_URL until its version is there.

That, and not a CDN's yes to a purge, is what viewers get. A thread of the clock.
"""

from __future__ import annotations

import logging
import threading
import time
from urllib.parse import quote

import requests

from cdn.backends.base import Backend
from cdn.check import check
from cdn.headers import Dialect
from db.domain.errors import Unavailable
from db.live import metrics
from db.live.pubsub import ChangeFeed, MatchChanged

logger = logging.getLogger(__name__)

# Between two reads of one change, and between two changes that are looked at: at most forty requests a second, and
# on a busy day one change in some hundred.
LOOK_S, EVERY_S = 0.025, 1.0
# What is not seen by then is told as a fault; lifetimes bound it far below.
GIVE_UP_S = 15.0
TIMEOUT_S = (2.0, 5.0)
# The canary is looked at when the service has had time to come up.
SETTLE_S = 20.0


class Probe(threading.Thread):
    """news_url: Redis. url: where readers come."""

    def __init__(self, news_url: str, url: str, stopping: threading.Event) -> None:
        super().__init__(name="probe", daemon=True)
        self.news_url, self.url, self.stopping = news_url, url.rstrip("/"), stopping
        self.session = requests.Session()

    def run(self) -> None:
        while not self.stopping.is_set():
            feed = ChangeFeed(self.news_url)
            try:
                feed.subscribe()
                self._listen(feed)
            except Unavailable as error:
                logger.warning("probe_waits reason=%r", error.message)
                self.stopping.wait(EVERY_S)
            finally:
                feed.close()

    def _listen(self, feed: ChangeFeed) -> None:
        while not self.stopping.is_set():
            # What is purged: the clock is left to expire.
            told = [one for one in feed.next(1.0) if isinstance(one, MatchChanged) and one.urgent]
            if told:
                # The newest: the others were waiting while we looked, and their wait is not the edge's.
                self.see(told[-1].match_id, told[-1].version)
                self.stopping.wait(EVERY_S)
                feed.next(0.0)

    def see(self, match_id: str, version: int) -> float | None:
        """Seconds from the commit, which a version is the time of, to reading it at the edge; None if it never came."""
        path = f"{self.url}/api/score/{quote(match_id, safe='')}"
        started = time.monotonic()
        while time.monotonic() - started < GIVE_UP_S and not self.stopping.is_set():
            found = self._version(path)
            if found is not None and found >= version:
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
    """Purge a canary once the service is up, and say in the log whether the edge does as it is told."""
    if stopping.wait(SETTLE_S):
        return
    for finding in check(url, backend, dialect):
        if not finding.ok:
            logger.error("edge_unsound cdn=%s reason=%r", backend.name, finding.message)
            return
    logger.info("edge_sound cdn=%s url=%s", backend.name, url)
