"""The gunicorn worker: gevent's, but a connection has a greenlet only while a request of it is being answered.

Between requests a connection rests: it is a socket and the event loop's eye on it. So is one that waits: the view hands
it to the room and returns ALREADY_HANDLED, gunicorn's handler ends without closing it, and the answer is written from
outside, straight to the socket, when its time comes. Whatever the client sends next starts a new handler. So a release
is one `send` a client and no switch of greenlets (bench/hold.py has the figures).

gunicorn loads this module before it patches the standard library, so it imports nothing else of ours.
"""

from __future__ import annotations

import fcntl
import resource
import socket
import struct
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent
from gunicorn.http.errors import ParseException
from gunicorn.workers.base_async import ALREADY_HANDLED
from gunicorn.workers.ggevent import GeventWorker

__all__ = ["ALREADY_HANDLED", "Connection", "GunicornWorker"]

# Files besides clients: Redis, SQL, logs, what gunicorn keeps.
SPARE_FILES = 200
# Connections that are served although all places are taken, each for one answer, are a twentieth of them; more wait to
# be accepted. Of 20,000 that is 1,000, a quarter of the requests a process answers in a second (bench/read.py).
OVERFLOW_SHARE, OVERFLOW_LEAST = 20, 20
# A client that has not taken one answer of a kilobyte by then is on no network.
FLUSH_S = 10.0
# A request begins a handler with its first byte, and its head is one packet or two.
HEAD_S = 10.0
# A body of 4 MB, the most that is taken, comes in that time at 140 KB/s; Heroku's router waits no longer either
# (devcenter, "Request Timeout").
BODY_S = 30.0
# Bytes of a body that nobody reads: as many as the largest that is read, so that its sender hears why it was refused.
SKIP_MOST = 4 << 20
# For a client to take the last it was sent and close its side.
LINGER_S = 2.0
# Between two looks for connections that are still being answered when the process ends.
LOOK_S = 0.05
# Between two looks for connections that have been silent for too long.
SWEEP_S = 5.0
READ = 1  # of a gevent io watcher


