"""A team: its form, its last results and its next fixtures, in all competitions."""

from __future__ import annotations

from api.computed import ComputedDocument, DocumentParts, computed
from api.delivery import render_competition
from api.services import Services
from cdn import keys
from db.domain import Match
from db.domain.errors import Refused


def team(services: Services, team_id: str, now_ms: int) -> ComputedDocument:
    """By its id or another name of it. Raises Refused `unknown_team`, Unavailable."""
    subject, ids, listed = services.history.index.team(team_id, now_ms)
    if subject is None:
        raise Refused(f"There is no team {team_id}.", "unknown_team")
    wanted = services.shelf.current(listed)

    def work_out(matches: list[Match]) -> DocumentParts:
        body = render_competition.team_page(subject, wanted.version, frozenset(ids), matches, now_ms)
        return body, tuple(map(keys.team, ids))

    return computed(services, ("team", team_id), wanted, work_out)
