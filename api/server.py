"""The gunicorn worker: gevent's, with connections that can be parked.

A parked connection costs no more than the greenlet that reads it: the view hands the connection to the room and returns
ALREADY_HANDLED, gunicorn goes on to read the next request from it, and the answer to this one is written from outside,
straight to the socket, when its time comes. So a release is one `send` a client and no switch of greenlets at all.

gunicorn loads this module before it patches the standard library, so it imports nothing else of ours.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent
from gevent.event import Event
from gunicorn.workers.base_async import ALREADY_HANDLED
from gunicorn.workers.ggevent import GeventWorker

__all__ = ["ALREADY_HANDLED", "Connection", "Worker"]

# A client that has not taken one answer of a kilobyte by then is on no network.
FLUSH_S = 10.0


class Connection:
    """A client's socket, as gunicorn uses it, to which others may write while it is read.

    hold: where it waits in the room. leave: called once if the client goes while it waits or listens. drained: called
    when a socket that could not take all at once has taken it.
    """

    __slots__ = ("answered", "busy", "drained", "finished", "flushing", "hold", "leave", "quiet", "sock")

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self.hold: Any = None
        self.leave: Callable[[Connection], None] | None = None
        self.drained: Callable[[], None] | None = None
        self.flushing = False
        self.finished = False
        self.answered: Event | None = None
        # A request is being answered in the ordinary way.
        self.busy = False
        # A stream: nothing more is expected from this client, and its silence is no reason to close.
        self.quiet = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)

    def recv(self, size: int, *flags: int) -> bytes:
        """The next bytes. The end of what a waiting client sends is not told before it is answered: it may have closed
        only that half (RFC 9112, 9.6)."""
        data = self.read(size, *flags)
        if self.quiet:
            return b""
        if not data:
            self.until_answered()
        return data

    def until_answered(self) -> None:
        """Requests are answered in order (RFC 9112, 9.3.2): one that comes before the last one is answered waits."""
        if self.hold is not None or self.flushing:
            self.answered = Event()
            self.answered.wait()

    def read(self, size: int, *flags: int) -> bytes:
        try:
            data: bytes = self.sock.recv(size, *flags)
        except OSError:
            # gevent ends a read whose half was shut by raising in it.
            if self.finished:
                return b""
            raise
        return data

    def sendall(self, data: bytes) -> None:
        self.sock.sendall(data)

    def release(self, answer: Any) -> None:
        """Write the answer to the held request."""
        self.leave = None
        self.write(answer.wire)
        self._settle()
        if answer.close:
            self.finish()

    def write(self, data: bytes) -> None:
        """Now, or as much of it as the socket takes; the rest is left to a greenlet."""
        try:
            sent = self.sock.send(data, 0, 0.0)
        except BlockingIOError:
            sent = 0
        except OSError:
            # Gone. Whoever reads notices, and cleans up.
            return
        if sent < len(data):
            self.flushing = True
            gevent.spawn(self._flush, data[sent:])

    def _flush(self, rest: bytes) -> None:
        try:
            with gevent.Timeout(FLUSH_S):
                self.sock.sendall(rest)
        except (OSError, gevent.Timeout):
            self.abort()
        self.flushing = False
        self._settle()
        if self.drained:
            self.drained()

    def _settle(self) -> None:
        if self.answered and not self.flushing:
            self.answered.set()

    def finish(self) -> None:
        """No further request is read: whoever reads finds the end, and closes once all is written."""
        self.finished = True
        self._shut(socket.SHUT_RD)

    def abort(self) -> None:
        self._shut(socket.SHUT_RDWR)

    def _shut(self, half: int) -> None:
        with suppress(OSError):
            self.sock.shutdown(half)

    def close(self) -> None:
        leave, self.leave = self.leave, None
        if leave:
            leave(self)
        self.sock.close()


class Worker(GeventWorker):  # type: ignore[misc]
    """Plain HTTP/1.1 gets parkable connections; TLS in this process and HTTP/2 get gunicorn's own."""

    def init_process(self) -> None:
        self.connections: set[Connection] = set()
        super().init_process()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        if self.cfg.is_ssl:
            super().handle(listener, client, addr)
            return
        connection = Connection(client)
        self.connections.add(connection)
        gevent.getcurrent().connection = connection
        try:
            super().handle(listener, connection, addr)
        finally:
            self.connections.discard(connection)
            connection.close()

    def timeout_ctx(self) -> Any:
        connection = getattr(gevent.getcurrent(), "connection", None)
        return gevent.Timeout(None if connection and connection.quiet else self.cfg.keepalive, False)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> Any:
        if not isinstance(sock, Connection):
            return super().handle_request(listener_name, req, sock, addr)
        sock.until_answered()
        sock.busy = True
        try:
            return super().handle_request(listener_name, req, sock, addr)
        finally:
            sock.busy = False

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM. Not in the signal handler, where nothing may block."""
        super().handle_exit(sig, frame)
        gevent.spawn(self._drain)

    def _drain(self) -> None:
        """Everybody held is answered and moves on, idle connections close: so the process ends in about a second."""
        drain = getattr(self.wsgi, "drain", None)
        if drain:
            drain()
        for connection in list(self.connections):
            if not connection.busy and connection.hold is None:
                connection.finish()
