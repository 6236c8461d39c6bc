"""The gunicorn worker: gevent's, but a connection has a greenlet only while a request of it is in the app's hands.

Between requests a connection is a socket and a state (`connection`), and the event loop reads from it (`poller`). A
head that the app answers or holds from there (`App.hot_path`) never sees a handler. For all others gunicorn's is
started with the bytes that have come. So a release is one `send` a client, and so is what it asks next (bench/hold.py
and bench/again.py have the figures).
"""

from __future__ import annotations

import logging
import math
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import gevent
import gunicorn
from gunicorn.http import errors
from gunicorn.workers.base_async import ALREADY_HANDLED
from gunicorn.workers.ggevent import GeventWorker

from . import connection as limits
from .acceptor import Acceptor
from .connection import Connection
from .figures import Figures
from .places import Places
from .poller import Poller
from .refusals import refusal

logger = logging.getLogger(__name__)

__all__ = ["ALREADY_HANDLED", "GunicornWorker"]

# Bytes of a body that nobody reads: as many as the largest that is read, so that its sender hears why it was refused.
SKIP_MAX = 4 << 20
# Between two looks for connections that are still being answered when the process ends.
LOOK_S = 0.05
# Between two looks for deadlines that have passed.
SWEEP_S = 1.0
# The release whose handler, parser and server start-up this is written against.
GUNICORN = 27


class GunicornWorker(GeventWorker):  # type: ignore[misc]
    """Plain HTTP/1.1 gets connections of ours; TLS in this process, and HTTP/2 with it, gunicorn's own."""

    alive: bool

    def init_process(self) -> None:
        if gunicorn.version_info[0] != GUNICORN:
            raise RuntimeError(f"This worker is for gunicorn {GUNICORN}, not {gunicorn.__version__}.")
        if self.cfg.proxy_protocol != "off" or self.cfg.http2_cleartext != "off":
            raise RuntimeError(
                "proxy_protocol and http2_cleartext are read before a request, which this worker cannot."
            )
        self.places = Places(self.cfg.worker_connections)
        self.figures = Figures(self.places.total)
        self.keepalive_s = float(self.cfg.keepalive)
        self.acceptors: list[Acceptor] = []
        if not self.cfg.is_ssl:
            self.server_class = self._acceptor
        super().init_process()

    def _acceptor(self, listener: Any, *, spawn: Any, **_of_no_use: Any) -> Acceptor:
        """As gunicorn makes its servers."""
        acceptor = Acceptor(listener, spawn, self.places, partial(self._accept, listener))
        self.acceptors.append(acceptor)
        return acceptor

    def run(self) -> None:
        """gunicorn's, which ends as soon as nobody more is accepted; then until everybody has his answer."""
        self.poller = Poller()
        # An access log has a line for each request, and only gunicorn writes it.
        self.hot_path = None if self.log.access_log_enabled else getattr(self.wsgi, "hot_path", None)
        begin = getattr(self.wsgi, "begin", None)
        if begin:
            begin()
        gevent.spawn(self._sweep)
        super().run()
        self._drain()
        ends = time.monotonic() + self.cfg.graceful_timeout
        while self.poller.connections and time.monotonic() < ends:
            self.notify()
            self._finish()
            gevent.sleep(LOOK_S)
        end = getattr(self.wsgi, "end", None)
        if end:
            end()

    # As connections use it.

    def _accept(self, listener: Any, sock: Any, address: Any) -> None:
        place = self.places.free
        Connection(self, listener, sock, address, place)
        self.places.take(place)
        self.figures.placeless += not place

    def take(self, connection: Connection, head: bytes) -> bool:
        if self.hot_path is None or not self.alive:
            return False
        if not self.hot_path(connection, head):
            return False
        self.figures.hot += 1
        self.nr += 1
        if self.nr >= self.max_requests:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
        return True

    def resume(self, connection: Connection) -> None:
        self.figures.handled += 1
        gevent.spawn(self.handle, connection.listener, connection, connection.address)

    def closed(self, connection: Connection) -> None:
        self.places.give_back(connection.place)
        for acceptor in self.acceptors:
            acceptor.resume()

    # As gunicorn's handler uses it.

    def timeout_ctx(self) -> gevent.Timeout:
        """For the rest of a head."""
        return gevent.Timeout(self.cfg.keepalive if self.cfg.is_ssl else limits.HEAD_S, False)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> Any:
        """One request, and the end of the handler: what it has read of the next one is kept."""
        if not isinstance(sock, Connection):
            return super().handle_request(listener_name, req, sock, addr)
        if not sock.place or _is_last(req) or _is_beyond(req):
            req.force_close()
        sock.closing = req.should_close()
        sock.body_until = time.monotonic() + limits.BODY_S if _has_body(req) else math.inf
        super().handle_request(listener_name, req, sock, addr)
        if sock.body_until != math.inf:
            _skip_body(req)
        sock.unread = req.unreader.take_buffered() + sock.unread
        sock.kept = True
        raise StopIteration

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        if not isinstance(client, Connection):
            super().handle_error(req, client, addr, exc)
            return
        if isinstance(exc, errors.ParseException):
            logger.info("request_invalid reason=%s", type(exc).__name__)
        else:
            logger.error("request_failed", exc_info=exc)
        with suppress(OSError):
            client.sendall(refusal(exc))

    # The end.

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM. Not in the signal handler, where nothing may block."""
        super().handle_exit(sig, frame)
        gevent.spawn(self._drain)

    def _drain(self) -> None:
        """Everybody held is answered and moves on, idle connections close: so the process ends in about a second."""
        drain = getattr(self.wsgi, "drain", None)
        if drain:
            drain()
        self._finish()

    def _finish(self) -> None:
        self.poller.each(Connection.finish)

    def _sweep(self) -> None:
        while True:
            gevent.sleep(SWEEP_S)
            self.poller.now = time.monotonic()
            self.poller.each(self._look)
            self._report()

    def _look(self, connection: Connection) -> None:
        if connection.deadline < self.poller.now:
            self.figures.slow += connection.flushing
            connection.on_deadline()

    def _report(self) -> None:
        self.figures.taken, self.figures.extra = self.places.taken, self.places.extra
        report = getattr(self.wsgi, "report", None)
        if report:
            report(replace(self.figures))


def _is_last(req: Any) -> bool:
    """Whether any `Connection` field has the option `close` (RFC 9112, 9.6). gunicorn reads the first field alone."""
    fields = (value for name, value in req.headers if name == "CONNECTION")
    return any(option.strip().lower() == "close" for value in fields for option in value.split(","))


def _has_body(req: Any) -> bool:
    return any(
        name == "TRANSFER-ENCODING" or (name == "CONTENT-LENGTH" and value.strip() != "0")
        for name, value in req.headers
    )


def _is_beyond(req: Any) -> bool:
    """Whether its body is more than is skipped: then the connection ends, and a proxy has to know. A body that has no
    length before it cannot be known to be."""
    return any(name == "CONTENT-LENGTH" and int(value) > SKIP_MAX for name, value in req.headers)


def _skip_body(req: Any) -> None:
    """What the app left of it. Where that does not end, or makes no sense, the next request cannot be found."""
    left = SKIP_MAX
    try:
        while data := req.body.read(8_192):
            left -= len(data)
            if left < 0:
                raise StopIteration
    except (OSError, errors.ParseException):
        raise StopIteration from None
