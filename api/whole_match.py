"""The whole match with its events, wherever it is kept."""

from __future__ import annotations

from api.services import Services
from api.web.ids import checked_id
from db.domain import Match
from db.domain.errors import Refused, Unavailable


def whole_match(services: Services, match_id: str) -> Match:
    """From Redis or else from SQL. Raises Refused `unknown_match`, Unavailable."""
    outage = None
    try:
        stored = services.live.matches.timeline(checked_id(match_id))
    except Unavailable as error:
        # Without Redis, SQL still has the match of a moment ago, which is better than none.
        stored, outage = None, error
    stored = stored or services.history.match(match_id)
    if stored is None and outage is not None:
        # Redis may have it: a 404 would replace the last good answer at the edge.
        raise outage
    if stored is None:
        raise Refused(f"There is no match {match_id}.", "unknown_match")
    return stored
