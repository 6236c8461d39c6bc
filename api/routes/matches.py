"""Matches by day, team and competition; one match's metadata and timeline; search."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, request
from pydantic import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from api.delivery import render
from api.delivery.answer import RenderedAnswer
from api.delivery.details import Detail
from api.services import here
from api.web import responses, schemas
from api.web.ids import checked_id
from api.web.openapi import documented
from cdn import headers, keys
from db.domain import ID_PATTERN, Match, Phase, status_of
from db.domain.errors import Fault, Refused, Unavailable
from db.sql.history import MatchFilter, PageCursor

blueprint = Blueprint("matches", __name__)

Q = TypeVar("Q", bound=schemas.Query)

SEARCH_MAX = 10
# Milliseconds of a year from 1653 to 2286, and an id.
_PAGE = re.compile(rf"(-?\d{{1,13}})\|({ID_PATTERN.pattern})", re.ASCII)


@blueprint.get("/api/matches")
@documented(
    "Matches by day, competition, team or status",
    schemas.MatchList,
    query=schemas.MatchQuery,
    tag="matches",
    errors=(400, 503),
)
def matches() -> Response:
    """In order of kick-off. `next` is the path of the next page, null on the last."""
    query = _query(schemas.MatchQuery)
    match_filter = _match_filter(query)
    page_matches, more = here().history.matches(match_filter, query.limit, _page(query.cursor))
    path = f"{request.path}?{_next_query(query, more)}" if more else None
    body = {"matches": [render.summary(match) for match in page_matches], "next": path}
    return responses.public(body, headers.LIST, etag=responses.digest, tags=_tags(match_filter))


@blueprint.get("/api/matches/<match_id>")
@documented("A match's metadata", schemas.Metadata, tag="matches")
def match(match_id: str) -> AnyResponse:
    """Teams, competition, venue, start. A match that was replaced redirects to the match that replaced it."""
    answer = _detail(match_id, "metadata", render.metadata)
    replaced_by = json.loads(answer.body)["replaced_by"] if b'"replaced_by":"' in answer.body else None
    if replaced_by and replaced_by != match_id:
        moved = redirect(f"/api/matches/{replaced_by}", 308)
        moved.headers.update(here().dialect.headers(headers.LIST, [keys.match(match_id)]))
        moved.headers["Access-Control-Allow-Origin"] = "*"
        return moved
    return responses.rendered(answer)


@blueprint.get("/api/matches/<match_id>/events")
@documented("A match's timeline", schemas.Timeline, tag="matches")
def events(match_id: str) -> Response:
    """In match order. Voided events stay and are marked."""
    return responses.rendered(_detail(match_id, "events", render.timeline))


def _detail(match_id: str, name: str, body: Callable[[Match], dict[str, Any]]) -> RenderedAnswer:
    """Rendered once a version: 1,900 events take 50 ms. Raises Refused `unknown_match`, Unavailable."""
    version = _version(checked_id(match_id))

    def rendered() -> Detail:
        stored = _find(match_id)
        cache = here().dialect.headers(headers.for_detail(stored.phase), (keys.match(stored.id),))
        answer = RenderedAnswer(render.dumps(body(stored)), cache, f"{match_id}-{stored.version}")
        return Detail(stored.version, answer)

    return here().details.get((name, match_id), version, rendered).answer


def _version(match_id: str) -> int | None:
    """None where Redis does not know it."""
    try:
        return here().live.matches.versions([match_id])[0]
    except Unavailable:
        return None


@blueprint.get("/api/search")
@documented("Search", schemas.SearchResult, query=schemas.SearchQuery, tag="matches", errors=(400, 503))
def search() -> Response:
    """Teams and competitions by name, ignoring accents, and the latest matches of those teams."""
    results = here().history.search(_query(schemas.SearchQuery).q, SEARCH_MAX)
    body = {
        "teams": [render.team(team) for team in results.teams],
        "competitions": [render.named(competition) for competition in results.competitions],
        "matches": [render.summary(match) for match in results.matches],
    }
    return responses.public(body, headers.LIST)


def _find(match_id: str) -> Match:
    """The whole match, from Redis or else from SQL. Raises Refused `unknown_match`."""
    outage = None
    try:
        stored = here().live.matches.timeline(checked_id(match_id))
    except Unavailable as error:
        # Without Redis, SQL still has the match of a moment ago, which is better than none.
        stored, outage = None, error
    stored = stored or here().history.match(match_id)
    if stored is None and outage is not None:
        # Redis may have it: a 404 would replace the last good answer at the edge.
        raise outage
    if stored is None:
        raise Refused(f"There is no match {match_id}.", "unknown_match")
    return stored


def _tags(match_filter: MatchFilter) -> tuple[str, ...]:
    """Cache keys of a list: its days, if they are few, and its competition. A list with neither expires by its TTL."""
    competition = (keys.competition(match_filter.competition),) if match_filter.competition else ()
    return keys.days(match_filter.since, match_filter.until) + competition


def _query(model: type[Q]) -> Q:
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        faults = tuple(
            Fault(".".join(map(str, fault["loc"])), str(fault["msg"]).removeprefix("Value error, "))
            for fault in error.errors(include_url=False, include_input=False)
        )
        raise Refused("The query is not understood.", "bad_request", faults) from None


def _match_filter(query: schemas.MatchQuery) -> MatchFilter:
    zone = ZoneInfo(query.tz)
    since, until = query.from_, query.to
    if query.date:
        since, until = _day(query.date, zone)
    status, phase = None, None
    if query.status:
        phase = query.status if query.status in set(Phase) else None
        named_status = status_of(query.status)
        if phase is None and named_status is None:
            raise Refused("The query is not understood.", "bad_request", (Fault("status", "no such status or phase"),))
        status = named_status.value if named_status and phase is None else None
    return MatchFilter(_ms(since), _ms(until), query.competition, query.team, status, phase)


def _day(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """A calendar day in its time zone: 23 or 25 hours long when clocks change."""
    return datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone)


def _ms(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def _page(cursor: str | None) -> PageCursor | None:
    """Opaque to clients: the start and id of the last match of the page before."""
    if cursor is None:
        return None
    try:
        position = _PAGE.fullmatch(base64.urlsafe_b64decode(cursor + "==").decode())
    except (ValueError, binascii.Error):
        position = None
    if position is None:
        raise Refused("The query is not understood.", "bad_request", (Fault("cursor", "not a cursor from `next`"),))
    return PageCursor(int(position[1]), position[2])


def _next_query(query: schemas.MatchQuery, page: PageCursor) -> str:
    cursor = base64.urlsafe_b64encode(f"{page.listed_at}|{page.match_id}".encode()).decode().rstrip("=")
    return query.encoded(cursor=cursor)
