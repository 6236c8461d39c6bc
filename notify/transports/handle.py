"""One request of libcurl: an easy handle, used again and again."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pycurl

from notify.transports.exchange import ANSWER_BYTES_MAX, CONNECT_S, Request

# Apple: "keep connections open as long as possible"; by default libcurl does not reuse one that was idle for 118 s.
IDLE_MAX_S = 3600


class Handle:
    """One of libcurl's easy handles and what it was last given, for options that stay are not set again. Attributes of
    pycurl's own object are slow.

    easy: pycurl.Curl.
    request: under way, or the last one.
    headers: as set.
    body: as set.
    source: the body, as far as it has been read.
    answer: parts of the answer's body.
    """

    __slots__ = ("answer", "body", "easy", "headers", "request", "source")

    request: Request

    def __init__(self, ca: str, socket_opened: Callable[[int, int], int]) -> None:
        """ca: a file of certificates to trust. socket_opened: called with each new socket and its purpose."""
        self.easy: Any = pycurl.Curl()
        self.headers: list[str] | None = None
        self.body: bytes | None = None
        self.source = BytesIO()
        self.answer: list[bytes] = []
        easy = self.easy
        easy.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        easy.setopt(pycurl.PIPEWAIT, 1)
        easy.setopt(pycurl.NOSIGNAL, 1)
        easy.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTPS)
        easy.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2)
        easy.setopt(pycurl.USERAGENT, "live-scores")
        easy.setopt(pycurl.CAINFO, ca)
        easy.setopt(pycurl.CONNECTTIMEOUT_MS, int(CONNECT_S * 1000))
        easy.setopt(pycurl.MAXAGE_CONN, IDLE_MAX_S)
        easy.setopt(pycurl.SOCKOPTFUNCTION, socket_opened)
        easy.setopt(pycurl.MAXFILESIZE, ANSWER_BYTES_MAX)
        easy.setopt(pycurl.POST, 1)
        easy.setopt(pycurl.SEEKFUNCTION, _refuse_rewind)
        easy.setopt(pycurl.WRITEFUNCTION, self.answer.append)

    @property
    def is_sent(self) -> bool:
        """Its body has been read, so the service may have it."""
        return self.source.tell() > 0

    def load(self, request: Request) -> None:
        self.request = request
        self.easy.setopt(pycurl.URL, request.url)
        if self.headers is not request.headers:
            self.easy.setopt(pycurl.HTTPHEADER, request.headers)
            self.headers = request.headers
        if self.body is request.body:
            self.source.seek(0)
            return
        self.body, self.source = request.body, BytesIO(request.body)
        self.easy.setopt(pycurl.POSTFIELDSIZE, len(request.body))
        self.easy.setopt(pycurl.READFUNCTION, self.source.read)


def _refuse_rewind(_offset: int, _origin: int) -> int:
    """libcurl would repeat the request (see notify/transports/curl.py)."""
    return int(pycurl.SEEKFUNC_FAIL)
