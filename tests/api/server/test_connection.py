"""A connection between the event loop, gunicorn's handler and the hub, on real sockets and without a server."""

from __future__ import annotations

import math
import select
import socket
from collections.abc import Iterator

import gevent
import pytest

from api.delivery.answer import RenderedAnswer
from api.server import client_socket
from api.server import connection as connection_module
from api.server.connection import HEAD_MAX, Connection
from api.server.states import State
from tests.api.server.pair import Pair, turn_until

ANSWER = RenderedAnswer(b"{}", {})
HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    pair.end()


def read_once(pair: Pair, heads: list[bytes]) -> None:
    """Handlers read what has come, and leave the connection open."""

    def handler(connection: Connection) -> None:
        heads.append(connection.recv(8_192))
        connection.kept = True
        connection.close()

    pair.worker.handler = handler


def hold(pair: Pair, left: list[Connection] | None = None) -> None:
    pair.worker.reply = lambda connection, _: connection.wait((left if left is not None else []).append)
    pair.client.sendall(HEAD)
    turn_until(lambda: pair.connection.state is State.WAITING)
    pair.worker.reply = None


def test_what_the_client_sends_is_read_by_one_handler_whoever_starts_it(pair: Pair) -> None:
    """The end of the process, and the event loop, which sees the same bytes."""
    heads: list[bytes] = []
    read_once(pair, heads)
    pair.client.sendall(HEAD)
    pair.connection.finish()
    turn_until(lambda: heads)
    gevent.sleep(0.01)
    assert heads == [HEAD]
    assert pair.worker.handled == 1


def test_what_comes_while_it_waits_is_read_once_it_was_answered(pair: Pair) -> None:
    heads: list[bytes] = []
    read_once(pair, heads)
    hold(pair)
    pair.client.sendall(HEAD)
    turn_until(lambda: pair.connection.stirred)
    assert heads == []
    pair.connection.release(ANSWER)
    turn_until(lambda: heads)
    assert heads == [HEAD]
    assert pair.client.recv(10) == b"HTTP/1.1 2"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_a_head_in_any_pieces_is_one(pair: Pair, size: int) -> None:
    pair.worker.reply = lambda connection, _: connection.answer(b"yes")
    for start in range(0, len(HEAD), size):
        pair.client.sendall(HEAD[start : start + size])
        gevent.sleep(0.001)
    assert pair.client.recv(10) == b"yes"
    assert pair.worker.heads == [HEAD]


def test_requests_in_one_packet_are_answered_in_order_by_handlers_and_the_loop(pair: Pair) -> None:
    """Two at once are not for the loop; what the handler has read too far is."""
    count = 0

    def handler(connection: Connection) -> None:
        nonlocal count
        data = connection.recv(8_192)
        connection.sendall(b"%d" % (count := count + 1))
        connection.unread = data[len(HEAD) :]
        connection.kept = True
        connection.close()

    pair.worker.handler = handler
    pair.client.sendall(HEAD * 3)
    data = b""
    while len(data) < 3:
        data += pair.client.recv(10)
    assert data == b"123"
    assert pair.worker.heads == [HEAD]


def test_a_head_that_is_too_long_goes_to_a_handler(pair: Pair) -> None:
    pair.client.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * HEAD_MAX)
    turn_until(lambda: pair.worker.handled)
    assert len(pair.connection.unread) >= HEAD_MAX
    assert pair.worker.heads == []


def test_a_handler_reads_no_more_than_it_asks_for(pair: Pair) -> None:
    parts: list[bytes] = []

    def handler(connection: Connection) -> None:
        while part := connection.recv(10):
            parts.append(part)

    pair.worker.handler = handler
    pair.client.sendall(HEAD + b"body")
    pair.client.shutdown(socket.SHUT_WR)
    turn_until(lambda: b"".join(parts) == HEAD + b"body")
    assert max(map(len, parts)) == 10


def test_a_bug_in_answering_from_the_loop_leaves_it_to_a_handler(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_connection: Connection, _head: bytes) -> None:
        raise ZeroDivisionError

    heads: list[bytes] = []
    read_once(pair, heads)
    pair.worker.reply = fail
    pair.client.sendall(HEAD)
    turn_until(lambda: heads)
    assert heads == [HEAD]
    assert "head_failed" in caplog.text


