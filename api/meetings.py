"""What the two sides of a match have played against each other."""

from __future__ import annotations

from collections.abc import Sequence

from api.computed import ComputedDocument, DocumentParts, computed
from api.delivery import render_competition
from api.services import Services
from cdn import keys
from db.domain import Competition, Match
from db.domain.errors import Refused, Unavailable
from db.domain.knockout import Tie, knockout_rounds
from db.domain.season import Season, season_at
from db.domain.stage import place_of
from db.rulebook import rules_of
from db.sql.match_index import ListedMatch


def plain_match(services: Services, match_id: str) -> Match:
    """Without its events, from Redis or else from SQL. Raises Refused `unknown_match`, Unavailable, Undecodable."""
    outage = None
    try:
        match = services.live.matches.read([match_id])[0]
    except Unavailable as error:
        match, outage = None, error
    match = match or next(iter(services.history.index.matches([match_id])), None)
    if match is None and outage is not None:
        # Redis may have it.
        raise outage
    if match is None:
        raise Refused(f"There is no match {match_id}.", "unknown_match")
    return match


def head_to_head(services: Services, match: Match, now_ms: int) -> ComputedDocument:
    """Raises Unavailable."""
    ids, other_ids, listed = _between(services, match, now_ms)
    # Where the sides are not known, the match itself changes it.
    tags = [keys.meeting(one, other) for one in ids for other in other_ids] or [keys.match(match.id)]
    wanted = services.shelf.current(listed)

    def work_out(meetings: list[Match]) -> DocumentParts:
        team_ids = {name: same[0] for same in (ids, other_ids) for name in same}
        pair = _tie(match, meetings, team_ids)
        version = max(match.version, wanted.version)
        return render_competition.head_to_head(match, version, frozenset(ids), meetings, pair), tags

    return computed(services, ("head-to-head", match.id), wanted, work_out)


def _between(
    services: Services, match: Match, now_ms: int
) -> tuple[Sequence[str], Sequence[str], Sequence[ListedMatch]]:
    """The ids of the home side, those of the away side, and their meetings."""
    if match.home is None or match.away is None:
        return (), (), ()
    return services.history.index.between(match.home.id, match.away.id, now_ms)


def _tie(match: Match, meetings: list[Match], team_ids: dict[str, str]) -> Tie | None:
    """The match with the other leg, where it is one of a knock-out round."""
    competition = match.competition
    rules = rules_of(competition.id if competition else "")
    name = place_of(match, rules).round
    if competition is None or name is None or match.start_time is None:
        return None
    season = season_at(rules, match.start_time)
    of_season = [meeting for meeting in meetings if _is_of(meeting, competition, season)]
    rounds = {each.name: each.ties for each in knockout_rounds(of_season, rules, season.name, team_ids)}
    return next(iter(rounds.get(name, ())), None)


def _is_of(match: Match, competition: Competition, season: Season) -> bool:
    is_same = match.competition is not None and match.competition.id == competition.id
    return is_same and match.start_time is not None and season.since <= match.start_time < season.until
