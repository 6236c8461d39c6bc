"""One connection to one host, by libcurl: HTTP/2 where the host speaks it, HTTP/1.1 elsewhere.

libcurl does TLS, HPACK, flow control, the service's stream limit and a new connection after a GOAWAY. It also repeats,
unasked, a request whose connection died before an answer came, if the connection was used before (lib/transfer.c,
Curl_retry_request). A push would ring twice. So bodies are given by a read callback that refuses to be rewound: such a
request fails instead, and whether to repeat it is decided here.
"""

from __future__ import annotations

import os
import select
import socket
from contextlib import suppress
from io import BytesIO
from time import monotonic
from typing import Any

import pycurl

from notify.transports.exchange import ANSWER_BYTES_MAX, CONNECT_S, Reply, Request

# CURLE_HTTP2_STREAM: one stream was reset, the connection is well.
STREAM_RESET = 92
# Apple: "keep connections open as long as possible"; by default libcurl does not reuse one that was idle for 118 s.
IDLE_MAX_S = 3600
# A path that died in silence: an idle connection is given up after 15 + 3 × 5 s, one with bytes in flight after 3 s,
# sooner than an answer is waited for.
KEEPALIVE_S, KEEPALIVE_INTERVAL_S, KEEPALIVE_PROBES = 15, 5, 3
UNACKNOWLEDGED_MS = 3000
_SOCKET_OPTIONS = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_S),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS),
)
_NOT_SENT = {
    pycurl.E_URL_MALFORMAT: "bad_url",
    pycurl.E_COULDNT_RESOLVE_HOST: "no_address",
    pycurl.E_COULDNT_CONNECT: "no_connection",
    pycurl.E_OPERATION_TIMEDOUT: "no_connection",
    pycurl.E_SSL_CONNECT_ERROR: "no_tls",
    pycurl.E_PEER_FAILED_VERIFICATION: "certificate_refused",
}
_REFUSED = "seek callback"
_GOOD = Reply(200)


