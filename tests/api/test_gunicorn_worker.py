"""A connection between gunicorn's handler, the event loop and the room, on real sockets and without a server."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any, cast

import gevent
import pytest

from api.delivery.snapshot import RenderedAnswer
from api.gunicorn_worker import Connection, GunicornWorker

ANSWER = RenderedAnswer(b"{}", {})


class Desk:
    """Stands for the worker: `resume` is its own, a handler reads once and lets the connection rest."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self.read: list[bytes] = []

    def resume(self, connection: Connection) -> None:
        GunicornWorker.resume(cast(GunicornWorker, self), connection)

    def serve(self, connection: Connection) -> None:
        self.read.append(connection.recv(100))
        connection.rests = True
        connection.close()


class Pair:
    def __init__(self) -> None:
        self.desk = Desk()
        self.client, served = gevent.socket.socketpair()
        self.client.settimeout(10)
        self.connection = Connection(cast(GunicornWorker, self.desk), None, served, None)
        self.desk.connections.add(self.connection)
        self.connection.watch()

    def received(self) -> bytes:
        """All, up to the end."""
        found = b""
        while data := self.client.recv(65_536):
            found += data
        return found


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.connection.rests = False
    made.connection.close()
    made.client.close()


def turn_until(true: Callable[[], object]) -> None:
    """Let the event loop have its turns."""
    with gevent.Timeout(10):
        while not true():
            gevent.sleep(0.001)


def hold(connection: Connection) -> None:
    connection.hold = object()


def released(connection: Connection) -> None:
    connection.hold = None
    connection.release(ANSWER)


def test_what_the_client_sends_is_read_by_one_handler_whoever_starts_it(pair: Pair) -> None:
    """The end of the process and of a flush, and the event loop, which sees the same bytes."""
    pair.client.sendall(b"GET")
    pair.connection.finish()
    assert pair.connection.active
    pair.connection.stirred = True
    pair.connection._settle()
    turn_until(lambda: pair.desk.read)
    gevent.sleep(0.01)
    assert pair.desk.read == [b"GET"]


def test_what_comes_while_one_waits_is_read_once_it_was_answered(pair: Pair) -> None:
    hold(pair.connection)
    pair.client.sendall(b"next")
    turn_until(lambda: pair.connection.stirred)
    assert pair.desk.read == []
    released(pair.connection)
    turn_until(lambda: pair.desk.read)
    assert pair.desk.read == [b"next"]
    assert pair.client.recv(10) == b"HTTP/1.1 2"


def test_an_idle_connection_that_is_finished_is_closed(pair: Pair) -> None:
    pair.connection.finish()
    assert pair.received() == b""
    assert pair.desk.connections == set()


def test_a_finished_connection_reads_what_has_arrived_already(pair: Pair) -> None:
    pair.client.sendall(b"GET")
    pair.connection.finish()
    turn_until(lambda: pair.desk.read)
    assert pair.desk.read == [b"GET"]


def test_one_that_waits_is_closed_only_behind_its_answer(pair: Pair) -> None:
    hold(pair.connection)
    pair.connection.finish()
    pair.connection.finish()
    released(pair.connection)
    assert pair.received() == ANSWER.wire
    pair.connection.finish()


def test_a_stream_that_is_finished_is_closed_behind_what_its_client_has_yet_to_take(pair: Pair) -> None:
    pair.connection.quiet = True
    pair.connection.write(b"x" * 3_000_000)
    assert pair.connection.flushing
    pair.connection.finish()
    assert len(pair.received()) == 3_000_000
    assert pair.desk.connections == set()


def test_a_handler_that_ends_leaves_one_that_is_to_be_closed_to_nobody(pair: Pair) -> None:
    pair.connection.active = pair.connection.rests = pair.connection.closing = True
    pair.connection.close()
    assert pair.received() == b""
    assert pair.desk.connections == set()


def test_a_bug_in_leaving_leaks_no_descriptor(pair: Pair) -> None:
    def leave(_: Any) -> None:
        raise ZeroDivisionError

    pair.connection.leave = leave
    with pytest.raises(ZeroDivisionError):
        pair.connection.close()
    assert pair.received() == b""
    assert pair.connection.sock.fileno() == -1
    assert pair.desk.connections == set()


def test_who_leaves_while_it_waits_is_said_once(pair: Pair) -> None:
    left: list[Connection] = []
    hold(pair.connection)
    pair.connection.leave = left.append
    pair.connection.close()
    pair.connection.close()
    assert left == [pair.connection]


def test_the_last_word_arrives_though_the_client_is_still_talking(pair: Pair) -> None:
    """On TCP, where closing with bytes unread would take it back."""
    with gevent.socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        client = gevent.socket.create_connection(listener.getsockname())
        served, _ = listener.accept()
    client.settimeout(10)
    connection = Connection(cast(GunicornWorker, pair.desk), None, served, None)
    client.sendall(b"x" * 100_000)
    connection.write(b"enough")
    lingering = gevent.spawn(connection.linger)
    assert client.recv(100) == b"enough"
    assert client.recv(100) == b""
    client.sendall(b"y")
    client.shutdown(socket.SHUT_WR)
    lingering.join(10)
    connection.close()
    client.close()
