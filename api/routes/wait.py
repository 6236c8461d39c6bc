"""Held requests: `/wait/{version}.{slot}` answers when the match, or the board, moves past what the reader has seen;
`/changes/{version}.{slot}` with the difference."""

from __future__ import annotations

import logging
import threading
from typing import Any

from flask import Blueprint, Response, request

from api.delivery.answer import GZIP, RenderedAnswer, WaitOutcome, accepts_gzip
from api.delivery.environ import ALREADY_HANDLED, connection_of, has_place
from api.delivery.snapshot import BOARD, CHANGES
from api.delivery.wait_group import Waiter
from api.services import Services, here, now_ms
from api.topics import current
from api.web import responses, schemas
from api.web.ids import checked_id
from api.web.openapi import documented
from db.domain import HOLD_MS, Cursor
from db.domain.errors import Refused, Unavailable

logger = logging.getLogger(__name__)

blueprint = Blueprint("held", __name__)

# The hub answers at the end of the slot. This is for the case that its timer is late.
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
    """As for one match: the whole board when a score or status on it changes; other changes are told once a second.
    A minute that only ticks is not told: count on from `minute_at`."""
    return _answered(here(), BOARD, cursor)


@blueprint.get("/api/live/changes/<cursor>")
@documented("Wait for what changes on the board", schemas.HeldChanges, tag="held")
def changes(cursor: str) -> Response:
    """As `/api/live/wait`, but only with the matches that changed, and the ids of those that left the board. A match
    that ends is in both. Where the cursor is too old, `whole` is true and `matches` is the whole board.

    Ask `changes` then. `cursor` is the end of some earlier `changes`.
    """
    return _answered(here(), CHANGES, cursor)


def _answered(services: Services, topic: str, text: str) -> Response:
    cursor = Cursor.parse(text)
    if cursor is None:
        raise Refused("A cursor is {version}.{slot}, as `next` or `changes` gives it.", "unknown_match")
    if request.method == "HEAD":
        snapshot = current(services, topic, cursor.version)
        base = snapshot.base(cursor.version)
        return responses.rendered(snapshot.answer(snapshot.cursor(now_ms()), WaitOutcome.BEHIND, base))
    connection = connection_of(request.environ)
    if connection is None:
        return _wait_in_thread(services, topic, cursor)
    answer = _ask(services, topic, cursor, connection if has_place(request.environ) else None)
    if answer:
        return responses.rendered(answer)
    connection.variant = GZIP if accepts_gzip(request.headers.get("Accept-Encoding", "")) else 0
    connection.wait(services.hub.leave)
    return HeldResponse()


def _ask(services: Services, topic: str, cursor: Cursor, reader: Waiter | None) -> RenderedAnswer | None:
    """None: the reader is held. Again where another thread has forgotten the topic between reading and asking."""
    while True:
        current(services, topic, cursor.version)
        with services.hub.lock:
            if services.hub.snapshot(topic):
                return services.hub.ask(topic, cursor, reader, now_ms())


class HeldResponse(Response):
    """The answer comes later, from the hub: whoever called the app writes nothing."""

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


def _wait_in_thread(services: Services, topic: str, cursor: Cursor) -> Response:
    reader = BlockingWait()
    answer = _ask(services, topic, cursor, reader)
    if answer is None:
        try:
            reader.released.wait(PLAIN_WAIT_S)
        finally:
            services.hub.leave(reader)
        answer = reader.answer
    if answer is None:
        raise Unavailable("The hold was lost.")
    return responses.rendered(answer)
