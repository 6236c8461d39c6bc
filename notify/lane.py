"""One HTTP/2 connection with many requests on it: a libcurl multi handle, its pool of easy handles, their timers.

libcurl keeps the server's stream limit, flow control and HPACK (paths and authorization are never indexed, as Apple
asks), and repeats what a GOAWAY or REFUSED_STREAM left unprocessed. Ours is how much to ask for when, and when to give
a connection up.
"""

from __future__ import annotations

import select
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

import pycurl

# What one answer may take. Google asks for at least 10 s ("Scale guide").
ANSWER_S = 10.0
CONNECT_S = 5.0
# Requests in flight on one connection. Apple allows 1,000; with 300 a round trip of 15 ms already carries 20,000 a
# second, and a cut connection leaves fewer in doubt. Measured: bench/push.py, 100 and 1,000 are no faster.
STREAMS = 300
# libcurl's CURLE_HTTP2_STREAM: one stream was reset, the connection is well.
STREAM_RESET = 92
# An answer is a line of JSON; more than this is none of theirs.
ANSWER_BYTES = 64 * 1024


@dataclass(slots=True)
class Request:
    """A POST. parcel: the caller's, handed back. headers: `name: value`, one list for all requests that share it.
    deadline: s since the epoch."""

    parcel: Any
    url: str
    headers: list[str]
    body: bytes
    deadline: float
    tries: int = 0


@dataclass(slots=True)
class Reply:
    """status 0: no answer came, and `error` says why in libcurl's number."""

    status: int
    body: bytes = b""
    error: int = 0
    retry_after_s: float = 0.0


class Lane:
    """Not thread-safe: one loop drives it (notify/sender.py). poll: where it registers its socket, lanes: and itself by
    that socket's number.

    It begins with `opening` streams, gains one with every good answer, which doubles them each round trip, up to
    `streams`, and begins anew when its connection is lost.
    """

    def __init__(
        self, poll: select.epoll, lanes: dict[int, Lane], ca: str, opening: int, streams: int, answer_s: float
    ) -> None:
        self.poll, self.lanes, self.ca = poll, lanes, ca
        self.opening, self.streams, self.answer_s = opening, streams, answer_s
        self.flying: set[Any] = set()
        self.idle: list[Any] = []
        self.heard_at = 0.0
        self._connect()

    def _connect(self) -> None:
        self.retiring = self.stalled = False
        self.limit = self.opening
        self.timer_at: float | None = None
        self.multi: Any = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self.multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, 1)
        self.multi.setopt(pycurl.M_MAX_CONCURRENT_STREAMS, self.streams)
        self.multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self.multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)

    @property
    def room(self) -> int:
        """How many more may fly."""
        return 0 if self.retiring else self.limit - len(self.flying)

    def widen(self) -> None:
        """A good answer came."""
        if self.limit < self.streams:
            self.limit += 1

    def start(self, request: Request, now: float) -> None:
        easy = self.idle.pop() if self.idle else self._easy()
        easy.setopt(pycurl.URL, request.url)
        if easy.headers is not request.headers:
            easy.setopt(pycurl.HTTPHEADER, request.headers)
            easy.headers = request.headers
        if easy.body is not request.body:
            easy.setopt(pycurl.POSTFIELDS, request.body)
            easy.body = request.body
        request.tries += 1
        easy.request = request
        easy.began = now
        self.flying.add(easy)
        self.multi.add_handle(easy)

    def done(self, now: float) -> list[tuple[Request, Reply]]:
        """What has been answered, or has failed, since it was last asked."""
        found: list[tuple[Request, Reply]] = []
        left = 1
        while left:
            left, good, bad = self.multi.info_read(1000)
            found += [(easy.request, self._land(easy)) for easy in good]
            for easy, error, _words in bad:
                if error == pycurl.E_OPERATION_TIMEDOUT:
                    self.stalled |= self.heard_at <= easy.began
                elif error != STREAM_RESET:
                    self.limit = self.opening
                found.append((easy.request, replace(self._land(easy), status=0, error=error)))
            if good:
                self.heard_at = now
        return found

    def act(self, fd: int, ready: int) -> None:
        self.multi.socket_action(fd, ready)

    def tick(self, now: float) -> None:
        if self.timer_at is not None and self.timer_at <= now:
            self.timer_at = None
            self.multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def renew(self) -> list[Request]:
        """Leave the connection for a new one; returns the requests it had in flight."""
        left = [easy.request for easy in self.flying]
        self.close()
        self._connect()
        return left

    def close(self) -> None:
        for easy in self.flying:
            self.multi.remove_handle(easy)
            easy.answer.clear()
        self.idle += self.flying
        self.flying.clear()
        self.multi.close()
        for fd in [fd for fd, lane in self.lanes.items() if lane is self]:
            del self.lanes[fd]
            with suppress(OSError):
                self.poll.unregister(fd)

    def _land(self, easy: Any) -> Reply:
        self.multi.remove_handle(easy)
        self.flying.discard(easy)
        self.idle.append(easy)
        status = easy.getinfo(pycurl.RESPONSE_CODE)
        if not easy.answer:
            return Reply(status)
        body = b"".join(easy.answer)
        easy.answer.clear()
        return Reply(status, body, 0, float(easy.getinfo(pycurl.RETRY_AFTER)))

    def _easy(self) -> Any:
        easy: Any = pycurl.Curl()
        easy.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        easy.setopt(pycurl.PIPEWAIT, 1)
        easy.setopt(pycurl.NOSIGNAL, 1)
        easy.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTPS)
        easy.setopt(pycurl.USERAGENT, "live-scores")
        easy.setopt(pycurl.CAINFO, self.ca)
        easy.setopt(pycurl.TIMEOUT_MS, int(self.answer_s * 1000))
        easy.setopt(pycurl.CONNECTTIMEOUT_MS, int(CONNECT_S * 1000))
        # Apple: "keep connections open as long as possible"; libcurl leaves one alone after 118 s unless told.
        easy.setopt(pycurl.MAXAGE_CONN, 3600)
        easy.setopt(pycurl.TCP_KEEPALIVE, 1)
        easy.answer = []
        easy.setopt(pycurl.WRITEFUNCTION, easy.answer.append)
        easy.setopt(pycurl.MAXFILESIZE, ANSWER_BYTES)
        easy.headers = easy.body = None
        return easy

    def _watch(self, event: int, fd: int, _multi: Any, _data: Any) -> None:
        if event == pycurl.POLL_REMOVE:
            if self.lanes.pop(fd, None) is not None:
                self.poll.unregister(fd)
            return
        mask = (select.EPOLLIN if event & pycurl.POLL_IN else 0) | (select.EPOLLOUT if event & pycurl.POLL_OUT else 0)
        if fd in self.lanes:
            self.poll.modify(fd, mask)
        else:
            self.poll.register(fd, mask)
        self.lanes[fd] = self

    def _set_timer(self, after_ms: int) -> None:
        self.timer_at = monotonic() + after_ms / 1000 if after_ms >= 0 else None