def test_a_bug_in_an_event_closes_that_connection_alone(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    hold(pair)
    pair.connection.leave = lambda _: 1 // 0
    pair.client.shutdown(socket.SHUT_WR)
    assert pair.received() == b""
    turn_until(lambda: "connection_failed" in caplog.text)
    assert pair.worker.poller.connections == {}


def test_an_idle_connection_that_is_finished_is_closed(pair: Pair) -> None:
    pair.connection.finish()
    assert pair.received() == b""
    assert pair.worker.gone == [pair.connection]


def test_one_that_waits_is_closed_only_behind_its_answer(pair: Pair) -> None:
    hold(pair)
    pair.connection.finish()
    pair.connection.finish()
    pair.connection.release(ANSWER)
    assert pair.received() == ANSWER.wire(1)
    assert b"Connection: close" in ANSWER.wire(1)


def test_who_leaves_while_it_waits_is_reported_once(pair: Pair) -> None:
    left: list[Connection] = []
    hold(pair, left)
    pair.client.shutdown(socket.SHUT_WR)
    turn_until(lambda: left)
    pair.connection.fail()
    assert left == [pair.connection]


def test_an_answer_to_one_that_has_left_is_dropped(pair: Pair) -> None:
    hold(pair)
    pair.client.close()
    turn_until(lambda: pair.connection.state is State.CLOSED)
    pair.connection.release(ANSWER)
    assert pair.worker.gone == [pair.connection]


def test_a_bug_in_leaving_leaks_no_descriptor(pair: Pair) -> None:
    hold(pair)
    pair.connection.leave = lambda _: 1 // 0
    with pytest.raises(ZeroDivisionError):
        pair.connection.fail()
    assert pair.received() == b""
    assert pair.connection.sock.fileno() == -1
    assert pair.worker.gone == [pair.connection]


def test_a_slow_client_gets_all_from_one_copy(pair: Pair) -> None:
    data = bytes(range(256)) * 50_000
    hold(pair)
    pair.connection.answer(data)
    assert pair.connection.backlog is not None
    assert pair.connection.backlog.obj is data
    pair.client.shutdown(socket.SHUT_WR)
    assert pair.received() == data


def test_a_handler_that_writes_to_a_client_that_does_not_read_is_ended(pair: Pair) -> None:
    errors: list[Exception] = []

    def handler(connection: Connection) -> None:
        try:
            connection.sendall(b"x" * 20_000_000)
        except OSError as error:
            errors.append(error)
        connection.close()

    pair.worker.handler = handler
    pair.client.sendall(HEAD)
    turn_until(lambda: pair.connection.flushing)
    assert pair.connection.deadline < math.inf
    # As the worker does when it has passed.
    pair.connection.on_deadline()
    turn_until(lambda: errors)
    assert isinstance(errors[0], BrokenPipeError)
    turn_until(lambda: pair.connection.state is State.CLOSED)


@pytest.mark.parametrize("more", [b"", 20_000 * b"x"], ids=["silent", "endless"])
def test_a_body_that_does_not_come_or_does_not_end_is_not_waited_for(pair: Pair, more: bytes) -> None:
    errors: list[Exception] = []

    def handler(connection: Connection) -> None:
        connection.recv(8_192)
        connection.body_until = connection.turn_until = 0.0
        try:
            connection.recv(10)
        except TimeoutError as error:
            errors.append(error)
        connection.close()

    pair.worker.handler = handler
    pair.client.sendall(HEAD + more)
    turn_until(lambda: errors)
    assert pair.received() == b""


def test_a_client_that_always_has_more_to_say_keeps_nobody_waiting(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_socket, "TURN_S", 0.0)
    turns_of_others, reads = [0], [0]

    def handler(connection: Connection) -> None:
        while connection.recv(500):
            reads.append(turns_of_others[0])

    def others() -> None:
        while True:
            gevent.sleep(client_socket.YIELD_S)
            turns_of_others[0] += 1

    pair.worker.handler = handler
    other = gevent.spawn(others)
    pair.client.sendall(HEAD + 50_000 * b"x")
    pair.client.shutdown(socket.SHUT_WR)
    turn_until(lambda: len(reads) > 100)
    other.kill()
    assert reads[-1] > reads[1]


def test_the_last_bytes_arrive_though_the_client_is_still_talking(pair: Pair) -> None:
    """On TCP, where closing with bytes unread would take them back."""

    def handler(connection: Connection) -> None:
        connection.recv(100)
        connection.sendall(b"enough")
        connection.close()

    pair.worker.handler = handler
    pair.client.sendall(HEAD + b"x" * 100_000)
    assert pair.client.recv(100) == b"enough"
    assert pair.client.recv(100) == b""
    pair.client.sendall(b"y")
    pair.client.shutdown(socket.SHUT_WR)
    turn_until(lambda: pair.connection.state is State.CLOSED)


@pytest.mark.parametrize(("place", "seconds"), [(True, 100.0), (False, connection_module.HEAD_S)])
def test_how_long_a_client_may_be_silent(place: bool, seconds: float) -> None:
    pair = Pair(place)
    try:
        assert pair.connection.deadline == pair.worker.poller.now + connection_module.HEAD_S
        pair.worker.reply = lambda connection, _: connection.answer(b"yes")
        pair.client.sendall(HEAD)
        assert pair.client.recv(10) == b"yes"
        assert pair.connection.deadline == pair.worker.poller.now + seconds
    finally:
        pair.end()


def test_what_has_come_by_the_deadline_is_answered_though_nobody_had_read_it(pair: Pair) -> None:
    pair.worker.reply = lambda connection, _: connection.release(ANSWER)
    pair.client.sendall(HEAD)
    select.select([pair.connection.sock], [], [], 10)
    pair.connection.deadline = 0.0
    pair.connection.on_deadline()
    assert (pair.worker.heads, pair.connection.state) == ([HEAD], State.IDLE)
    assert pair.client.recv(10) == b"HTTP/1.1 2"
    pair.connection.deadline = 0.0
    pair.connection.on_deadline()
    assert pair.connection.state is State.CLOSED


def test_a_deadline_in_the_middle_of_a_head_is_its_end_to_the_handler(pair: Pair) -> None:
    parts: list[bytes] = []
    pair.worker.handler = lambda connection: parts.extend((connection.recv(100), connection.recv(100)))
    pair.client.sendall(b"GET /")
    turn_until(lambda: pair.connection.state is State.HEAD)
    pair.connection.on_deadline()
    turn_until(lambda: len(parts) == 2)
    assert parts == [b"GET /", b""]
