"""What pages show of the documents that are computed from many matches. A page is served without those that cannot be
had: it is of more use than they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from api import competitions, meetings, teams
from api.computed import ComputedDocument
from api.pages import tables
from api.pages.clock import Body
from api.services import here
from db.domain import Match
from db.domain.errors import Refused, Unavailable, Undecodable

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class PageTables:
    """bodies: of documents, by the name that the template has for them.
    tags: the keys that purge them.
    """

    bodies: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


def of_competition(competition_id: str, now_ms: int) -> PageTables:
    season = _at_hand(lambda: competitions.chosen_season(here(), competition_id, None, now_ms))
    if season is None:
        return PageTables()
    table = _at_hand(lambda: competitions.table(here(), season))
    scorers = _at_hand(lambda: competitions.top_scorers(here(), season))
    shown = {
        "table": table.body if table and (table.body["groups"] or table.body["rounds"]) else None,
        "scorers": scorers.body["scorers"][: tables.SCORERS_MAX] if scorers else [],
    }
    return PageTables(shown if any(shown.values()) else {}, _tags(table, scorers))


def of_team(team_id: str, now_ms: int) -> PageTables:
    """Its form, and its place in the competitions that it plays in."""
    team = _at_hand(lambda: teams.team(here(), team_id, now_ms))
    if team is None:
        return PageTables()
    standings: list[tuple[Body, Body]] = []
    read: list[ComputedDocument | None] = [team]
    for competition_id in tables.competitions_of(team.body):
        table = _at_hand(partial(_table, competition_id, now_ms))
        row = tables.row_of(table.body, team.body["team"]["id"]) if table else None
        if table and row:
            standings.append((table.body["competition"], row))
            read.append(table)
    shown = {"form": team.body["form"], "standings": standings}
    return PageTables(shown if any(shown.values()) else {}, _tags(*read))


def of_match(match: Match, now_ms: int) -> PageTables:
    document = _at_hand(lambda: meetings.head_to_head(here(), match, now_ms))
    if document is None:
        return PageTables()
    body = document.body
    is_shown = tables.meetings(body) or tables.has_aggregate(body["tie"])
    return PageTables({"head_to_head": body} if is_shown else {}, document.tags)


def _table(competition_id: str, now_ms: int) -> ComputedDocument:
    return competitions.table(here(), competitions.chosen_season(here(), competition_id, None, now_ms))


def _at_hand(read: Callable[[], Read]) -> Read | None:
    try:
        return read()
    except (Refused, Unavailable, Undecodable):
        return None


def _tags(*documents: ComputedDocument | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag for document in documents if document for tag in document.tags))
