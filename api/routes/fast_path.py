"""The current score and the board, answered before Flask.

Whatever is not plain (a conditional request, an unknown match, Redis away) goes on to the app, which answers the same
and knows every case. Measured: bench/read.py.
"""

from __future__ import annotations

import re
from typing import Any

from api.delivery.answer import RenderedAnswer
from api.delivery.snapshot import BOARD, Snapshot
from api.services import Services, now_ms
from cdn import headers
from db.domain import ID_PATTERN
from db.domain.errors import Unavailable, Undecodable

_PATHS = re.compile(rf"/api/(?:score/(?P<match>{ID_PATTERN.pattern})|live)", re.ASCII)


class FastPath:
    """WSGI in, WSGI out."""

    def __init__(self, app: Any, services: Services) -> None:
        self.app = app
        self.services = services

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] == "GET":
            path = _PATHS.fullmatch(environ["PATH_INFO"])
            answer = self._answer(path, environ) if path else None
            if answer:
                start_response(answer.status, list(answer.headers.items()))
                return (answer.body,)
        return self.app(environ, start_response)

    def _answer(self, path: re.Match[str], environ: dict[str, Any]) -> RenderedAnswer | None:
        if environ["QUERY_STRING"] or "HTTP_IF_NONE_MATCH" in environ:
            return None
        return self._read(path["match"] or BOARD)

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
