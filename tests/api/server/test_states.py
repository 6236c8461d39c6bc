"""Each row of the table of transitions, walked on real sockets."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator

import gevent
import pytest

from api.server import states
from api.server.connection import Connection
from api.server.states import TRANSITIONS, State
from tests.api.server.pair import Pair, turn_until

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
# More than the buffers of two sockets on one machine hold.
MUCH = b"x" * 20_000_000


class Answer:
    """What is released."""

    def __init__(self, data: bytes = b"answer", close: bool = False) -> None:
        self.data = data
        self.close = close

    def wire(self, _variant: int) -> bytes:
        return self.data


def rows() -> list[tuple[State, str, State]]:
    table = re.findall(r"^\| ([A-Z, ]+) \| (.+) \| ([A-Z]+) \|$", states.__doc__ or "", re.MULTILINE)
    return [(State[before], event, State[after]) for befores, event, after in table for before in befores.split(", ")]


def head(reply: Callable[[Connection], None] | None) -> Callable[[Pair], None]:
    def send(pair: Pair) -> None:
        pair.worker.reply = (lambda connection, _: reply(connection)) if reply else None
        before = len(pair.worker.heads)
        # The end of it where it has begun already.
        pair.client.sendall(HEAD if pair.connection.state is State.IDLE else HEAD[5:])
        turn_until(lambda: len(pair.worker.heads) > before)

    return send


def handler_ends(first: Callable[[Connection], None], kept: bool = True) -> Callable[[Pair], None]:
    def end(pair: Pair) -> None:
        first(pair.connection)
        pair.connection.kept = kept
        pair.connection.close()

    return end


def client_ends(pair: Pair) -> None:
    pair.client.shutdown(socket.SHUT_WR)
    state = pair.connection.state
    turn_until(lambda: pair.connection.state is not state)


def client_takes(pair: Pair) -> None:
    while pair.connection.flushing:
        pair.client.recv(1_000_000)
        gevent.sleep(0)


def last(connection: Connection) -> None:
    connection.closing = True


def leave(_: Connection) -> None:
    pass


EVENTS: dict[str, Callable[[Pair], object]] = {
    "part of a head": lambda pair: (pair.client.sendall(b"GET /"), gevent.sleep(0.05)),
    "a head, answered from here": head(lambda connection: connection.answer(b"answer")),
    "a head, answered from here, taken slowly": head(lambda connection: connection.answer(MUCH)),
    "a head, answered from here, the last": head(lambda connection: connection.answer(b"answer", last=True)),
    "a head, held": head(lambda connection: connection.wait(leave)),
    "a head for the app, or too long": head(None),
    "end of the client": client_ends,
    "deadline": lambda pair: pair.connection.on_deadline(),
    "handler ends": handler_ends(lambda connection: connection.write(b"answer")),
    "handler ends, taken slowly": handler_ends(lambda connection: connection.write(MUCH)),
    "handler ends, held": handler_ends(lambda connection: connection.wait(leave)),
    "handler ends, a stream": handler_ends(lambda connection: connection.stream(leave)),
    "handler ends, the last or failed": handler_ends(lambda _: None, kept=False),
    "released": lambda pair: pair.connection.release(Answer()),
    "released, taken slowly": lambda pair: pair.connection.release(Answer(MUCH)),
    "released, the last": lambda pair: pair.connection.release(Answer(close=True)),
    "handed over": lambda pair: pair.connection.hand_over(HEAD),
    "end of the stream": lambda pair: pair.connection.end(),
    "end of the stream, taken slowly": lambda pair: (pair.connection.write(MUCH), pair.connection.end()),
    "all is taken": client_takes,
    "all is taken, the last": lambda pair: (last(pair.connection), client_takes(pair)),
}
# How a connection comes to be in each state.
BEGINNINGS: dict[State, tuple[str, ...]] = {
    State.IDLE: (),
    State.HEAD: ("part of a head",),
    State.HANDLED: ("a head for the app, or too long",),
    State.WAITING: ("a head, held",),
    State.STREAMING: ("a head for the app, or too long", "handler ends, a stream"),
    State.FLUSHING: ("a head, answered from here, taken slowly",),
    State.LINGERING: ("a head, answered from here, the last",),
}


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    pair.end()


@pytest.mark.parametrize(("before", "event", "after"), rows())
def test_each_row_of_the_table_is_so(pair: Pair, before: State, event: str, after: State) -> None:
    for beginning in BEGINNINGS[before]:
        EVENTS[beginning](pair)
    assert pair.connection.state is before
    EVENTS[event](pair)
    assert pair.connection.state is after


def test_the_table_is_whole() -> None:
    walked = {(before, after) for before, _, after in rows()}
    assert {pair for pair in TRANSITIONS if pair[1] is not State.CLOSED} == walked - {(State.HEAD, State.HEAD)} - {
        pair for pair in walked if pair[1] is State.CLOSED
    }


def test_what_is_not_in_the_table_closes_and_is_logged(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    pair.connection.stream(leave)
    assert pair.connection.state is State.CLOSED
    assert "state_impossible from=IDLE to=STREAMING" in caplog.text
    assert pair.worker.gone == [pair.connection]
