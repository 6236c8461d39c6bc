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
from time import monotonic
from typing import Any

import pycurl

from notify.transports.exchange import Reply, Request
from notify.transports.handle import Handle

# CURLE_HTTP2_STREAM: one stream was reset, the connection is well.
STREAM_RESET = 92
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
        # By pycurl.Curl, oldest first.
        self.in_flight: dict[Any, Handle] = {}
        self.idle: list[Handle] = []
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
        oldest = self._oldest
        if oldest is None:
            return self.curl_timer_at
        deadline = oldest.started_at + self.answer_s
        return deadline if self.curl_timer_at is None else min(deadline, self.curl_timer_at)

    @property
    def _oldest(self) -> Request | None:
        handle = next(iter(self.in_flight.values()), None)
        return handle.request if handle else None

    def widen(self) -> None:
        """A good answer came."""
        if self.limit < self.streams and self.multiplexed:
            self.limit += 1

    def start(self, request: Request, now: float) -> None:
        handle = self.idle.pop() if self.idle else Handle(self.ca, self._socket_opened)
        handle.load(request)
        request.tries += 1
        request.started_at = now
        request.begun_at = request.begun_at or now
        self.in_flight[handle.easy] = handle
        self.multi.add_handle(handle.easy)

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
        while (oldest := self._oldest) and oldest.started_at + self.answer_s <= now:
            if self.answered_at <= oldest.started_at:
                self.stalled = True
                return
            self.finished.append(self._abandoned(next(iter(self.in_flight))))

    def done(self, now: float) -> list[tuple[Request, Reply]]:
        """What has been answered, or has failed, since the last call."""
        self._collect(now)
        done, self.finished = self.finished, []
        return done

    def _collect(self, now: float) -> None:
        left = 1
        while left:
            left, good, bad = self.multi.info_read(1000)
            for easy in good:
                request, handle = self._release(easy)
                self.finished.append((request, self._reply(handle)))
            for easy, code, text in bad:
                request, handle = self._release(easy)
                self.finished.append((request, self._failure(handle, code, text)))
            if good:
                self.answered_at = now

    def _reply(self, handle: Handle) -> Reply:
        easy = handle.easy
        if self.multiplexed is None:
            self.multiplexed = easy.getinfo(pycurl.INFO_HTTP_VERSION) == pycurl.CURL_HTTP_VERSION_2_0
            self.limit = self.limit if self.multiplexed else 1
        status = easy.getinfo(pycurl.RESPONSE_CODE)
        if status == _GOOD.status:
            handle.answer.clear()
            return _GOOD
        body = b"".join(handle.answer)
        handle.answer.clear()
        return Reply(status, body, "", float(easy.getinfo(pycurl.RETRY_AFTER)))

    def _failure(self, handle: Handle, code: int, text: str) -> Reply:
        handle.answer.clear()
        if not handle.is_sent:
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
        request, handle = self._release(easy)
        handle.answer.clear()
        return request, Reply(0, error="no_answer" if handle.is_sent else "not_sent")

    def close(self) -> None:
        for easy in list(self.in_flight):
            self._abandoned(easy)
        self.multi.close()
        for fd in [fd for fd, connection in self.by_fd.items() if connection is self]:
            del self.by_fd[fd]
            with suppress(OSError):
                self.poll.unregister(fd)

    def _release(self, easy: Any) -> tuple[Request, Handle]:
        self.multi.remove_handle(easy)
        handle = self.in_flight.pop(easy)
        self.idle.append(handle)
        return handle.request, handle

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
