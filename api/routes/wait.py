"""Held requests: `/wait/{version}.{slot}` answers when the match, or the board, moves past what the reader has seen."""

from __future__ import annotations

import logging
import threading
from typing import Any

from flask import Blueprint, Response, request

from api.delivery.hub import Waiter
from api.delivery.parking import ALREADY_HANDLED, parkable
from api.delivery.snapshot import BOARD, RenderedAnswer, WaitOutcome
from api.services import Services, here, now_ms
from api.topics import current
from api.web import schemas
from api.web.ids import checked_id
from api.web.openapi import documented
from db.domain import HOLD_MS, Cursor
from db.domain.errors import Refused, Unavailable

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
        return _response(document.answer(document.cursor(now_ms()), WaitOutcome.BEHIND))
    connection = parkable(request.environ)
    if connection is None:
        return _plainly(services, topic, cursor)
    answer = _ask(services, topic, cursor, connection)
    if answer:
        return _response(answer)
    connection.leave = services.room.leave
    return ParkedResponse()


def _ask(services: Services, topic: str, cursor: Cursor, reader: Waiter) -> RenderedAnswer | None:
    """None: the reader is held. Again where another thread has forgotten the topic between reading and asking."""
    while True:
        current(services, topic, cursor.version)
        with services.room.lock:
            if services.room.known(topic):
                return services.room.ask(topic, cursor, reader, now_ms())


class ParkedResponse(Response):
    """The connection is the room's now: whoever called the app is told to write nothing."""

    def __call__(self, _environ: Any, _start_response: Any) -> Any:
        return ALREADY_HANDLED


class BlockingWait:
    """A held request on a server whose connections cannot be parked: its thread waits."""

    def __init__(self) -> None:
        self.hold: Any = None
        self.answer: RenderedAnswer | None = None
        self.released = threading.Event()

    def release(self, answer: RenderedAnswer) -> None:
        self.answer = answer
        self.released.set()


def _plainly(services: Services, topic: str, cursor: Cursor) -> Response:
    reader = BlockingWait()
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


def _response(answer: RenderedAnswer) -> Response:
    return Response(answer.body, headers=answer.headers)
