"""Held requests: `/wait/{version}.{slot}` answers when the match, or the board, moves past what the reader has seen."""

from __future__ import annotations

import logging
import threading
from typing import Any

from flask import Blueprint, Response, request

from api import errors, render, schemas
from api.document import BOARD, Answer, Document, Held
from api.matches import checked_id
from api.openapi import documented
from api.parking import ALREADY_HANDLED, parkable
from api.services import Services, here, now_ms
from api.waiting import Reader
from db.domain import HOLD_MS, Cursor
from db.errors import LiveScoreError, Refused, Unavailable

logger = logging.getLogger(__name__)

blueprint = Blueprint("held", __name__)

# The room answers at the end of the slot; this is only for the case that its timer is late.
PLAIN_WAIT_S = HOLD_MS / 1000 + 5


@blueprint.get("/api/score/<match_id>/wait/<cursor>")
@documented("Wait for the next change of a match", schemas.HeldScore, tag="held")
def wait(match_id: str, cursor: str) -> Response:
    """Held until the match moves past the cursor, 20 s at most; then the body of the score. Ask its `next` then.

    `held` says why it was answered: `changed`, `timeout`, `behind` or `ahead` of the cursor in force, `full` (poll
    plainly for now) or `draining` (this process ends; ask again). `cursor` is the end of some earlier `next`.
    """
    return _answered(here(), checked_id(match_id), cursor)


@blueprint.get("/api/live/wait/<cursor>")
@documented("Wait for the next change of the board", schemas.HeldLive, tag="held")
def wait_live(cursor: str) -> Response:
    """As for one match: the whole board when a score or status on it changes; other changes are told once a second."""
    return _answered(here(), BOARD, cursor)


def _answered(services: Services, topic: str, text: str) -> Response:
    cursor = Cursor.parse(text)
    if cursor is None:
        raise Refused("A cursor is {version}.{slot}, as `next` gives it.", "unknown_match")
    if request.method == "HEAD":
        document = current(services, topic, cursor.version)
        return _response(document.answer(document.cursor(now_ms()), Held.BEHIND))
    connection = parkable(request.environ)
    if connection is None:
        return _plainly(services, topic, cursor)
    answer = _ask(services, topic, cursor, connection)
    if answer:
        return _response(answer)
    connection.leave = services.room.leave
    return Parked()


def _ask(services: Services, topic: str, cursor: Cursor, reader: Reader) -> Answer | None:
    """None: the reader is held. Again where another thread has forgotten the topic between reading and asking."""
    while True:
        current(services, topic, cursor.version)
        with services.room.lock:
            if services.room.known(topic):
                return services.room.ask(topic, cursor, reader, now_ms())


class Parked(Response):
    """The connection is the room's now: whoever called the app is told to write nothing."""

    def __call__(self, _environ: Any, _start_response: Any) -> Any:
        return ALREADY_HANDLED


def current(services: Services, topic: str, seen: int = 0) -> Document:
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


def _read(services: Services, topic: str) -> Document:
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


def archived(services: Services, topic: str) -> Document | None:
    """A match whose state has expired in Redis."""
    match = services.history.match(topic)
    return render.score(match) if match else None


class PlainReader:
    """A held request on a server whose connections cannot be parked: its thread waits."""

    def __init__(self) -> None:
        self.hold: Any = None
        self.answer: Answer | None = None
        self.released = threading.Event()

    def release(self, answer: Answer) -> None:
        self.answer = answer
        self.released.set()


def _plainly(services: Services, topic: str, cursor: Cursor) -> Response:
    reader = PlainReader()
    answer = _ask(services, topic, cursor, reader)
    if answer is None:
        try:
            reader.released.wait(PLAIN_WAIT_S)
        finally:
            services.room.leave(reader)
        answer = reader.answer
    if answer is None:
        raise Unavailable("The hold was lost.")
    return _response(answer)


def _response(answer: Answer) -> Response:
    return Response(answer.body, headers=answer.headers)
