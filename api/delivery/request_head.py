"""Heads of the requests that readers send by the million, understood without a parser.

Only what leaves no doubt is taken: one whole head of HTTP/1.1, GET of a path of theirs without a query, and no field
that could give the request a body, another meaning or another protocol. Whatever else comes goes the ordinary way, with
the same bytes. Every head that is taken here is read alike by gunicorn's parser (tests/api/delivery/test_request_head).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from api.delivery.answer import accepts_gzip
from api.delivery.snapshot import BOARD, CHANGES
from db.domain import CURSOR_PATTERN, ID_PATTERN, Cursor

# Bytes of a head that is remembered, and how many: a browser's is 600. Behind a router that gives each request an id of
# its own none comes twice; so all are forgotten when there are too many.
REMEMBERED_BYTES, REMEMBERED_MAX = 1_024, 1_024

# gunicorn refuses a field that is longer (limit_request_field_size), so a head that is not has none.
BYTES_MAX = 8_190

_HEAD = re.compile(
    rb"GET (?P<path>/[\x21-\x7e]{1,256}) HTTP/1\.1\r\n"
    # Names are letters, digits and hyphens; values have no control characters but the tab (RFC 9110, 5.5).
    rb"(?P<fields>(?:[A-Za-z0-9-]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n){1,64})\r\n"
)
_PATH = re.compile(
    rf"/api/(?:score/(?P<match>{ID_PATTERN.pattern})|live)(?:/(?P<way>wait|changes)/{CURSOR_PATTERN.pattern})?",
    re.ASCII,
)
# Fields that decide something. A name that is none of these means nothing to this server.
_DECISIVE = re.compile(
    rb"^(?P<name>host|connection|accept-encoding|if-none-match|x-forwarded-proto|"
    rb"content-[a-z0-9-]*|transfer-[a-z0-9-]*|http2-[a-z0-9-]*|if-[a-z0-9-]*|"
    rb"expect|upgrade|te|trailer|range|script-name|proxy-connection|keep-alive|x-forwarded-protocol|x-forwarded-ssl)"
    rb":[ \t]*(?P<value>.*?)[ \t]*\r$",
    re.IGNORECASE | re.MULTILINE,
)
_ALLOWED = frozenset((b"host", b"connection", b"accept-encoding", b"if-none-match", b"x-forwarded-proto"))
_HOST = re.compile(rb"[A-Za-z0-9.:_\[\]-]+")
# A list of entity tags (RFC 9110, 8.8.3), strong or weak: they are compared weakly (13.1.2).
_ETAGS = re.compile(rb'(?:W/)?"[\x21\x23-\x7e]*"(?:[ \t]*,[ \t]*(?:W/)?"[\x21\x23-\x7e]*")*')
_ETAG = re.compile(r'"([^"]*)"')
_CONNECTION = {b"": False, b"keep-alive": False, b"close": True}


@dataclass(frozen=True, slots=True)
class RequestHead:
    """topic: what is asked for, a match's id, BOARD or CHANGES.
    cursor: where it waits; None for a plain read.
    close: the client wants no other answer on this connection.
    gzip: it takes that.
    etags: of what it has; "*" for anything.
    """

    topic: str
    cursor: Cursor | None
    close: bool
    gzip: bool = False
    etags: tuple[str, ...] = ()


_remembered: dict[bytes, RequestHead | None] = {}


def parse(data: bytes) -> RequestHead | None:
    """data: all that has come of a request, which ends with an empty line. None: it goes the ordinary way."""
    try:
        return _remembered[data]
    except KeyError:
        pass
    head = _parsed(data)
    if len(data) <= REMEMBERED_BYTES:
        if len(_remembered) >= REMEMBERED_MAX:
            _remembered.clear()
        _remembered[data] = head
    return head


def _parsed(data: bytes) -> RequestHead | None:
    lines = _HEAD.fullmatch(data) if len(data) <= BYTES_MAX else None
    path = _PATH.fullmatch(lines["path"].decode("ascii")) if lines else None
    fields = _decisive(lines["fields"]) if lines and path else None
    if path is None or fields is None or (path["match"] and path["way"] == "changes"):
        return None
    close = _CONNECTION.get(fields.get(b"connection", b"").lower())
    if close is None or not _HOST.fullmatch(fields.get(b"host", b"")):
        return None
    etags = _etags(fields.get(b"if-none-match", b""))
    if etags is None:
        return None
    cursor = Cursor(int(path["version"]), int(path["slot"])) if path["version"] else None
    gzip = accepts_gzip(fields.get(b"accept-encoding", b"").decode("latin-1"))
    topic = path["match"] or (CHANGES if path["way"] == "changes" else BOARD)
    return RequestHead(topic, cursor, close, gzip, etags)


def _etags(field: bytes) -> tuple[str, ...] | None:
    """Without their quotes; None where it is not understood."""
    if field in (b"", b"*"):
        return ("*",) if field else ()
    return tuple(_ETAG.findall(field.decode("ascii"))) if _ETAGS.fullmatch(field) else None


def _decisive(fields: bytes) -> dict[bytes, bytes] | None:
    """The fields that decide something, by name; None where there is one that is not for here, or one twice."""
    values: dict[bytes, bytes] = {}
    for field in _DECISIVE.finditer(fields):
        name = field["name"].lower()
        if name not in _ALLOWED or name in values:
            return None
        values[name] = field["value"]
    return values
