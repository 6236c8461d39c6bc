"""Turns of the loop over all sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import gevent
import pytest

from api.server import poller as poller_module
from api.server.poller import INPUT, TURN_MAX, Poller
from tests.api.server.pair import turn_until


class Reader:
    """Stands for a connection. again: how often it asks for one more turn."""

    def __init__(self, poller: Poller, log: list[Any], again: int = 0) -> None:
        self.poller, self.log, self.again = poller, log, again
        self.failed = 0
        self.client, self.served = socket.socketpair()
        poller.add(self.served.fileno(), self)  # type: ignore[arg-type]

    def on_events(self, events: int) -> None:
        if events & INPUT:
            self.log.append(self)
            if self.again:
                self.again -= 1
                self.poller.again(self)  # type: ignore[arg-type]

    def fail(self) -> None:
        self.failed += 1

    def close(self) -> None:
        self.poller.discard(self.served.fileno())
        self.client.close()
        self.served.close()


@pytest.fixture
def poller() -> Iterator[Poller]:
    poller = Poller()
    yield poller
    for reader in list(poller.connections.values()):
        reader.close()
    poller.close()


def test_the_loop_does_other_work_between_two_turns_of_a_burst(poller: Poller) -> None:
    log: list[Any] = []
    readers = [Reader(poller, log) for _ in range(2 * TURN_MAX)]
    # What was ready to write is reported first.
    gevent.sleep(0.05)
    for reader in readers:
        reader.client.send(b"x")
    timer = gevent.get_hub().loop.timer(0)
    timer.start(lambda: log.append("other work"))
    turn_until(lambda: len(log) == len(readers) + 1)
    assert log.index("other work") <= TURN_MAX
    assert {id(entry) for entry in log if entry != "other work"} == {id(reader) for reader in readers}


def test_who_has_more_to_read_comes_after_those_who_have_not_been_read(poller: Poller) -> None:
    log: list[Any] = []
    greedy, modest = Reader(poller, log, again=3), Reader(poller, log)
    gevent.sleep(0.05)
    greedy.client.send(b"x")
    modest.client.send(b"x")
    turn_until(lambda: len(log) == 5)
    assert log[:2] == [greedy, modest]


def test_a_bug_of_one_connection_ends_it_and_no_other(
    poller: Poller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[Any] = []
    broken, well = Reader(poller, log), Reader(poller, log)
    gevent.sleep(0.05)
    monkeypatch.setattr(broken, "on_events", lambda events: 1 // 0)
    broken.client.send(b"x")
    well.client.send(b"x")
    turn_until(lambda: log)
    assert (broken.failed, well.failed) == (1, 0)
    assert "connection_failed" in caplog.text


def test_who_was_closed_in_a_turn_is_reported_no_more(poller: Poller, monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[Any] = []
    readers = [Reader(poller, log) for _ in range(2)]
    gevent.sleep(0.05)
    for first, other in (readers, readers[::-1]):
        monkeypatch.setattr(first, "on_events", lambda _, first=first, other=other: (log.append(first), other.close()))
    for reader in readers:
        reader.client.send(b"x")
    turn_until(lambda: log)
    gevent.sleep(0.05)
    assert len(log) == 1


def test_the_epoll_is_the_one_of_the_system() -> None:
    """gevent takes it away from those who import it after it has patched."""
    assert poller_module._epoll.__module__ == "select"
