"""A client's socket: answered from the event loop, or lent to a handler of gunicorn's for one request.

| From | Event | To |
|---|---|---|
| IDLE, HEAD | part of a head | HEAD |
| IDLE, HEAD | a head, answered from here | IDLE |
| IDLE, HEAD | a head, answered from here, taken slowly | FLUSHING |
| IDLE, HEAD | a head, answered from here, the last | LINGERING |
| IDLE, HEAD | a head, held | WAITING |
| IDLE, HEAD | a head for the app, or too long | HANDLED |
| HEAD | end of the client | HANDLED |
| HEAD | deadline | HANDLED |
| IDLE | end of the client | CLOSED |
| IDLE | deadline | CLOSED |
| HANDLED | handler ends | IDLE |
| HANDLED | handler ends, taken slowly | FLUSHING |
| HANDLED | handler ends, held | WAITING |
| HANDLED | handler ends, a stream | STREAMING |
| HANDLED | handler ends, the last or failed | LINGERING |
| WAITING | released | IDLE |
| WAITING | released, taken slowly | FLUSHING |
| WAITING | released, the last | LINGERING |
| WAITING | handed over | HANDLED |
| WAITING, STREAMING | end of the client | CLOSED |
| STREAMING | end of the stream | LINGERING |
| STREAMING | end of the stream, taken slowly | FLUSHING |
| FLUSHING | all is taken | IDLE |
| FLUSHING | all is taken, the last | LINGERING |
| FLUSHING, STREAMING | deadline | CLOSED |
| LINGERING | end of the client | CLOSED |
| LINGERING | deadline | CLOSED |

A request is answered before the next is read (RFC 9112, 9.3.2). A client that shuts its half while it waits has gone.
"""

from __future__ import annotations

import errno
import logging
import math
import socket
import time
from collections.abc import Callable
from typing import Any, Protocol

import gevent
from gevent.hub import Waiter

from .poller import END, OUTPUT, Poller
from .states import TRANSITIONS, State

logger = logging.getLogger(__name__)

# A head is one packet or two.
HEAD_S = 10.0
# As long as a client may be silent between two requests, where the server does not say.
KEEPALIVE_S = 100.0
# A body of 4 MB, the most that is taken, comes in that time at 140 KB/s; Heroku's router waits no longer either
# (devcenter, "Request Timeout").
BODY_S = 30.0
# The largest answer, a timeline of 0.65 MB, is taken in that time at 22 KB/s.
WRITE_S = 30.0
# For a client to take the last it was sent and close its side.
LINGER_S = 2.0
# A head that is answered from here. A longer one goes to gunicorn, which has limits of its own.
HEAD_MOST = 8_192
# Bytes that are dropped of a client that is not listened to any more: a body of the largest size that is taken. In one
# turn, at most eight reads.
DROP_MOST = 4 << 20
DROP_READ, DROP_READS = 65_536, 8


class Answer(Protocol):
    """What is released to a held request. close: it is the connection's last."""

    @property
    def close(self) -> bool: ...

    def wire(self, variant: int) -> bytes: ...


class Server(Protocol):
    """What a connection needs of the worker.

    keepalive_s: how long a client may be silent between two requests.
    """

    poller: Poller
    keepalive_s: float

    def take(self, connection: Connection, head: bytes) -> bool:
        """Answer or hold a request whose whole head this is; False where a handler has to."""

    def resume(self, connection: Connection) -> None:
        """Start a handler that reads from it."""

    def closed(self, connection: Connection) -> None: ...


