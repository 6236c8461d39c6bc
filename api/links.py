"""Links what several sources call by different names, once a person has said that it is one."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from api.names import meant_match
from api.services import Services
from db.domain import Match, MatchInfo, Phase, Stamp, Status, Subject, Team, Update, spelled
from db.domain.errors import Refused, Unavailable
from db.sql.history import MatchFilter

logger = logging.getLogger(__name__)

PAGE = 100


def link(services: Services, name: str, match_id: str, *, now_ms: int) -> str:
    """Make `name` another name of a match; returns the match's id. A worker then joins what was told under the name.

    Raises Refused where the match is not known, or where one source tells both: then they are two, unless it says that
    one replaces the other. Raises Unavailable.
    """
    name, match_id = spelled(name), meant_match(services, match_id) or match_id
    if name == match_id:
        raise Refused(f"{name} is the match itself.", "invalid")
    match = _known(services, match_id)
    if not match:
        raise Refused(f"There is no match {match_id}.", "unknown_match")
    common = match & _known(services, name)
    if common:
        raise Refused(f"{', '.join(sorted(common))} tells of both. If one replaces the other: flask matches replace.")
    changed = services.history.names.add(Subject.MATCH, name, match_id, now_ms=now_ms)
    services.live.names.add(Subject.MATCH, changed)
    services.partials.add([match_id], now_ms=now_ms)
    _ring(services)
    return match_id


def unlink(services: Services, name: str) -> None:
    """Raises Refused where there is no such name, or where a record was joined: that cannot be taken apart again."""
    match_id = services.history.names.of(Subject.MATCH, name)
    if match_id is None:
        raise Refused(f"{name} is no other name of a match.", "unknown_match")
    if _known(services, name):
        raise Refused(f"What was told of {name} has been joined to {match_id}; that cannot be taken apart.")
    services.history.names.remove(Subject.MATCH, name)
    services.live.names.remove(Subject.MATCH, name)


def replace_match(services: Services, match_id: str, successor: str, *, now_ms: int) -> Update:
    """The update that says that a match continues as another, in the name of its source. Raises Refused."""
    match, other = services.history.match(match_id), services.history.match(successor)
    for id_, known in ((match_id, match), (successor, other)):
        if known is None:
            raise Refused(f"There is no match {id_}.", "unknown_match")
    assert match is not None and other is not None  # noqa: S101, PT018 - for the type checker
    if match_id in (successor, other.replaced_by):
        raise Refused(f"{successor} would lead back to {match_id}.", "invalid")
    at, moved = Stamp(now_ms, source=match.source), MatchInfo(replaced_by=successor)
    # The status as well, as providers tell it: one in play would stay on the board beside its successor.
    return Update(match_id, at, now_ms, status=Status.REPLACED, info=moved)


def merge_teams(services: Services, name: str, team_id: str, *, now_ms: int) -> list[Update]:
    """Make a team another name of a team, with its followers; returns what is to be told of its unfinished matches.

    Raises Refused where the team is not known.
    """
    team = services.history.team(team_id)
    if team is None or name == team_id:
        raise Refused(f"There is no team {team_id} other than {name}.", "invalid")
    changed = services.history.names.add(Subject.TEAM, name, team_id, now_ms=now_ms)
    services.live.names.add(Subject.TEAM, changed)
    return [_with_team(match, name, team, now_ms) for match in _unfinished(services, name) if _plays(match, name)]


def _known(services: Services, match_id: str) -> set[str]:
    """The sources that have told of a match; empty where nobody knows it. Its ledgers name them all."""
    records = services.live.matches.load(match_id, ()).match, services.history.stored(match_id)
    return {source for record in records if record for source in record.ledgers or [record.source]}


def _ring(services: Services) -> None:
    try:
        services.bells.history()
    except Unavailable as error:
        logger.warning("bell_unrung shard=-1 reason=%r", error.message)


def _unfinished(services: Services, team_id: str) -> Iterator[Match]:
    for phase in (Phase.SCHEDULED, Phase.LIVE, Phase.BREAK):
        page, more = services.history.matches(MatchFilter(team=team_id, phase=phase), PAGE)
        yield from page
        while more:
            page, more = services.history.matches(MatchFilter(team=team_id, phase=phase), PAGE, more)
            yield from page


def _plays(match: Match, team_id: str) -> bool:
    return team_id in {team.id for team in (match.home, match.away) if team}


def _with_team(match: Match, name: str, team: Team, now_ms: int) -> Update:
    home, away = (team if side and side.id == name else None for side in (match.home, match.away))
    return Update(match.id, Stamp(now_ms, source=match.source), now_ms, info=MatchInfo(home=home, away=away))
