"""Snapshots of topics (a match, the board, its changes) in this process: read once for all, then kept current."""

from __future__ import annotations

import logging

from api.delivery import render
from api.delivery.answer import RenderedAnswer
from api.delivery.snapshot import Snapshot
from api.names import meant_match
from api.services import Services, now_ms
from api.web import errors
from api.web.responses import moved
from cdn import headers
from db.domain.errors import LiveScoreError, Refused, Unavailable

logger = logging.getLogger(__name__)


def current(services: Services, topic: str, seen: int = 0) -> Snapshot:
    """The topic as far as this process knows, and kept so: while the listener is cut off nobody can know better, and it
    reads all again when it is back.

    seen: the version that the reader has. One that this process has not heard of yet, another one has: it is read, so
    that nobody is sent back. Raises Refused `unknown_match`, Unavailable."""
    snapshot = services.hub.snapshot(topic)
    if snapshot and snapshot.waited >= seen:
        return snapshot
    services.listener.heed()
    try:
        return _read(services, topic)
    except Unavailable:
        # Not the one from before: it may have been forgotten during the reading, and would not be kept current.
        snapshot = services.hub.snapshot(topic)
        if snapshot is None:
            raise
        return snapshot


def _read(services: Services, topic: str) -> Snapshot:
    """Again where it was forgotten meanwhile: only what the hub keeps is kept current."""
    while True:
        services.hub.watch(topic)
        try:
            read = services.reader.read(topic) or archived(services, topic)
        except BaseException:
            services.hub.give_up(topic)
            raise
        if read is None:
            services.hub.forget(topic)
            raise Refused(f"There is no match {topic}.", "unknown_match")
        services.hub.know(read)
        snapshot = services.hub.snapshot(topic)
        if snapshot:
            return snapshot


def learn(services: Services, topic: str) -> None:
    """Read a topic for those who have arrived for it."""
    failures: tuple[RenderedAnswer, ...] = ()
    try:
        # Twice: the first who arrived may have seen less than those who came during the first reading.
        for _ in range(2):
            current(services, topic, services.hub.foremost(topic))
    except LiveScoreError as error:
        meant = _meant(services, topic, error)
        failures = (meant,) if meant else errors.plain(error, topic, services.dialect)
    except Exception:
        logger.exception("bug topic=%s", topic)
        bug = LiveScoreError("This is our fault. It has been logged.")
        failures = errors.plain(bug, topic, services.dialect)
    services.hub.admit(topic, now_ms(), failures)


def _meant(services: Services, topic: str, error: LiveScoreError) -> RenderedAnswer | None:
    """The way to the match that an unknown id means; None where it means none."""
    match_id = meant_match(services, topic) if error.code == "unknown_match" else None
    return moved(f"/api/score/{match_id}", services.dialect, topic) if match_id else None


def plain(services: Services, snapshot: Snapshot) -> RenderedAnswer:
    """What `/api/score/{match_id}` and `/api/live` answer, with the ETag of its version; for a match that continues as
    another, the way there."""
    now = now_ms()
    surging = services.hub.surging
    cursor = snapshot.cursor(now)

    def render_it() -> RenderedAnswer:
        if snapshot.replaced_by:
            return moved(f"/api/score/{snapshot.replaced_by}", services.dialect, snapshot.topic)
        cache = services.dialect.headers(headers.for_phase(snapshot.phase), snapshot.tags)
        if surging:
            # Another ETag: "not modified" would leave edges and readers with the pace of before.
            return RenderedAnswer(snapshot.in_surge.body(None), cache, etag=f"{snapshot.etag}-surge")
        return RenderedAnswer(snapshot.body(cursor), cache, etag=snapshot.etag)

    return snapshot.recent.get(cursor, "surge" if surging else "read", now, render_it)


def archived(services: Services, topic: str) -> Snapshot | None:
    """A match whose state has expired in Redis."""
    match = services.history.match(topic)
    return render.score(match) if match else None