class Connection:
    """hold: what it waits for in the hub, which alone writes it.
    leave: called once if the client goes while it waits or listens.
    drained: called when a client that was slow has taken all.
    place: it may stay; else it has one answer and must go.
    closing: the answer that is owed is the last.
    kept: the handler has done with it, and it stays open.
    after: what it is to do when its handler ends.
    ended: the client has shut its half, or is gone.
    broken: what is written does not arrive.
    stirred: there may be more to read.
    unread: what was read and not answered.
    dropped: bytes that came after its end.
    backlog: what the socket has not taken.
    waiter: of the handler, while it waits for an event.
    """

    # fmt: off
    __slots__ = (
        "address", "after", "backlog", "body_until", "broken", "closing", "deadline", "descriptor", "drained",
        "dropped", "ended", "hold", "kept", "leave", "listener", "place", "server", "sock", "state", "stirred",
        "unread", "waiter",
    )
    # fmt: on

    def __init__(self, server: Server, listener: Any, sock: socket.socket, address: Any, place: bool = True) -> None:
        self.server = server
        self.listener = listener
        self.sock = sock
        self.descriptor = sock.fileno()
        self.address = address
        self.place = place
        self.state = State.IDLE
        # time.monotonic; inf for none.
        self.deadline = server.poller.now + HEAD_S
        self.body_until = math.inf
        self.hold: Any = None
        self.leave: Callable[[Connection], None] | None = None
        self.drained: Callable[[], None] | None = None
        self.closing = self.kept = self.ended = self.broken = self.stirred = False
        self.after = State.IDLE
        self.unread = b""
        self.dropped = 0
        self.backlog: memoryview | None = None
        self.waiter: Any = None
        server.poller.add(self.descriptor, self)

    # By the event loop.

    def on_events(self, events: int) -> None:
        if events & END:
            self.ended = True
        if self.backlog is not None:
            self._flush()
        if events == OUTPUT:
            return
        state = self.state
        if state is State.IDLE or state is State.HEAD:
            self._read()
            return
        self.stirred = True
        if state is State.HANDLED:
            self._wake()
        elif state is State.LINGERING:
            self._drop_input()
        elif state is State.STREAMING or (state is State.WAITING and self.ended and self.leave):
            self._close()

    def on_deadline(self) -> None:
        """By the worker, which looks at the time."""
        if self.state is State.HEAD:
            # gunicorn says what is wrong with it, if anything is to be said.
            self.ended = True
            self._handle()
        elif self.state is State.HANDLED:
            # A client that does not read.
            self.abort()
        else:
            self._close()

    def fail(self) -> None:
        """After a bug: it cannot go on."""
        self._close()

    def _read(self) -> None:
        try:
            data = self.sock.recv(HEAD_MOST)
        except BlockingIOError:
            self.stirred = False
            if self.state is State.IDLE and self.unread:
                self._take(self.unread)
            return
        except OSError:
            self._close()
            return
        # More may be there only where there was as much as was asked for; what comes later is a new edge.
        self.stirred = len(data) == HEAD_MOST
        if data:
            self._take(self.unread + data if self.unread else data)
        elif self.unread:
            self._handle()
        else:
            self._close()

    def _take(self, data: bytes) -> None:
        """data: all that is read and not answered."""
        end = data.find(b"\r\n\r\n")
        self.unread = b""
        if 0 <= end == len(data) - 4 and self._answered(data):
            return
        self.unread = data
        if end < 0 and len(data) < HEAD_MOST and not self.ended:
            if self.state is State.IDLE:
                self._enter(State.HEAD)
        else:
            self._handle()

    def _answered(self, head: bytes) -> bool:
        try:
            return self.server.take(self, head)
        except Exception:
            # A bug. The ordinary way may not have it.
            logger.exception("head_failed")
            return self.state not in (State.IDLE, State.HEAD)

    def _handle(self) -> None:
        self._enter(State.HANDLED)
        if self.state is State.HANDLED:
            self.server.resume(self)

    def _flush(self) -> None:
        assert self.backlog is not None  # noqa: S101
        try:
            sent = self.sock.send(self.backlog)
        except BlockingIOError:
            return
        except OSError:
            sent = len(self.backlog)
            self.broken = self.closing = True
        self.backlog = self.backlog[sent:] if sent < len(self.backlog) else None
        if self.backlog is None:
            self._flushed()

    def _flushed(self) -> None:
        if self.state is State.FLUSHING:
            self._settle()
        else:
            self.deadline = math.inf
            if self.state is State.HANDLED:
                self._wake()
        if self.drained:
            self.drained()

    def _drop_input(self) -> None:
        try:
            for _ in range(DROP_READS):
                size = len(self.sock.recv(DROP_READ))
                self.dropped += size
                if not size or self.dropped > DROP_MOST:
                    self._close()
                    return
        except BlockingIOError:
            return
        except OSError:
            self._close()
            return
        self.server.poller.again(self)

    # As whoever answers uses it.

    @property
    def flushing(self) -> bool:
        """The client has not taken all that was written."""
        return self.backlog is not None

    def answer(self, wire: bytes, last: bool = False) -> None:
        """From the event loop: the whole answer to what was asked."""
        self.closing = self.closing or last
        self.write(wire)
        self._settle()

    def wait(self, leave: Callable[[Connection], None] | None) -> None:
        """Its answer comes later, by `release`. leave: as the field."""
        self.leave = leave
        self._turn_to(State.WAITING)

    def stream(self, leave: Callable[[Connection], None]) -> None:
        """By a handler: events are written to it until either side ends it."""
        self.leave = leave
        self.closing = True
        self._turn_to(State.STREAMING)

    def release(self, answer: Answer) -> None:
        """The answer to the held request; what the client sends next is the next request."""
        if self.state is State.CLOSED:
            return
        self.leave = None
        self.closing = self.closing or answer.close
        self.write(answer.wire(int(self.closing)))
        if self.state is State.HANDLED:
            self.after = State.IDLE
        else:
            self._settle()

    def hand_over(self, head: bytes) -> None:
        """What it waits for has to be read another way: by a handler, from the same bytes."""
        self.leave = None
        self.unread = head
        self._handle()

    def write(self, data: bytes) -> None:
        """Now, or as much of it as the socket takes: the rest when it takes more. Only with nothing left of before."""
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            # Gone: an event says so, too.
            self.broken = self.closing = True
            return
        if sent < len(data):
            self.backlog = memoryview(data)[sent:]
            self.deadline = time.monotonic() + WRITE_S

    def end(self) -> None:
        """The stream, or WebSocket, is over once all is written."""
        self.closing = True
        if self.state is State.HANDLED:
            # Its handler finds the end.
            self._shut(socket.SHUT_RD)
        elif self.state is State.STREAMING:
            self._settle()

    def finish(self) -> None:
        """The process ends: what has arrived is answered, what is held will be, and it is closed."""
        if self.state in (State.IDLE, State.HEAD):
            self._read()
        if self.state in (State.IDLE, State.HEAD):
            self._close()
        elif self.state is not State.HANDLED:
            # gunicorn's answer says by itself that it is the last.
            self.closing = True

    def abort(self) -> None:
        """Whoever waits for it finds its end."""
        self.broken = True
        self.backlog = None
        self._shut(socket.SHUT_RDWR)

    # As gunicorn's handler uses it.

    def setblocking(self, _flag: int) -> None:
        """To its handler it is blocking."""

    def fileno(self) -> int:
        return self.descriptor

    def recv(self, size: int, _flags: int = 0) -> bytes:
        """Raises TimeoutError for a body that does not come; else OSError as a socket does."""
        if self.unread:
            data, self.unread = self.unread[:size], self.unread[size:]
            return data
        while True:
            try:
                data = self.sock.recv(size)
            except BlockingIOError:
                self.stirred = False
                if self.ended:
                    return b""
                self._wait()
            else:
                self.stirred = len(data) == size
                return data

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def sendall(self, data: bytes) -> None:
        """Raises BrokenPipeError where the client is gone or does not read."""
        self._wait_until_flushed()
        self.write(data)
        self._wait_until_flushed()

    def shutdown(self, half: int) -> None:
        self.sock.shutdown(half)

    def close(self) -> None:
        """At the handler's end. Where it was not `kept`, nothing more is read from it."""
        if self.state is not State.HANDLED:
            return
        kept, self.kept = self.kept, False
        after, self.after = self.after, State.IDLE
        self.body_until = math.inf
        if not kept:
            self.closing = True
            self._left()
        if not kept or after is State.IDLE:
            self._settle()
        elif self.ended:
            self._close()
        else:
            self._enter(after)

    def _wait(self) -> None:
        """Until an event tells of it. By a handler."""
        slow = TimeoutError("the body is too slow")
        left = self.body_until - time.monotonic()
        if left <= 0:
            raise slow
        self.waiter = Waiter()
        try:
            with gevent.Timeout(None if left == math.inf else left, slow):
                self.waiter.get()
        finally:
            self.waiter = None

    def _wait_until_flushed(self) -> None:
        while self.backlog is not None:
            self.waiter = Waiter()
            try:
                self.waiter.get()
            finally:
                self.waiter = None
        if self.broken:
            raise BrokenPipeError(errno.EPIPE, "the client is gone, or does not read")

    def _wake(self) -> None:
        if self.waiter is not None:
            self.waiter.switch(None)

    # States.

    def _turn_to(self, state: State) -> None:
        """Now, or when its handler ends."""
        if self.state is State.HANDLED:
            self.after = state
        elif self.ended:
            self._close()
        else:
            self._enter(state)

    def _settle(self) -> None:
        """All that is owed is written, or in the backlog."""
        if self.backlog is not None:
            self._enter(State.FLUSHING)
        elif self.closing:
            self._linger()
        else:
            self._enter(State.IDLE)

    def _linger(self) -> None:
        """A socket that is closed with bytes unread takes back what was written to it (RFC 9112, 9.6)."""
        self._enter(State.LINGERING)
        self._shut(socket.SHUT_WR)
        self._drop_input()

    def _enter(self, state: State) -> None:
        if (self.state, state) not in TRANSITIONS:
            logger.error("state_impossible from=%s to=%s", self.state.name, state.name, stack_info=True)
            self._close()
            return
        self.state = state
        if state is State.IDLE:
            self.deadline = self.server.poller.now + (self.server.keepalive_s if self.place else HEAD_S)
            if self.stirred or self.unread or self.ended:
                self.server.poller.again(self)
        elif state is State.HEAD:
            self.deadline = self.server.poller.now + HEAD_S
        elif state is State.LINGERING:
            self.deadline = time.monotonic() + LINGER_S
        elif self.backlog is None:
            self.deadline = math.inf

    def _close(self) -> None:
        if self.state is State.CLOSED:
            return
        self.state = State.CLOSED
        self.deadline = math.inf
        self.backlog = None
        self.server.poller.discard(self.descriptor)
        self.sock.close()
        self._wake()
        self.server.closed(self)
        self._left()

    def _left(self) -> None:
        leave, self.leave = self.leave, None
        if leave:
            leave(self)

    def _shut(self, half: int) -> None:
        try:
            self.sock.shutdown(half)
        except OSError:
            self.ended = True
