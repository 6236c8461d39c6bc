"""Accepts connections without a greenlet for each."""

from __future__ import annotations

import _socket
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gevent.server import StreamServer

from .places import Places

# Connections accepted before the loop looks at anything else: about a millisecond's.
ACCEPTS_MAX = 64
# ms. A client that acknowledges nothing for so long is given up by the kernel (tcp(7)), as it is by our own writes.
USER_TIMEOUT_MS = 30_000

# Given each socket, which does not block, and its address.
Accept = Callable[[Any, Any], None]


class Acceptor(StreamServer):  # type: ignore[misc]
    """Accepts until all places are taken, and those for whom there is none too, up to a limit; the others stay in the
    kernel's queue until somebody goes.

    pool: gunicorn's, which waits for those in it when the process ends. Nobody is.
    """

    max_accept = ACCEPTS_MAX

    def __init__(self, listener: Any, pool: Any, places: Places, accept: Accept) -> None:
        super().__init__(listener, handle=accept, spawn=None)
        self.pool = pool
        self.places = places
        self.accept = accept
        with suppress(OSError):
            # Inherited by what is accepted. A Unix socket has neither.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)

    def resume(self) -> None:
        """Somebody has gone."""
        if self._watcher is None and self.started and not self.places.exhausted:
            self.start_accepting()

    # As gevent's server uses it.

    def _do_read(self) -> None:
        if self.places.exhausted:
            self.stop_accepting()
        else:
            super()._do_read()

    def do_read(self) -> Any:
        if self.places.exhausted:
            return None
        try:
            descriptor, address = self.socket._accept()
        except BlockingIOError:
            return None
        sock = _socket.socket(self.socket.family, self.socket.type, self.socket.proto, fileno=descriptor)
        sock.setblocking(False)
        return sock, address

    def do_handle(self, sock: Any, address: Any) -> None:
        self.accept(sock, address)
