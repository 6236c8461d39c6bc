"""The current score of one match, and of all that are live."""

from __future__ import annotations

from flask import Blueprint, Response, request

from api import render, schemas
from api.matches import checked_id
from api.openapi import documented
from api.services import here, now_ms
from cdn import headers
from db.domain import Match, Phase
from db.errors import Refused, Unavailable

blueprint = Blueprint("scores", __name__)


@blueprint.get("/api/score/<match_id>")
@documented("Current score", schemas.Score, tag="scores")
def score(match_id: str) -> Response:
    """The score now. `version` only grows: a reader that holds a higher one ignores this body.

    `next` is the path to wait at for the next change, `poll_after_ms` when to ask again instead.
    """
    match = find(checked_id(match_id))
    return render.public(render.score(match, now_ms()), headers.for_phase(match.phase), f"{match.id}-{match.version}")


@blueprint.get("/api/live")
@documented("All live matches", schemas.Live, query=schemas.LiveQuery, tag="scores")
def live() -> Response:
    """Matches in play or at a break, earliest kick-off first."""
    wanted = request.args.get("competition")
    found = [match for match in here().live.read(here().live.live_ids()) if match]
    shown = [match for match in found if wanted is None or (match.competition and match.competition.id == wanted)]
    body = {
        "matches": [render.summary(match) for match in shown],
        "poll_after_ms": render.POLL_AFTER_MS[Phase.LIVE if shown else Phase.BREAK],
    }
    newest = max((match.version for match in shown), default=0)
    return render.public(body, headers.LIVE, f"live-{len(shown)}-{newest}")


def find(match_id: str) -> Match:
    """From Redis, or from SQL once its state has expired there. Raises Refused `unknown_match`."""
    try:
        match = here().live.read([match_id])[0]
    except Unavailable:
        # Without Redis the archive still knows the score of a moment ago, which beats none.
        match = None
    match = match or here().history.match(match_id)
    if match is None:
        raise Refused(f"There is no match {match_id}.", "unknown_match")
    return match
