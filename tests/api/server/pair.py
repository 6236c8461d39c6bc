"""A connection and its client, on real sockets and an event loop, without gunicorn."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import gevent
import gevent.socket

from api.server.connection import Connection
from api.server.poller import Poller


class Worker:
    """Stands for the worker.

    reply: what the event loop makes of a whole head; None where a handler has to.
    handler: what is done with each connection that is lent to one.
    """

    def __init__(self) -> None:
        self.poller = Poller()
        self.keepalive_s = 100.0
        self.reply: Callable[[Connection, bytes], Any] | None = None
        self.handler: Callable[[Connection], Any] = lambda connection: None
        self.heads: list[bytes] = []
        self.handled = 0
        self.gone: list[Connection] = []

    def take(self, connection: Connection, head: bytes) -> bool:
        self.heads.append(head)
        if self.reply is None:
            return False
        self.reply(connection, head)
        return True

    def resume(self, connection: Connection) -> None:
        self.handled += 1
        gevent.spawn(self.handler, connection)

    def closed(self, connection: Connection) -> None:
        self.gone.append(connection)


class Pair:
    """place: of the connection."""

    def __init__(self, place: bool = True) -> None:
        self.worker = Worker()
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            self.client = gevent.socket.create_connection(listener.getsockname())
            served, address = listener.accept()
        served.setblocking(False)
        self.client.settimeout(10)
        self.connection = Connection(self.worker, None, served, address, place)

    def received(self) -> bytes:
        """All, up to the end."""
        data = b""
        while more := self.client.recv(65_536):
            data += more
        return data

    def end(self) -> None:
        self.connection.fail()
        self.client.close()
        self.worker.poller.close()


def turn_until(is_so: Callable[[], object]) -> None:
    """Let the event loop have its turns."""
    with gevent.Timeout(10):
        while not is_so():
            gevent.sleep(0.001)
