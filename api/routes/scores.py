"""The current score of one match, and of all that are live. Plain requests for them never come here: `fast`."""

from __future__ import annotations

from flask import Blueprint, Response, request

from api.delivery import render
from api.delivery.snapshot import BOARD, Snapshot
from api.services import here, now_ms
from api.topics import archived
from api.web import responses, schemas
from api.web.ids import checked_id
from api.web.openapi import documented
from cdn import headers
from db.domain.errors import Refused, Unavailable

blueprint = Blueprint("scores", __name__)


@blueprint.get("/api/score/<match_id>")
@documented("Current score", schemas.MatchScore, tag="scores")
def score(match_id: str) -> Response:
    """The score now. `version` only grows: a reader that holds a higher one ignores this body.

    `next` is the path to wait at for the next change, `poll_after_ms` when to ask again instead.
    """
    return _read(find(checked_id(match_id)))


@blueprint.get("/api/live")
@documented("All live matches", schemas.LiveBoard, query=schemas.LiveQuery, tag="scores")
def live() -> Response:
    """Matches in play or at a break, earliest kick-off first. `next` waits for the whole board, so a narrowed one has
    none."""
    wanted = request.args.get("competition")
    if wanted is None:
        return _read(here().reader.read(BOARD) or render.board(0, ()))
    board = here().live.board()
    shown = [match for match in board.matches if match.competition and match.competition.id == wanted]
    narrowed = render.board(board.version, shown)
    return responses.public(narrowed.body(None), headers.LIVE, f"live-{len(shown)}-{board.version}", narrowed.tags)


def _read(document: Snapshot) -> Response:
    body = document.body(document.cursor(now_ms()))
    return responses.public(body, headers.for_phase(document.phase), document.etag, document.tags)


def find(match_id: str) -> Snapshot:
    """From Redis, or from SQL once its state has expired there. Raises Refused `unknown_match`."""
    try:
        document = here().reader.read(match_id)
    except Unavailable:
        # Without Redis the archive still knows the score of a moment ago, which beats none.
        document = None
    document = document or archived(here(), match_id)
    if document is None:
        raise Refused(f"There is no match {match_id}.", "unknown_match")
    return document
