"""Draws the pictures of matches whose score or status has changed: of each its newest state, however many came.

The least urgent of all jobs: between two pictures it gives way to any other.
"""

from __future__ import annotations

import logging
import time

from db.bugs import set_aside_on_bug
from db.domain.errors import Unavailable
from db.live import metrics
from db.live.matches import Matches
from db.live.pictures import Pictures
from db.live.room import CALM
from db.live.sharding import Queued
from pictures import drawing
from pictures.card import card_of
from workers.boot import services
from workers.queues import PICTURES, Doorbells

logger = logging.getLogger(__name__)

# As in workers.ingest.
LIFE_S = 2.0


def draw() -> None:
    """The job behind the doorbell of pictures."""
    resources = services()
    try:
        if not resources.shards.is_frozen():
            # 2,000 of them are 32 MB, and Heroku's smallest Redis has 50.
            resources.live.room.check(CALM)
            draw_pending(Draughtsman(resources.live.matches, resources.pictures), resources.bells)
    except Unavailable as error:
        logger.warning("pictures_wait reason=%r", error.message)


def draw_pending(draughtsman: Draughtsman, bells: Doorbells) -> None:
    """Draw until nothing waits, then silence the bell. It rings for the rest where another job waits."""
    started = time.monotonic()
    while time.monotonic() - started < LIFE_S and not bells.ahead(PICTURES):
        now_ms = time.time_ns() // 1_000_000
        if not draughtsman.next(now_ms):
            draughtsman.pictures.silence(now_ms=now_ms)
            return
    bells.pictures()


class Draughtsman:
    """Draws one picture after the other. Whoever dies over one leaves it claimed; the clock rings when that ends."""

    def __init__(self, matches: Matches, pictures: Pictures) -> None:
        self.matches = matches
        self.pictures = pictures

    def next(self, now_ms: int) -> bool:
        """False if nothing waits. Raises Unavailable; safe to repeat."""
        claimed = self.pictures.claim(now_ms=now_ms)
        if claimed is None:
            return False
        # It stays claimed, and is tried again when that ends.
        with set_aside_on_bug("picture_failed match=%s", claimed.member, aside=lambda: _count("failed")):
            self._draw(claimed)
        return True

    def _draw(self, claimed: Queued) -> None:
        started = time.monotonic()
        card = next((card_of(match) for match in self.matches.readable([claimed.member])), None)
        png = drawing.png(card) if card else None
        kept = self.pictures.put(claimed, card.digest if card else "", png)
        metrics.PICTURE_SECONDS.observe(time.monotonic() - started)
        _count("changed" if not kept else "drawn" if png else "unwritable" if card else "none")


def _count(result: str) -> None:
    metrics.PICTURES.add(result=result)
