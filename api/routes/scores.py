"""The current score of one match, and of all that are live. Plain requests never get here: `hot_path` answers them."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Response, request

from api.delivery import render
from api.delivery.snapshot import BOARD, Snapshot
from api.services import here
from api.topics import archived, plain
from api.web import responses, schemas
from api.web.ids import checked_id
from api.web.openapi import documented
from cdn import headers
from db.domain.errors import Refused, Unavailable

blueprint = Blueprint("scores", __name__)


@blueprint.get("/api/score/<match_id>")
@documented("Current score", schemas.MatchScore, tag="scores")
def score(match_id: str) -> Response:
    """The score now. `version` only grows: ignore a body whose version is lower than the one you hold.

    `next` is the path to wait at for the next change, `poll_after_ms` when to ask again instead.
    """
    return responses.rendered(plain(here(), find(checked_id(match_id))))


@blueprint.get("/api/live")
@documented("All live matches", schemas.LiveBoard, query=schemas.LiveQuery, tag="scores")
def live() -> Response:
    """Matches in play or at a break, earliest kick-off first. `next` waits for the whole board, `changes` for what
    changes on it; a narrowed board has neither."""
    competition_id = request.args.get("competition")
    if competition_id is None:
        return responses.rendered(plain(here(), cast(Snapshot, here().reader.read(BOARD))))
    version = here().live.matches.versions([None])[0]
    # Decoding the board of a Saturday takes 20 ms, so it is done once a version and not once a competition.
    board = here().details.get("board", version, here().live.board.read)
    narrowed, matches = render.narrowed(board, competition_id)
    return responses.public(narrowed.body(None), headers.LIVE, f"live-{matches}-{board.version}", narrowed.tags)


def find(match_id: str) -> Snapshot:
    """From Redis, or from SQL once the state has expired in Redis. Raises Refused `unknown_match`."""
    outage = None
    try:
        snapshot = here().reader.read(match_id)
    except Unavailable as error:
        # Without Redis, SQL still has the score of a moment ago, which is better than none.
        snapshot, outage = None, error
    snapshot = snapshot or archived(here(), match_id)
    if snapshot is None and outage is not None:
        # Redis may have it: a 404 would replace the last good score at the edge.
        raise outage
    if snapshot is None:
        raise Refused(f"There is no match {match_id}.", "unknown_match")
    return snapshot
