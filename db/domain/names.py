"""Other names of matches and teams: what is told under one of them is told of the thing itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from db.domain.match_info import MatchInfo, Team
from db.domain.record import replace
from db.domain.update import Update

# Push metadata, REST and other products of Sportradar write one id in three ways (developer.sportradar.com, "ID
# handling").
_SPORTRADAR = re.compile(r"sr:(?:sport_event_id|match):(\d{1,20})", re.ASCII)


def spelled(match_id: str) -> str:
    """The id in the one spelling that we keep it under."""
    other = _SPORTRADAR.fullmatch(match_id)
    return f"sr:sport_event:{other[1]}" if other else match_id


def team_ids(updates: Iterable[Update]) -> set[str]:
    """The teams that the updates name."""
    infos = (update.info for update in updates if update.info)
    return {team.id for info in infos for team in (info.home, info.away) if team}


def renamed(updates: Iterable[Update], matches: Mapping[str, str], teams: Mapping[str, str]) -> list[Update]:
    """The updates with the ids that we know their matches and teams by.

    matches, teams: other name → id.
    """
    return [_renamed(update, matches, teams) for update in updates]


def _renamed(update: Update, matches: Mapping[str, str], teams: Mapping[str, str]) -> Update:
    match_id = spelled(update.match_id)
    match_id, info = matches.get(match_id, match_id), update.info
    if info and teams:
        info = replace(info, home=_team(info.home, teams), away=_team(info.away, teams))
    if info and info.replaced_by:
        info = replace(info, replaced_by=_successor(info, match_id, matches))
    if match_id == update.match_id and info == update.info:
        return update
    return replace(update, match_id=match_id, info=info)


def _team(team: Team | None, teams: Mapping[str, str]) -> Team | None:
    return Team(teams[team.id], team.name) if team and team.id in teams else team


def _successor(info: MatchInfo, match_id: str, matches: Mapping[str, str]) -> str | None:
    """None where it is the match itself under another name: readers would be redirected in a circle."""
    successor = spelled(info.replaced_by or "")
    successor = matches.get(successor, successor)
    return successor if successor != match_id else None
