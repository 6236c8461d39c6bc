"""The two requests that come by the million, answered before Flask: the current score, and a wait on it.

Whatever is not plain (a conditional request, an unknown match, Redis away) goes on to the app, which answers the same
and knows every case. Measured: bench/read.py.
"""

from __future__ import annotations

import re
from typing import Any

from api.delivery.parking import ALREADY_HANDLED, parkable
from api.delivery.snapshot import BOARD, RenderedAnswer, Snapshot
from api.services import Services, later, now_ms
from api.topics import learn
from cdn import headers
from db.domain import CURSOR_PATTERN, ID_PATTERN, Cursor
from db.domain.errors import Unavailable, Undecodable

_PATHS = re.compile(
    rf"/api/(?:score/(?P<match>{ID_PATTERN.pattern})|live)(?:/wait/{CURSOR_PATTERN.pattern})?", re.ASCII
)


class FastPath:
    """WSGI in, WSGI out."""

    def __init__(self, app: Any, services: Services) -> None:
        self.app = app
        self.services = services

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] == "GET":
            found = _PATHS.fullmatch(environ["PATH_INFO"])
            if found:
                answer = self._answer(found, environ)
                if answer is ALREADY_HANDLED:
                    return answer
                if answer:
                    start_response(answer.status, list(answer.headers.items()))
                    return (answer.body,)
        return self.app(environ, start_response)

    def _answer(self, found: re.Match[str], environ: dict[str, Any]) -> Any:
        topic = found["match"] or BOARD
        if found["version"]:
            return self._held(topic, Cursor(int(found["version"]), int(found["slot"])), environ)
        if environ["QUERY_STRING"] or "HTTP_IF_NONE_MATCH" in environ:
            return None
        return self._read(topic)

    def _held(self, topic: str, cursor: Cursor, environ: dict[str, Any]) -> Any:
        services, room = self.services, self.services.room
        connection = parkable(environ)
        known = room.known(topic)
        if connection is None or room.here >= room.most:
            return None
        if known and known.version >= cursor.version:
            answer = room.ask(topic, cursor, connection, now_ms())
            if answer:
                return answer
        elif room.arrive(topic, cursor, connection):
            later(0, lambda: learn(services, topic))
        connection.leave = room.leave
        return ALREADY_HANDLED

    def _read(self, topic: str) -> RenderedAnswer | None:
        try:
            document = self.services.reader.read(topic)
        except (Unavailable, Undecodable):
            return None
        return plain(document, self.services.dialect) if document else None


def plain(document: Snapshot, dialect: headers.Dialect) -> RenderedAnswer:
    """What `/api/score/{match_id}` and `/api/live` answer, with the ETag of its version."""
    cache = dialect.headers(headers.for_phase(document.phase), document.tags)
    return RenderedAnswer(document.body(document.cursor(now_ms())), cache, etag=document.etag)
