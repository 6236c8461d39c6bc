"""A socket that does not block. What it has not taken waits in a backlog, and a greenlet uses it as if it blocked."""

from __future__ import annotations

import errno
import math
import socket
import time
from typing import Any

import gevent
from gevent.hub import Waiter

# The largest answer, a timeline of 0.65 MB, is taken in that time at 22 KB/s.
WRITE_S = 30.0

# Bytes that are dropped of a client that is not listened to any more: a body of the largest size that is taken. In one
# turn, at most eight reads.
DROP_MAX = 4 << 20
DROP_READ, DROP_READS = 65_536, 8
# s. A greenlet that always finds more to read lets everybody else have their turn this often: less than the loop takes
# for one of its own (`poller.TURN_MAX`). A body that comes at once is read within it, without a pause.
TURN_S = 0.005
# s. A timer, for which the loop looks at all sockets. `sleep(0)` is put behind fifty callbacks, its own among them.
YIELD_S = 0.000_001


class ClientSocket:
    """ended: the client has shut its half, or is gone.
    broken: what is written does not arrive.
    stirred: there may be more to read.
    unread: what was read and not answered.
    dropped: bytes that were read and are of no use.
    backlog: what the socket has not taken.
    deadline: when this is over, whatever it is (time.monotonic); inf for never.
    body_until: when the body that is being read must have come.
    turn_until: when its greenlet is to let others have theirs.
    waiter: of the greenlet that waits for an event.
    """

    # fmt: off
    __slots__ = (
        "backlog", "body_until", "broken", "deadline", "descriptor", "dropped", "ended", "sock", "stirred",
        "turn_until", "unread", "waiter",
    )
    # fmt: on

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.descriptor = sock.fileno()
        self.ended = self.broken = self.stirred = False
        self.unread = b""
        self.dropped = 0
        self.backlog: memoryview | None = None
        self.deadline = self.body_until = math.inf
        self.turn_until = 0.0
        self.waiter: Any = None

    @property
    def flushing(self) -> bool:
        """The client has not taken all that was written."""
        return self.backlog is not None

    def write(self, data: bytes) -> None:
        """Now, or as much of it as the socket takes: the rest when it takes more. Only with nothing left of before."""
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            # Gone: an event says so, too.
            self.broken = True
            return
        if sent < len(data):
            self.backlog = memoryview(data)[sent:]
            self.deadline = time.monotonic() + WRITE_S

    def abort(self) -> None:
        """Whoever waits for it finds its end."""
        self.broken = True
        self.backlog = None
        self.shut(socket.SHUT_RDWR)

    def flush(self) -> None:
        """Write more of the backlog, by the event loop."""
        assert self.backlog is not None  # noqa: S101
        try:
            sent = self.sock.send(self.backlog)
        except BlockingIOError:
            return
        except OSError:
            sent = len(self.backlog)
            self.broken = True
        self.backlog = self.backlog[sent:] if sent < len(self.backlog) else None

    def drop(self) -> bool:
        """Read what comes and forget it; False where nothing more does, or too much."""
        try:
            for _ in range(DROP_READS):
                size = len(self.sock.recv(DROP_READ))
                self.dropped += size
                if not size or self.dropped > DROP_MAX:
                    return False
        except BlockingIOError:
            self.stirred = False
        except OSError:
            return False
        else:
            self.stirred = True
        return True

    def wake(self) -> None:
        """Something has happened. By the event loop."""
        if self.waiter is not None:
            self.waiter.switch(None)

    # By a greenlet.

    def setblocking(self, _flag: int) -> None:
        """To its handler it is blocking."""

    def fileno(self) -> int:
        return self.descriptor

    def recv(self, size: int, _flags: int = 0) -> bytes:
        """Raises TimeoutError for a body that does not come, or not end; else OSError as a socket does."""
        if self.unread:
            data, self.unread = self.unread[:size], self.unread[size:]
            self._begin_turn()
            return data
        while True:
            try:
                data = self.sock.recv(size)
            except BlockingIOError:
                self.stirred = False
                if self.ended:
                    return b""
                self._wait_for_input()
                self._begin_turn()
            else:
                self.stirred = len(data) == size
                if time.monotonic() > self.turn_until:
                    self._give_way()
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

    def _begin_turn(self) -> None:
        self.turn_until = time.monotonic() + TURN_S

    def _give_way(self) -> None:
        """A client that sends faster than its greenlet reads would never let it wait, nor anybody else be served: one
        WebSocket that pinged without a pause kept a process to itself for as long as it did (16 s)."""
        self._body_left_s()
        gevent.sleep(YIELD_S)
        self._begin_turn()

    def _body_left_s(self) -> float | None:
        """None for as long as it takes. Raises TimeoutError once it is over."""
        left_s = self.body_until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the body is too slow")
        return None if left_s == math.inf else left_s

    def _wait_for_input(self) -> None:
        with gevent.Timeout(self._body_left_s(), TimeoutError("the body is too slow")):
            self._wait()

    def _wait_until_flushed(self) -> None:
        """The deadline of the backlog ends it, too."""
        while self.backlog is not None:
            self._wait()
        if self.broken:
            raise BrokenPipeError(errno.EPIPE, "the client is gone, or does not read")

    def _wait(self) -> None:
        self.waiter = Waiter()
        try:
            self.waiter.get()
        finally:
            self.waiter = None

    def shut(self, half: int) -> None:
        try:
            self.sock.shutdown(half)
        except OSError:
            self.ended = True
