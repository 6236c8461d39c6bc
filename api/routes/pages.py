"""The pages, from the same bodies as the API's answers, kept and purged at the edge as those are. The page's modules
take over where there is JavaScript (api/static/app.js)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from pydantic import ValidationError

from api.delivery import render
from api.delivery.answer import RenderedAnswer
from api.delivery.details import Detail
from api.pages import days, lists, match_page
from api.pages.bidi import isolate
from api.pages.clock import Body, today
from api.pages.days import DAY_MS
from api.pages.head import SITE, Head, match_head
from api.pages.lists import competition_path, team_path
from api.pages.rows import match_path
from api.services import here, now_ms
from api.web import errors, failure_pages, html, page_lists, page_tables, responses, schemas
from api.web.ids import checked_id
from api.web.page_lists import live_matches, live_now, live_version
from api.web.page_tables import PageTables
from api.whole_match import whole_match
from cdn import headers, keys
from db.domain import EVENT_TYPES, Event, Match
from db.domain.errors import Refused, Unavailable
from db.sql.history import MatchFilter
from pictures.card import picture_path

blueprint = Blueprint("pages", __name__)

# Today's board lists from so long ago on (ms), or on a busy day its list would end before the evening.
SINCE_MS = 6 * 60 * 60 * 1000
# A team's or competition's list: what people call recent.
BACK_MS = 14 * DAY_MS
SEARCH_MAX = 10
# Events of which all are looked at. Of a longer timeline, most are a provider's passes and touches.
EVENTS_MAX = 400
# What edges fetch for all matches whose configuration is of a release that had one shell for them.
SHARED_SHELL = "-"


@blueprint.get("/")
def board() -> Response:
    """Today."""
    now, live = now_ms(), live_matches()
    return _once_a_second("/", live.version, now, lambda: _board(live.by_id, now))


@blueprint.get("/day/<date>")
def day(date: str) -> Response:
    """Matches that start on a calendar day in UTC."""
    begins_ms, now = days.begins_ms(date), now_ms()
    if begins_ms is None:
        raise Refused("There is no such day.", "unknown_route")
    matches = page_lists.listed(MatchFilter(begins_ms, begins_ms + DAY_MS), live_now(), now)
    title = lists.long_name(date, today(now))
    return html.page(
        "board.html",
        headers.LIST,
        tags=(keys.day(begins_ms),),
        head=Head(title, f"Matches, scores and results: {title}.", f"/day/{date}"),
        title=title,
        days=days.strip(date, today(now)),
        sections=lists.day(matches, title, now),
        notice="" if matches else "No matches on this day",
    )


@blueprint.get("/match/<match_id>")
def match(match_id: str) -> Response:
    """Worked out once a version and minute."""
    if checked_id(match_id) == SHARED_SHELL:
        return html.page("failure.html", headers.PAGE, title=SITE, is_view=True)
    now, version = now_ms(), None
    with suppress(Unavailable):
        version = here().live.matches.versions([match_id])[0]
    minute = now // 60_000

    def written() -> Detail:
        stored = whole_match(here(), match_id)
        return Detail(stored.version + minute, _match(stored, now))

    wanted = None if version is None else version + minute
    return responses.rendered(here().pages.get(("match", match_id, here().hub.surging), wanted, written).answer)


@blueprint.get("/team/<team_id>")
def team(team_id: str) -> Response:
    """Its form, where it stands, and its matches around today, under the name it has now."""
    now, path = now_ms(), team_path(checked_id(team_id))

    def written() -> RenderedAnswer:
        matches = _around(MatchFilter(team=team_id), now)
        known = here().history.team(team_id)
        tables = page_tables.of_team(team_id, now)
        tags = tables.tags or (keys.team(team_id),)
        return _subject("teams", team_id, known.name if known else "", path, matches, tables, tags)

    return _once_a_second(path, live_version(), now, written)


@blueprint.get("/competition/<competition_id>")
def competition(competition_id: str) -> Response:
    """Its table, its scorers, and its matches around today."""
    now, path = now_ms(), competition_path(checked_id(competition_id))

    def written() -> RenderedAnswer:
        matches = _around(MatchFilter(competition=competition_id), now)
        known = here().history.index.competition(competition_id)
        tables = page_tables.of_competition(competition_id, now)
        tags = (keys.competition(competition_id), *(tables.tags or (keys.table(competition_id),)))
        return _subject("competitions", competition_id, known.name if known else "", path, matches, tables, tags)

    return _once_a_second(path, live_version(), now, written)


@blueprint.get("/search")
def search() -> Response:
    """For readers without JavaScript; others are answered as they type."""
    now = now_ms()
    try:
        words = schemas.SearchQuery.model_validate(request.args.to_dict()).q
    except ValidationError:
        words = ""
    results = here().history.search(words, SEARCH_MAX) if words else None
    matches = page_lists.as_now(results.matches, live_now(), now) if results else []
    (section,) = lists.day(matches, "Matches", now)
    path = "/search" + (f"?{urlencode({'q': words})}" if words else "")
    return html.page(
        "search.html",
        headers.LIST,
        head=Head("Search", "Teams, competitions and matches by name.", path),
        words=words,
        teams=[(team_path(one.id), one.name) for one in results.teams] if results else [],
        competitions=[(competition_path(one.id), one.name) for one in results.competitions] if results else [],
        section=section,
    )


@blueprint.errorhandler(Refused)
def refused(error: Refused) -> Response:
    """What is not there is a page of its own, kept for seconds; another name of a match leads to the match."""
    is_match = error.code == "unknown_match" and "match_id" in (request.view_args or {})
    return (errors.elsewhere() if is_match else None) or responses.rendered(
        failure_pages.missing(errors.match_tags(), is_match=is_match)
    )


@blueprint.errorhandler(Unavailable)
def unavailable(error: Unavailable) -> Response:
    errors.log_unavailable(error)
    return responses.rendered(failure_pages.unreachable(errors.spread_s(error.retry_after_s)))


def _once_a_second(path: str, live_version: int | None, now: int, write: Callable[[], RenderedAnswer]) -> Response:
    """Worked out once a version of the board and second: lists have no version. live_version: None without Redis, then
    it is worked out each time."""
    version = None if live_version is None else live_version + now // 1000

    def written() -> Detail:
        return Detail(version or 0, write())

    return responses.rendered(here().pages.get((path, here().hub.surging), version, written).answer)


def _board(live: Mapping[str, Body], now: int) -> RenderedAnswer:
    begins_ms = now // DAY_MS * DAY_MS
    rest: list[Body] = []
    # Without SQL there is what is live.
    with suppress(Unavailable):
        rest = page_lists.listed(MatchFilter(max(begins_ms, now - SINCE_MS), begins_ms + DAY_MS), live, now)
    sections = lists.board(({**live} | {match["match_id"]: match for match in rest}).values(), now)
    return html.answer(
        "board.html",
        headers.LIVE,
        tags=(keys.LIVE, keys.day(begins_ms)),
        head=Head(SITE, html.DESCRIPTION, "/"),
        title=SITE,
        is_today=True,
        days=days.strip(today(now), today(now)),
        sections=sections,
        notice="" if sections[0].size else "No matches right now",
    )


def _around(wanted: MatchFilter, now: int) -> list[Body]:
    return page_lists.listed(replace(wanted, since=now // DAY_MS * DAY_MS - BACK_MS), live_now(), now)


def _subject(
    subject: str, id_: str, name: str, path: str, matches: list[Body], tables: PageTables, tags: tuple[str, ...]
) -> RenderedAnswer:
    """Of a team or a competition. name: "" where nobody knows it. Raises Refused."""
    if not name and not matches:
        raise Refused("There is no such page.", "unknown_route")
    title, now = name or "Matches", now_ms()
    return html.answer(
        "subject.html",
        headers.LIST,
        tags=tags,
        subject=subject,
        subject_id=id_,
        **tables.bodies,
        has_tables=bool(tables.bodies),
        head=Head(isolate(title), f"{isolate(title)}: results, live scores and fixtures.", path),
        title=title,
        sections=lists.around(matches, today(now), now),
        notice="" if matches else "No matches around today",
    )


def _match(stored: Match, now: int) -> RenderedAnswer:
    successor = render.successor(stored)
    if successor:
        return responses.moved(match_path(successor), here().dialect, stored.id)
    body, metadata = render.summary(stored), render.metadata(stored)
    events = [render.event(event) for event in _telling(stored.timeline)]
    tables = page_tables.of_match(stored, now)
    return html.answer(
        "match.html",
        headers.for_phase(stored.phase),
        tags=tuple(dict.fromkeys((keys.match(stored.id), *tables.tags))),
        **tables.bodies,
        head=match_head(body, metadata, now, here().settings.public_url, picture_path(match_path(stored.id), stored)),
        **match_page.context(body, metadata, events, now),
    )


def _telling(events: list[Event]) -> list[Event]:
    return events if len(events) <= EVENTS_MAX else [event for event in events if event.type in EVENT_TYPES]
