"""Matches by day, team and competition; one match's metadata and timeline; search."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request, url_for

from api import meetings
from api.delivery import render
from api.delivery.answer import RenderedAnswer
from api.delivery.details import Detail
from api.meetings import plain_match
from api.services import here, now_ms
from api.web import competition_schemas, document_schemas, responses, schemas
from api.web.ids import checked_id
from api.web.openapi import documented
from api.web.query import parsed_query
from api.whole_match import whole_match
from cdn import headers, keys
from db.domain import ID_PATTERN, DocumentKind, Match, Phase, status_of
from db.domain.errors import Fault, Refused, Unavailable
from db.sql.history import MatchFilter, PageCursor
from db.stored_document import StoredDocument, chosen_document
from db.undecodable import decoded

blueprint = Blueprint("matches", __name__)

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
    query = parsed_query(schemas.MatchQuery)
    match_filter = _match_filter(query)
    page_matches, more = here().history.matches(match_filter, query.limit, _page(query.cursor))
    path = f"{request.path}?{_next_query(query, more)}" if more else None
    body = {"matches": [render.summary(match) for match in page_matches], "next": path}
    return responses.public(body, headers.LIST, etag=responses.digest, tags=_tags(match_filter))


@blueprint.get("/api/matches/<match_id>")
@documented("A match's metadata", schemas.Metadata, tag="matches")
def match(match_id: str) -> Response:
    """Teams, competition, venue, start. A match that continues as another, and another name of a match, redirect there:
    here, and wherever else a match is read."""
    return _response(_detail(match_id, "metadata", render.metadata))


@blueprint.get("/api/matches/<match_id>/events")
@documented("A match's timeline", schemas.Timeline, tag="matches")
def events(match_id: str) -> Response:
    """In match order. Voided events stay and are marked."""
    return _response(_detail(match_id, "events", render.timeline))


@blueprint.get("/api/matches/<match_id>/lineups")
@documented("A match's line-ups", document_schemas.LineupsBody, tag="matches")
def lineups(match_id: str) -> Response:
    """Both squads, starters first. Sides are null and `version` is 0 until a feed tells them; `confirmed` says whether
    the teams have."""
    return _document(match_id, DocumentKind.LINEUPS, render.lineups)


@blueprint.get("/api/matches/<match_id>/stats")
@documented("A match's statistics", document_schemas.StatsBody, tag="matches")
def stats(match_id: str) -> Response:
    """Figures of both sides by name, such as `possession` (percent), `shots`, `corners`; other names are the
    provider's. Empty, and `version` 0, until a feed tells them."""
    return _document(match_id, DocumentKind.STATS, render.stats)


@blueprint.get("/api/matches/<match_id>/head-to-head")
@documented("What both sides have played against each other", competition_schemas.HeadToHead, tag="matches")
def head_to_head(match_id: str) -> Response:
    """The last fifty meetings in all competitions, and how often which side has won. A goal moves it."""
    match = plain_match(here(), checked_id(match_id))
    answer = meetings.head_to_head(here(), match, now_ms()).answer
    return _response(Detail(match.version, answer, render.successor(match)))


def _document(
    match_id: str, kind: DocumentKind, body: Callable[[Match, StoredDocument | None], dict[str, Any]]
) -> Response:
    """Not kept by this process: one small hash, and an edge asks once in seconds."""
    stored = _find(match_id)
    document = _stored_document(stored, kind)
    version = document.version if document else 0
    source = f"-{document.source}" if document else ""
    etag = f"{match_id}-{kind.value}{source}-{version}"
    answer = _answer(stored, decoded(match_id, lambda: body(stored, document)), etag)
    return _response(Detail(version, answer, render.successor(stored)))


def _stored_document(match: Match, kind: DocumentKind) -> StoredDocument | None:
    """From Redis, or else from SQL. Raises Unavailable where neither can say."""
    outage = None
    try:
        documents = here().live.documents.read(match.id, kind)
    except Unavailable as error:
        documents, outage = [], error
    try:
        return chosen_document(documents or here().history.documents.read(match.id, kind), match.source)
    except Unavailable:
        if outage is not None:
            raise
        # A match in play is in Redis: there are none, and SQL need not be asked.
        return None


def _detail(match_id: str, name: str, body: Callable[[Match], dict[str, Any]]) -> Detail:
    """Rendered once a version: 1,900 events take 50 ms. Raises Refused `unknown_match`, Unavailable."""
    version = _version(checked_id(match_id))

    def rendered() -> Detail:
        stored = _find(match_id)
        answer = _answer(stored, body(stored), f"{match_id}-{stored.version}")
        return Detail(stored.version, answer, render.successor(stored))

    # In a surge an edge keeps it for longer.
    return here().details.get((name, match_id, here().hub.surging), version, rendered)


def _version(match_id: str) -> int | None:
    """None where Redis does not know it."""
    try:
        return here().live.matches.versions([match_id])[0]
    except Unavailable:
        return None


def _answer(stored: Match, body: dict[str, Any], etag: str) -> RenderedAnswer:
    cache = here().dialect.headers(headers.for_detail(stored.phase), (keys.match(stored.id),))
    return RenderedAnswer(render.dumps(body), cache, etag)


def _response(detail: Detail) -> Response:
    if detail.replaced_by:
        path = url_for(str(request.endpoint), match_id=detail.replaced_by)
        moved_id = (request.view_args or {}).get("match_id", "")
        return responses.rendered(responses.moved(path, here().dialect, moved_id))
    return responses.rendered(detail.answer)


@blueprint.get("/api/search")
@documented("Search", schemas.SearchResult, query=schemas.SearchQuery, tag="matches", errors=(400, 503))
def search() -> Response:
    """Teams and competitions by name, ignoring accents, and the latest matches of those teams."""
    results = here().history.search(parsed_query(schemas.SearchQuery).q, SEARCH_MAX)
    body = {
        "teams": [render.team(team) for team in results.teams],
        "competitions": [render.named(competition) for competition in results.competitions],
        "matches": [render.summary(match) for match in results.matches],
    }
    return responses.public(body, headers.LIST)


def _find(match_id: str) -> Match:
    """Raises Refused `unknown_match`, Unavailable."""
    return whole_match(here(), match_id)


def _tags(match_filter: MatchFilter) -> tuple[str, ...]:
    """Cache keys of a list: its days, if they are few, and its competition. A list with neither expires by its TTL."""
    competition = (keys.competition(match_filter.competition),) if match_filter.competition else ()
    return keys.days(match_filter.since, match_filter.until) + competition


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
