"""HTTP/1.1 or HTTP/2 to any number of hosts, by libcurl: for browsers' push services, which are whose they are.

libcurl keeps connections, stream limits and flow control, and repeats what a GOAWAY or REFUSED_STREAM left unprocessed.
"""

from __future__ import annotations

import select
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import Any

import pycurl

from notify.transports.connection import ANSWER_BYTES, CONNECT_S, PushConnection, Reply, Request

# libcurl's CURLE_HTTP2_STREAM: one stream was reset, the connection is well.
STREAM_RESET = 92
_ERRORS = {
    pycurl.E_COULDNT_RESOLVE_HOST: "no_address",
    pycurl.E_COULDNT_CONNECT: "no_connection",
    pycurl.E_SSL_CONNECT_ERROR: "no_tls",
    pycurl.E_PEER_FAILED_VERIFICATION: "certificate_refused",
    pycurl.E_OPERATION_TIMEDOUT: "no_answer",
    STREAM_RESET: "stream_reset",
}


class CurlConnection:
    """See Lane."""

    def __init__(
        self, poll: select.epoll, lanes: dict[int, PushConnection], ca: str, opening: int, streams: int, answer_s: float
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
        return 0 if self.retiring else self.limit - len(self.flying)

    @property
    def busy(self) -> bool:
        return bool(self.flying)

    def widen(self) -> None:
        if self.limit < self.streams:
            self.limit += 1

    def start(self, request: Request, now: float) -> None:
        easy = self.idle.pop() if self.idle else self._easy()
        easy.setopt(pycurl.URL, request.target)
        if easy.headers is not request.headers:
            easy.setopt(pycurl.HTTPHEADER, request.headers)
            easy.headers = request.headers
        if easy.body is not request.body:
            easy.setopt(pycurl.POSTFIELDS, request.body)
            easy.body = request.body
        request.tries += 1
        request.began = now
        easy.request = request
        self.flying.add(easy)
        self.multi.add_handle(easy)

    def done(self, now: float) -> list[tuple[Request, Reply]]:
        found: list[tuple[Request, Reply]] = []
        left = 1
        while left:
            left, good, bad = self.multi.info_read(1000)
            found += [(easy.request, self._land(easy)) for easy in good]
            for easy, number, _words in bad:
                error = _ERRORS.get(number, "connection_lost")
                self.stalled |= error == "no_answer" and self.heard_at <= easy.request.began
                if error not in ("no_answer", "stream_reset"):
                    self.limit = 1
                found.append((easy.request, replace(self._land(easy), status=0, error=error)))
            if good:
                self.heard_at = now
        return found

    def act(self, fd: int, events: int) -> None:
        ready = pycurl.CSELECT_IN if events & (select.EPOLLIN | select.EPOLLHUP) else 0
        ready |= pycurl.CSELECT_OUT if events & select.EPOLLOUT else 0
        self.multi.socket_action(fd, ready | (pycurl.CSELECT_ERR if events & select.EPOLLERR else 0))

    def tick(self, now: float) -> None:
        if self.timer_at is not None and self.timer_at <= now:
            self.timer_at = None
            self.multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def renew(self) -> list[Request]:
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
        return Reply(status, body, "", float(easy.getinfo(pycurl.RETRY_AFTER)))

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