def places(wanted: int) -> int:
    """How many connections this process may keep at once: `wanted`, or what the system has files for.

    Raises the limit of open files as far as it may. Without files, `accept` would fail in a loop.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + overflow(wanted) + SPARE_FILES
    if soft < needed:
        for limit in ((needed, max(needed, hard)), (hard, hard)):
            with suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, limit)
                break
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FILES
    return min(wanted, files - overflow(files))


def overflow(places: int) -> int:
    return max(places // OVERFLOW_SHARE, OVERFLOW_LEAST)


class Connection:
    """A client's socket, as gunicorn uses it, to which others may write while nobody reads it.

    hold: where it waits in the room. quiet: it is a stream, nothing more is expected from the client. leave: called
    once if the client goes while it waits or listens. drained: called when a socket that could not take all has.
    """

    # fmt: off
    __slots__ = (
        "active", "address", "body_until", "busy", "closed", "closing", "drained", "flushing", "hold", "leave",
        "listener", "quiet", "rests", "silent_since", "sock", "stirred", "unread", "watcher", "worker",
    )
    # fmt: on

    def __init__(self, worker: GunicornWorker, listener: Any, sock: Any, address: Any) -> None:
        self.worker = worker
        self.listener = listener
        self.sock = sock
        self.address = address
        self.hold: Any = None
        self.quiet = False
        self.leave: Callable[[Connection], None] | None = None
        self.drained: Callable[[], None] | None = None
        # A handler of gunicorn's has it: reads from it, and closes it in the end.
        self.active = False
        # That handler is done with it for now, and is to leave it open.
        self.rests = False
        # It is answering a request, not waiting for one.
        self.busy = False
        # When the body of that request must have come (time.monotonic), 0 where none is expected.
        self.body_until = 0.0
        self.watcher: Any = None
        # The client has sent something, or its end, before it was answered.
        self.stirred = False
        self.unread = b""
        self.flushing = False
        self.closing = self.closed = False
        self.silent_since = 0.0

    # As gunicorn uses it.

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)

    def recv(self, size: int, *flags: int) -> bytes:
        """Raises TimeoutError for a body that does not come; else OSError as a socket does."""
        data: bytes
        if self.unread:
            data, self.unread = self.unread, b""
            return data
        try:
            data = self._recv_body(size, *flags) if self.body_until else self.sock.recv(size, *flags)
        except OSError:
            # gevent ends a read whose half was shut by raising in it.
            if self.closing:
                return b""
            raise
        return data

    def _recv_body(self, size: int, *flags: int) -> bytes:
        slow = TimeoutError("the body is too slow")
        left = self.body_until - time.monotonic()
        if left <= 0:
            raise slow
        with gevent.Timeout(left, slow):
            data: bytes = self.sock.recv(size, *flags)
            return data

    def sendall(self, data: bytes) -> None:
        self.sock.sendall(data)

    def close(self) -> None:
        """By the handler, at its end: a connection that rests stays open. By others: for good."""
        if self.active and self.rests:
            self.active = self.rests = False
            self.watch()
            if not self.flushing:
                self._settle()
        elif not self.closed:
            self.active, self.closed = False, True
            if self.watcher:
                self.watcher.close()
            self.worker.connections.discard(self)
            self.sock.close()
            leave, self.leave = self.leave, None
            if leave:
                leave(self)

    # As the room and outlets use it.

    @property
    def waits(self) -> bool:
        return self.hold is not None or self.quiet

    def release(self, answer: Any) -> None:
        """Write the answer to the held request; what it sends next is the next request."""
        self.leave = None
        self.closing = self.closing or answer.close
        self.write(answer.wire)
        if not self.flushing:
            self._settle()

    def write(self, data: bytes) -> None:
        """Now, or as much of it as the socket takes; the rest is left to a greenlet."""
        try:
            sent = self.sock.send(data, 0, 0.0)
        except BlockingIOError:
            sent = 0
        except OSError:
            # Gone. The watcher or the handler sees it, too.
            return
        if sent < len(data):
            self.flushing = True
            gevent.spawn(self._flush, data[sent:])

    def finish(self) -> None:
        """End it once all is written: what has arrived is answered, what is held will be. A handler that reads finds
        the end; without one it is closed from here."""
        if self.closed:
            return
        if self.active:
            self.closing = True
            self._shut(socket.SHUT_RD)
        elif not self.quiet and self._has_sent():
            # Its answer is the last: the worker says so in it.
            if not self.waits and not self.flushing:
                self.worker.resume(self)
        else:
            self.closing = True
            if self.hold is None and not self.flushing:
                self.close()

    def linger(self) -> None:
        """By a handler: nothing more is said. What the client still sends is taken and dropped, for a socket that is
        closed with bytes unread takes back what was written to it (RFC 9112, 9.6)."""
        self.closing = True
        with suppress(OSError), gevent.Timeout(LINGER_S, False):
            if not self.flushing:
                self._shut(socket.SHUT_WR)
            while self.recv(8_192):
                pass

    def abort(self) -> None:
        self._shut(socket.SHUT_RDWR)

    def _flush(self, rest: bytes) -> None:
        try:
            with gevent.Timeout(FLUSH_S):
                self.sock.sendall(rest)
        except (OSError, gevent.Timeout):
            self.closing = True
            self.abort()
        self.flushing = False
        if self.drained:
            self.drained()
        if not self.flushing:
            self._settle()

    def _settle(self) -> None:
        """All that was owed is written: what the client sent meanwhile is read now."""
        self.silent_since = time.monotonic()
        if self.active or self.closed:
            return
        if self.closing:
            self.close()
        elif not self.waits and (self.stirred or self.unread):
            self.worker.resume(self)

    def watch(self) -> None:
        """Rest until the client sends something."""
        self.stirred = False
        self.silent_since = time.monotonic()
        if self.watcher is None:
            self.watcher = gevent.get_hub().loop.io(self.sock.fileno(), READ)
        self.watcher.start(self._stir)

    def _stir(self) -> None:
        """The client has sent something. Requests are answered in order (RFC 9112, 9.3.2), so what comes from one that
        waits has to wait, too; and one that has closed its half may still be waiting for the answer (9.6)."""
        self.watcher.stop()
        self.stirred = True
        if self.quiet or self._broken():
            self.close()
        elif not self.waits and not self.flushing:
            self.worker.resume(self)

    def _broken(self) -> bool:
        """Reset by the client, or given up by the network. Unlike a read, this never waits."""
        return bool(self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def _has_sent(self) -> bool:
        """Something of the client's is to be read (tcp(7), SIOCINQ)."""
        waiting = fcntl.ioctl(self.sock.fileno(), termios.FIONREAD, bytes(4))
        return bool(self.unread) or struct.unpack("i", waiting)[0] > 0

    def _shut(self, half: int) -> None:
        with suppress(OSError):
            self.sock.shutdown(half)


