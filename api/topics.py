"""Snapshots of topics (a match or the board) in this process: read once for all who ask, then kept current."""

from __future__ import annotations

import logging

from api.delivery import render
from api.delivery.snapshot import Snapshot
from api.services import Services, now_ms
from api.web import errors
from db.domain.errors import LiveScoreError, Refused, Unavailable

logger = logging.getLogger(__name__)


def current(services: Services, topic: str, seen: int = 0) -> Snapshot:
    """The topic as far as this process knows, and kept so: while the listener is cut off nobody can know better, and it
    reads all again when it is back.

    seen: the version that the reader has. One that this process has not heard of yet, another one has: it is read, so
    that nobody is sent back. Raises Refused `unknown_match`, Unavailable."""
    known = services.room.known(topic)
    if known and known.version >= seen:
        return known
    services.listener.heed()
    try:
        return _read(services, topic)
    except Unavailable:
        if known is None:
            raise
        return known


def _read(services: Services, topic: str) -> Snapshot:
    """Again where it was forgotten meanwhile: only what the room keeps is kept current."""
    while True:
        services.room.watch(topic)
        try:
            read = services.reader.read(topic) or archived(services, topic)
        except BaseException:
            services.room.give_up(topic)
            raise
        if read is None:
            services.room.forget(topic)
            raise Refused(f"There is no match {topic}.", "unknown_match")
        services.room.know(read)
        known = services.room.known(topic)
        if known:
            return known


def learn(services: Services, topic: str) -> None:
    """Read a topic for those who have arrived for it."""
    failure = None
    try:
        # Twice: the first who arrived may have seen less than those who came during the first reading.
        for _ in range(2):
            current(services, topic, services.room.foremost(topic))
    except LiveScoreError as error:
        failure = errors.plain(error, topic, services.dialect)
    except Exception:
        logger.exception("bug topic=%s", topic)
        bug = LiveScoreError("This is our fault. It has been logged.")
        failure = errors.plain(bug, topic, services.dialect)
    services.room.admit(topic, now_ms(), failure)


def archived(services: Services, topic: str) -> Snapshot | None:
    """A match whose state has expired in Redis."""
    match = services.history.match(topic)
    return render.score(match) if match else None
