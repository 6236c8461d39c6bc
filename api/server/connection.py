"""A client's socket: answered from the event loop, or lent to a handler of gunicorn's for one request.

A request is answered before the next is read (RFC 9112, 9.3.2). A client that shuts its half while it waits has gone.
"""

from __future__ import annotations

import logging
import math
import socket
import time
from collections.abc import Callable
from typing import Any

from .client_socket import ClientSocket
from .poller import END, OUTPUT
from .roles import Answer, Server
from .states import TRANSITIONS, State

logger = logging.getLogger(__name__)

# A head is one packet or two.
HEAD_S = 10.0
# A body of 4 MB, the most that is taken, comes in that time at 140 KB/s; Heroku's router waits no longer either
# (devcenter, "Request Timeout").
BODY_S = 30.0
# For a client to take the last it was sent and close its side.
LINGER_S = 2.0
# A head that is answered from here. A longer one goes to gunicorn, which has limits of its own.
HEAD_MAX = 8_192


class Connection(ClientSocket):
    """hold: what it waits for in the hub, which alone writes it.
    leave: called once if the client goes while it waits or listens.
    drained: called when a client that was slow has taken all.
    place: it may stay; else it has one answer and must go.
    variant: of the bytes of its answer, as the app numbers them.
    closing: the answer that is owed is the last.
    kept: the handler has done with it, and it stays open.
    after: what it is to do when its handler ends.
    """

    # fmt: off
    __slots__ = (
        "address", "after", "closing", "drained", "hold", "kept", "leave", "listener", "place", "server",
        "state", "variant",
    )
    # fmt: on

    def __init__(self, server: Server, listener: Any, sock: socket.socket, address: Any, place: bool = True) -> None:
        super().__init__(sock)
        self.server = server
        self.listener = listener
        self.address = address
        self.place = place
        self.state = State.IDLE
        self.deadline = server.poller.now + HEAD_S
        self.hold: Any = None
        self.leave: Callable[[Connection], None] | None = None
        self.drained: Callable[[], None] | None = None
        self.variant = 0
        self.closing = self.kept = False
        self.after = State.IDLE
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
            self.wake()
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
        elif self.state is not State.IDLE or not self._reads_late():
            self._close()

    def _reads_late(self) -> bool:
        """It has sent something in time, which a loop that was too busy has not seen."""
        before = self.deadline
        self._read()
        return self.state is not State.IDLE or self.deadline != before

    def fail(self) -> None:
        """After a bug: it cannot go on."""
        self._close()

    def _read(self) -> None:
        try:
            data = self.sock.recv(HEAD_MAX)
        except BlockingIOError:
            self.stirred = False
            if self.state is State.IDLE and self.unread:
                self._take(self.unread)
            return
        except OSError:
            self._close()
            return
        # More may be there only where there was as much as was asked for; what comes later is a new edge.
        self.stirred = len(data) == HEAD_MAX
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
        if end < 0 and len(data) < HEAD_MAX and not self.ended:
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
        self.flush()
        if self.backlog is not None:
            return
        if self.state is State.FLUSHING:
            self._settle()
        else:
            self.deadline = math.inf
            if self.state is State.HANDLED:
                self.wake()
        if self.drained:
            self.drained()

    def _drop_input(self) -> None:
        if not self.drop():
            self._close()
        elif self.stirred:
            self.server.poller.again(self)

    # As whoever answers uses it.

    def answer(self, wire: bytes, last: bool = False) -> None:
        """From the event loop: the whole answer to what was asked."""
        self.closing = self.closing or last
        self.write(wire)
        self._settle()

    def wait(self, leave: Callable[[Connection], None] | None) -> None:
        """Its answer comes later, by `release`. leave: as the field; None where the answer is certain to come soon, so
        that a client that has shut its half gets it."""
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
        self.write(answer.wire(self.variant | self.closing))
        if self.state is State.HANDLED:
            self.after = State.IDLE
        else:
            self._settle()

    def hand_over(self, head: bytes) -> None:
        """What it waits for has to be read another way: by a handler, from the same bytes."""
        if self.state is State.WAITING:
            self.unread = head
            self._handle()

    def end(self) -> None:
        """The stream, or WebSocket, is over once all is written."""
        self.closing = True
        if self.state is State.HANDLED:
            # Its handler finds the end.
            self.shut(socket.SHUT_RD)
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

    # As gunicorn's handler uses it.

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

    # States.

    def _turn_to(self, state: State) -> None:
        """Now, or when its handler ends."""
        if self.state is State.HANDLED:
            self.after = state
        elif self.ended and self.leave:
            self._close()
        else:
            self._enter(state)

    def _settle(self) -> None:
        """All that is owed is written, or in the backlog."""
        if self.backlog is not None:
            self._enter(State.FLUSHING)
        elif self.closing or self.broken:
            self._linger()
        else:
            self._enter(State.IDLE)

    def _linger(self) -> None:
        """A socket that is closed with bytes unread takes back what was written to it (RFC 9112, 9.6)."""
        self._enter(State.LINGERING)
        self.shut(socket.SHUT_WR)
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
        self.wake()
        self.server.closed(self)
        self._left()

    def _left(self) -> None:
        leave, self.leave = self.leave, None
        if leave:
            leave(self)
