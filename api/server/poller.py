"""The sockets of all connections in one epoll of the process, looked at in turns of a bounded length.

gevent's loop watches the epoll itself and nothing in it. So a connection costs one registration in its life and no
watcher, and a burst of readers cannot keep the loop from its other work: after so many connections it looks at
everything else, the listener for changes among it, before it comes back.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gevent import get_hub, monkey

if TYPE_CHECKING:
    from .connection import Connection

logger = logging.getLogger(__name__)

# gevent takes it out of the patched module because it may block. With a time-out of zero it does not.
_epoll: Any = monkey.get_original("select", "epoll")

# EPOLLIN, EPOLLOUT (epoll_ctl(2)).
INPUT, OUTPUT = 0x001, 0x004
# EPOLLRDHUP, EPOLLHUP, EPOLLERR: the client has shut its half, or the connection is broken.
END = 0x2000 | 0x010 | 0x008
# Edge-triggered (EPOLLET): all of them once, whatever is of interest at the time.
_INTEREST = INPUT | OUTPUT | 0x2000 | 0x80000000
# Connections in one turn: 7 ms where each asks again and is held (bench/again.py).
TURN_MAX = 256
# Of a gevent io watcher.
_READ = 1


class Poller:
    """connections: by descriptor, while they are open.
    now: of the present turn (time.monotonic).
    """

    def __init__(self) -> None:
        self.connections: dict[int, Connection] = {}
        self.now = time.monotonic()
        self._epoll = _epoll()
        self._ready: list[Connection] = []
        self._scheduled = False
        self._loop = get_hub().loop
        self._watcher = self._loop.io(self._epoll.fileno(), _READ)
        self._watcher.start(self._turn)

    def add(self, descriptor: int, connection: Connection) -> None:
        self._epoll.register(descriptor, _INTEREST)
        self.connections[descriptor] = connection

    def discard(self, descriptor: int) -> None:
        """Before the descriptor is closed, which takes it out of the epoll (epoll(7))."""
        self.connections.pop(descriptor, None)

    def again(self, connection: Connection) -> None:
        """It has more to read that no event will report: in another turn, so that nobody is served twice before all
        others are served once."""
        self._ready.append(connection)
        self._schedule()

    def each(self, action: Callable[[Connection], None]) -> None:
        """Do something with every connection."""
        for connection in list(self.connections.values()):
            try:
                action(connection)
            except Exception:
                self._failed(connection)

    def close(self) -> None:
        self._watcher.close()
        self._epoll.close()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.run_callback(self._turn_of_ready)

    def _turn_of_ready(self) -> None:
        self._scheduled = False
        self._turn()

    def _turn(self) -> None:
        self.now = time.monotonic()
        ready, self._ready = self._ready[:TURN_MAX], self._ready[TURN_MAX:]
        for connection in ready:
            self._report(connection, INPUT)
        for descriptor, events in self._epoll.poll(0, TURN_MAX):
            # None where it was closed earlier in this turn.
            if reported := self.connections.get(descriptor):
                self._report(reported, events)
        if self._ready:
            self._schedule()

    def _report(self, connection: Connection, events: int) -> None:
        try:
            connection.on_events(events)
        except Exception:
            # gevent would stop the watcher, and with it every connection.
            self._failed(connection)

    @staticmethod
    def _failed(connection: Connection) -> None:
        """A bug."""
        logger.exception("connection_failed")
        connection.fail()