class GunicornWorker(GeventWorker):  # type: ignore[misc]
    """Plain HTTP/1.1 gets parkable connections; TLS in this process and HTTP/2 get gunicorn's own."""

    def init_process(self) -> None:
        self.connections: set[Connection] = set()
        self.places: int = self.cfg.worker_connections
        if not self.cfg.is_ssl:
            # What gunicorn's pool is for here: who has a place is in it only while it is accepted.
            self.worker_connections = overflow(self.places)
        super().init_process()

    def run(self) -> None:
        """gunicorn's, which waits for the handlers that it started; then until everybody else has his answer, those
        included who came while it was still accepting."""
        gevent.spawn(self._sweep)
        super().run()
        ends = time.monotonic() + self.cfg.graceful_timeout
        while self.connections and time.monotonic() < ends:
            self._finish()
            gevent.sleep(LOOK_S)

    def timeout_ctx(self) -> gevent.Timeout:
        """For the head of a request: who says nothing rests, and needs none; who finds all places taken has no more."""
        return gevent.Timeout(self.cfg.keepalive if self.cfg.is_ssl else HEAD_S, False)

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        if self.cfg.is_ssl:
            super().handle(listener, client, addr)
            return
        # The server closes what it accepted when this returns, so it is left an empty shell.
        sock = gevent.socket.socket(client.family, client.type, client.proto, fileno=client.detach())
        connection = Connection(self, listener, sock, addr)
        self.connections.add(connection)
        if self.crowded:
            # With its handler it stays in gunicorn's pool, and a full pool accepts no more.
            self.serve(connection)
        else:
            connection.watch()

    def serve(self, connection: Connection) -> None:
        connection.active = True
        super().handle(connection.listener, connection, connection.address)

    def resume(self, connection: Connection) -> None:
        # From now on, not from when the greenlet has its turn: there must not be two.
        connection.active = True
        connection.watcher.stop()
        gevent.spawn(self.serve, connection)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> Any:
        if not isinstance(sock, Connection):
            return super().handle_request(listener_name, req, sock, addr)
        if self.crowded:
            req.force_close()
        sock.busy = True
        sock.body_until = time.monotonic() + BODY_S if _has_body(req) else 0.0
        try:
            handled = super().handle_request(listener_name, req, sock, addr)
            if sock.body_until:
                _skip_body(req)
        finally:
            sock.busy = False
            sock.body_until = 0.0
        self._rest(sock, req)
        return handled

    @property
    def crowded(self) -> bool:
        """More connections than there are places: who comes now is answered once and must not stay."""
        return len(self.connections) > self.places

    def _rest(self, connection: Connection, req: Any) -> None:
        """End the handler but not the connection; what was read of the next request already is kept."""
        connection.unread = req.unreader.take_buffered()
        if connection.unread and not connection.waits and not connection.closing:
            return
        connection.rests = True
        raise StopIteration

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
        for connection in list(self.connections):
            if not connection.busy:
                connection.finish()

    def _sweep(self) -> None:
        """Close connections whose client was answered and has not asked again for as long as any may be silent."""
        while self.alive:
            gevent.sleep(SWEEP_S)
            silent = time.monotonic() - self.cfg.keepalive
            for connection in list(self.connections):
                if not connection.active and not connection.waits and connection.silent_since < silent:
                    connection.close()


def _has_body(req: Any) -> bool:
    return any(
        name == "TRANSFER-ENCODING" or (name == "CONTENT-LENGTH" and value.strip() != "0")
        for name, value in req.headers
    )


def _skip_body(req: Any) -> None:
    """What the app left of it. Where that does not end, or makes no sense, the next request cannot be found."""
    left = SKIP_MOST
    try:
        while data := req.body.read(8_192):
            left -= len(data)
            if left < 0:
                raise StopIteration
    except (OSError, ParseException):
        raise StopIteration from None
