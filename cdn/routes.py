"""Every route of the service and what an edge does with it. One table, from which each edge is configured.

What is not listed here is refused by our Varnish: a route that is added to the service needs a row, or a test fails
(tests/cdn/test_routes.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from db.domain import CURSOR_PATTERN, ID_PATTERN


class Handling(StrEnum):
    STORED = "stored"  # the same for all readers: kept, and fetched once for all who come together
    HELD = "held"  # as stored, but up to 20 s to its first byte, and never served stale
    PASSED = "passed"  # forwarded and never kept
    STREAM = "stream"  # forwarded as it comes, for hours
    SOCKET = "socket"  # a WebSocket


READ = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Route:
    """One path of the service.

    path: with its variables in braces, as in OpenAPI.
    handling: what an edge does with it.
    methods: the methods it has, without OPTIONS, which is forwarded on every path.
    parameters: the query parameters that are part of the cache key; an edge drops all others.
    stale_s: how old beyond its lifetime an answer may be served while it is fetched, from an origin that is well.
    """

    path: str
    handling: Handling
    methods: tuple[str, ...] = READ
    parameters: tuple[str, ...] = ()
    stale_s: int = 0

    @property
    def pattern(self) -> str:
        """A regular expression of the path in its one spelling, without anchors."""
        return self.pattern_with()

    def pattern_with(self, **variables: str) -> str:
        """The same, with other patterns of variables: of SENT_ID, where an edge decodes nothing."""
        return self.written(re.escape, lambda name: variables.get(name) or _variable(name))

    @property
    def wildcard(self) -> str:
        """The path with an asterisk for each variable, as vendors without regular expressions match it."""
        return self.written(str, lambda _: "*")

    @property
    def depth(self) -> int:
        """The number of its slashes: an asterisk matches those as well."""
        return self.path.count("/")

    def written(self, literal: Callable[[str], str], variable: Callable[[str], str]) -> str:
        """The path in a language of patterns. literal: writes text; variable: writes a variable, given its name."""
        pieces = re.split(r"\{(\w+)\}", self.path)
        return "".join(variable(piece) if index % 2 else literal(piece) for index, piece in enumerate(pieces))


# Variables of public paths that are ids.
IDS = ("match_id", "competition_id", "team_id")
# What a variable of a public path may be; those of passed paths are any segment. The same patterns as at the origin.
_VARIABLES = {
    **dict.fromkeys(IDS, ID_PATTERN.pattern),
    "cursor": re.sub(r"\?P<\w+>", "?:", CURSOR_PATTERN.pattern),
    "date": r"(?:19|20)\d{2}-\d{2}-\d{2}",
    # Twelve digits of a digest (api/web/assets.py).
    "digest": "(?:[0-9a-f]{12}|latest)",
    "name": r"[A-Za-z0-9_-]{1,48}(?:\.[a-z0-9]{1,8}){1,3}",
}
_SEGMENT = "[^/?]+"
# An id as a browser sends it: encodeURIComponent writes a colon as %3A. It may be `.` or `..`, which a pattern without
# lookahead cannot exclude.
SENT_ID = "(?:[A-Za-z0-9_.:-]|%3[Aa]){1,64}"


def _variable(name: str) -> str:
    return _VARIABLES.get(name, _SEGMENT)


def _stored(path: str, *parameters: str, stale_s: int = 0) -> Route:
    return Route(path, Handling.STORED, parameters=parameters, stale_s=stale_s)


def _passed(path: str, *methods: str) -> Route:
    return Route(path, Handling.PASSED, (*methods, *(("HEAD",) if "GET" in methods else ())))


# Scores and the board are never stale while the origin is well: who comes next waits milliseconds for the one fetch.
# Their pages neither. Lists are served once more while they are fetched.
PUBLIC = (
    _stored("/api/score/{match_id}"),
    Route("/api/score/{match_id}/wait/{cursor}", Handling.HELD),
    Route("/api/score/{match_id}/stream", Handling.STREAM),
    _stored("/api/live", "competition"),
    Route("/api/live/wait/{cursor}", Handling.HELD),
    Route("/api/live/changes/{cursor}", Handling.HELD),
    Route("/api/live/stream", Handling.STREAM),
    Route("/api/ws", Handling.SOCKET),
    _stored(
        "/api/matches",
        "date", "tz", "competition", "team", "status", "from", "to", "limit", "cursor",
        stale_s=1,
    ),
    _stored("/api/matches/{match_id}", stale_s=1),
    _stored("/api/matches/{match_id}/events", stale_s=1),
    _stored("/api/matches/{match_id}/lineups", stale_s=1),
    _stored("/api/matches/{match_id}/stats", stale_s=1),
    _stored("/api/matches/{match_id}/head-to-head", stale_s=1),
    _stored("/api/competitions/{competition_id}/table", "season", stale_s=1),
    _stored("/api/competitions/{competition_id}/scorers", "season", stale_s=1),
    _stored("/api/teams/{team_id}", stale_s=1),
    _stored("/api/search", "q", stale_s=1),
    _stored("/api/edge/canary"),
    _stored("/api/edge/canary/control"),
    _stored("/api/openapi.json", stale_s=1),
    _stored("/api/docs", stale_s=1),
    # Pages that are shared have no parameters: what is added to an address elsewhere (`fbclid`, `utm_source`) makes no
    # other answer, and is refused by no edge.
    _stored("/"),
    _stored("/match/{match_id}"),
    _stored("/match/{match_id}/{digest}.png", stale_s=1),
    _stored("/day/{date}", stale_s=1),
    _stored("/team/{team_id}", stale_s=1),
    _stored("/competition/{competition_id}", stale_s=1),
    _stored("/search", "q", stale_s=1),
    _stored("/robots.txt", stale_s=1),
    _stored("/sitemap.xml", stale_s=1),
    _stored("/favicon.ico", stale_s=1),
    _stored("/static/{digest}/{name}", stale_s=1),
    _stored("/manifest.webmanifest", stale_s=1),
    _stored("/service-worker.js", stale_s=1),
    _stored("/api/web-push", stale_s=1),
)  # fmt: skip

PRIVATE = (
    _passed("/api/ingest/{provider}", "POST"),
    _passed("/api/users", "POST"),
    _passed("/api/me", "GET", "PATCH", "DELETE"),
    _passed("/api/me/token", "POST"),
    _passed("/api/me/devices/{platform}/{token}", "PUT", "DELETE"),
    _passed("/api/me/follows/{subject}/{subject_id}", "PUT", "DELETE"),
    # Only of the demo, which shows phones beside the page.
    _passed("/api/demo/phones", "GET"),
    _passed("/healthz", "GET"),
    _passed("/readyz", "GET"),
    _passed("/metrics", "GET"),
)

ROUTES = (*PUBLIC, *PRIVATE)
KEPT = frozenset({Handling.STORED, Handling.HELD})

# What belongs to one reader, or could make an answer another one: none of it reaches the service on a path that all
# readers share, and none is part of a key.
DROPPED_HEADERS = (
    "Cookie",
    "Authorization",
    "Range",
    "Origin",
    "Accept-Language",
    "X-Forwarded-Host",
    "Forwarded",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
)


def pattern_of(routes: Iterable[Route]) -> str:
    """One regular expression for the paths of all these routes."""
    return f"^(?:{'|'.join(route.pattern for route in routes)})$"