class CurlConnection:
    """Not thread-safe: one loop drives it (notify/transports/dispatch.py). Times are of the monotonic clock.

    It begins with `opening` requests in flight and may have one more with every good answer, up to `streams`, which
    doubles them each round trip; after its connection was lost it begins with one, for a service in trouble cuts what
    comes too fast.

    retiring: it takes no more and is renewed once it is empty.
    stalled: it answers nothing any more and is to be renewed at once.
    """

    def __init__(
        self,
        poll: select.epoll,
        by_fd: dict[int, CurlConnection],
        *,
        ca: str,
        opening: int,
        streams: int,
        answer_s: float,
    ) -> None:
        self.poll, self.by_fd, self.ca = poll, by_fd, ca
        self.opening, self.streams, self.answer_s = opening, streams, answer_s
        # Easy handles, oldest first.
        self.in_flight: dict[Any, None] = {}
        self.idle: list[Any] = []
        self.finished: list[tuple[Request, Reply]] = []
        self.answered_at = 0.0
        self._connect()

    def _connect(self) -> None:
        self.retiring = self.stalled = False
        # Known once a first answer has come.
        self.multiplexed: bool | None = None
        self.limit = self.opening
        self.curl_timer_at: float | None = None
        self.multi: Any = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self.multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, 1)
        self.multi.setopt(pycurl.M_MAX_CONCURRENT_STREAMS, self.streams)
        self.multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self.multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)

    @property
    def room(self) -> int:
        """How many more requests may be started."""
        return 0 if self.retiring else self.limit - len(self.in_flight)

    @property
    def busy(self) -> bool:
        """Requests are in flight, or finished and not yet fetched."""
        return bool(self.in_flight or self.finished)

    @property
    def timer_at(self) -> float | None:
        """When tick() is due."""
        oldest = next(iter(self.in_flight), None)
        if oldest is None:
            return self.curl_timer_at
        deadline: float = oldest.request.started_at + self.answer_s
        return deadline if self.curl_timer_at is None else min(deadline, self.curl_timer_at)

    def widen(self) -> None:
        """A good answer came."""
        if self.limit < self.streams and self.multiplexed:
            self.limit += 1

    def start(self, request: Request, now: float) -> None:
        easy = self.idle.pop() if self.idle else self._easy()
        easy.setopt(pycurl.URL, request.url)
        if easy.headers is not request.headers:
            easy.setopt(pycurl.HTTPHEADER, request.headers)
            easy.headers = request.headers
        if easy.body is request.body:
            easy.source.seek(0)
        else:
            easy.body, easy.source = request.body, BytesIO(request.body)
            easy.setopt(pycurl.POSTFIELDSIZE, len(request.body))
            easy.setopt(pycurl.READFUNCTION, easy.source.read)
        request.tries += 1
        request.started_at = now
        easy.request = request
        self.in_flight[easy] = None
        self.multi.add_handle(easy)

    def act(self, fd: int, events: int) -> None:
        """A socket is ready, for these epoll events."""
        ready = pycurl.CSELECT_IN if events & (select.EPOLLIN | select.EPOLLHUP) else 0
        ready |= pycurl.CSELECT_OUT if events & select.EPOLLOUT else 0
        self.multi.socket_action(fd, ready | (pycurl.CSELECT_ERR if events & select.EPOLLERR else 0))

    def tick(self, now: float) -> None:
        """libcurl's timer, and the deadline of answers. That one is kept here: libcurl would look at the clock before
        the socket, and a caller who was away longer than an answer takes would lose answers that have come."""
        if self.curl_timer_at is not None and self.curl_timer_at <= now:
            self.curl_timer_at = None
            self.multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        if self.in_flight:
            self._collect(now)
        while (oldest := next(iter(self.in_flight), None)) and oldest.request.started_at + self.answer_s <= now:
            if self.answered_at <= oldest.request.started_at:
                self.stalled = True
                return
            self.finished.append(self._abandoned(oldest))

    def done(self, now: float) -> list[tuple[Request, Reply]]:
        """What has been answered, or has failed, since the last call."""
        self._collect(now)
        done, self.finished = self.finished, []
        return done

    def _collect(self, now: float) -> None:
        left = 1
        while left:
            left, good, bad = self.multi.info_read(1000)
            self.finished += [(easy.request, self._reply(easy)) for easy in good]
            self.finished += [(easy.request, self._failure(easy, code, text)) for easy, code, text in bad]
            if good:
                self.answered_at = now

    def _reply(self, easy: Any) -> Reply:
        if self.multiplexed is None:
            self.multiplexed = easy.getinfo(pycurl.INFO_HTTP_VERSION) == pycurl.CURL_HTTP_VERSION_2_0
            self.limit = self.limit if self.multiplexed else 1
        status = easy.getinfo(pycurl.RESPONSE_CODE)
        self._release(easy)
        if status == _GOOD.status:
            easy.answer.clear()
            return _GOOD
        body = b"".join(easy.answer)
        easy.answer.clear()
        return Reply(status, body, "", float(easy.getinfo(pycurl.RETRY_AFTER)))

    def _failure(self, easy: Any, code: int, text: str) -> Reply:
        self._release(easy)
        easy.answer.clear()
        if easy.source.tell() == 0:
            error = _NOT_SENT.get(code, "not_sent")
        elif code == pycurl.E_SEND_FAIL_REWIND and self.multiplexed is not False and text.startswith(_REFUSED):
            # libcurl rewinds for a refused stream, and on a used connection that was lost. Over HTTP/2 the second has
            # an error of its own, which comes first (lib/http2.c). Over HTTP/1.1 it may have none, so there it is not
            # known; and a used connection over HTTP/1.1 has had an answer, by which it is known.
            error = "refused_stream"
        elif code == STREAM_RESET:
            error = "stream_reset"
        else:
            error = "connection_lost"
        if error not in ("refused_stream", "stream_reset"):
            self.limit = 1
        return Reply(0, error=error)

    def abandon(self) -> list[tuple[Request, Reply]]:
        """Leave the connection for a new one; returns what was in flight."""
        abandoned = [self._abandoned(easy) for easy in list(self.in_flight)]
        self.close()
        self._connect()
        return abandoned

    def _abandoned(self, easy: Any) -> tuple[Request, Reply]:
        self._release(easy)
        easy.answer.clear()
        return easy.request, Reply(0, error="no_answer" if easy.source.tell() else "not_sent")

    def close(self) -> None:
        for easy in list(self.in_flight):
            self._release(easy)
            easy.answer.clear()
        self.multi.close()
        for fd in [fd for fd, connection in self.by_fd.items() if connection is self]:
            del self.by_fd[fd]
            with suppress(OSError):
                self.poll.unregister(fd)

    def _release(self, easy: Any) -> None:
        self.multi.remove_handle(easy)
        del self.in_flight[easy]
        self.idle.append(easy)

    def _easy(self) -> Any:
        easy: Any = pycurl.Curl()
        easy.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        easy.setopt(pycurl.PIPEWAIT, 1)
        easy.setopt(pycurl.NOSIGNAL, 1)
        easy.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTPS)
        easy.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2)
        easy.setopt(pycurl.USERAGENT, "live-scores")
        easy.setopt(pycurl.CAINFO, self.ca)
        easy.setopt(pycurl.CONNECTTIMEOUT_MS, int(CONNECT_S * 1000))
        easy.setopt(pycurl.MAXAGE_CONN, IDLE_MAX_S)
        easy.setopt(pycurl.SOCKOPTFUNCTION, self._socket_opened)
        easy.setopt(pycurl.MAXFILESIZE, ANSWER_BYTES_MAX)
        easy.setopt(pycurl.POST, 1)
        easy.setopt(pycurl.SEEKFUNCTION, _refuse_rewind)
        easy.answer = []
        easy.setopt(pycurl.WRITEFUNCTION, easy.answer.append)
        easy.headers = easy.body = None
        return easy

    def _socket_opened(self, fd: int, _purpose: int) -> int:
        self.limit = min(self.limit, self.opening)
        with socket.socket(fileno=os.dup(fd)) as opened:
            for level, option, value in _SOCKET_OPTIONS:
                opened.setsockopt(level, option, value)
        return int(pycurl.SOCKOPT_OK)

    def _watch(self, event: int, fd: int, _multi: Any, _data: Any) -> None:
        if event == pycurl.POLL_REMOVE:
            if self.by_fd.pop(fd, None) is not None:
                self.poll.unregister(fd)
            return
        mask = (select.EPOLLIN if event & pycurl.POLL_IN else 0) | (select.EPOLLOUT if event & pycurl.POLL_OUT else 0)
        if fd in self.by_fd:
            self.poll.modify(fd, mask)
        else:
            self.poll.register(fd, mask)
        self.by_fd[fd] = self

    def _set_timer(self, after_ms: int) -> None:
        self.curl_timer_at = monotonic() + after_ms / 1000 if after_ms >= 0 else None


def _refuse_rewind(_offset: int, _origin: int) -> int:
    return int(pycurl.SEEKFUNC_FAIL)
