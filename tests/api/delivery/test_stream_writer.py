"""What changes, written to one long-lived connection that may be slow."""

from __future__ import annotations

import json
from typing import cast

import pytest

from api.delivery.board_changes import BoardChanges, LoggedChange
from api.delivery.hub import Hub
from api.delivery.snapshot import CHANGES, Snapshot
from api.delivery.stream_writer import StreamWriter
from api.server.connection import Connection
from db.domain import Phase
from tests.support.hub import score

V = 1_700_000_000_000


class Line:
    """A connection that takes all, or, once it is `flushing`, nothing more."""

    def __init__(self) -> None:
        self.flushing = False
        self.written: list[bytes] = []
        self.ended = False
        self.full_after = 10**6
        self.drained = lambda: None

    def write(self, data: bytes) -> None:
        self.written.append(data)
        self.flushing = len(self.written) >= self.full_after

    def end(self) -> None:
        self.ended = True

    def take(self, more: int = 10**6) -> list[bytes]:
        """The client has read what was on its way, and will take so many more writes."""
        self.written.clear()
        self.flushing, self.full_after = False, more
        self.drained()
        return self.written


class Versions(StreamWriter):
    kind = "stream"
    beat_bytes, end_bytes = b"beat", b"end"

    def encoded(self, snapshot: Snapshot, _version: int | None) -> bytes:
        return f"{snapshot.topic}{snapshot.version - V}".encode()


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def outlet(line: Line) -> Versions:
    return Versions(cast(Connection, line), cast(Hub, None))


def test_who_takes_all_gets_all(line: Line, outlet: Versions) -> None:
    for n in range(3):
        outlet.offer(score(V + n))
    outlet.beat()
    assert line.written == [b"m0", b"m1", b"m2", b"beat"]


def test_who_is_slow_gets_the_newest_of_each_topic_and_no_beat(line: Line, outlet: Versions) -> None:
    line.flushing = True
    for n in range(100):
        outlet.offer(score(V + n))
        outlet.offer(score(V + n, "n"))
        outlet.beat()
    assert line.written == []
    assert len(outlet.pending) == 2
    assert line.take() == [b"m99", b"n99"]
    assert outlet.pending == {}


def test_who_takes_a_little_at_a_time_gets_the_rest_later_and_newest(line: Line, outlet: Versions) -> None:
    line.flushing = True
    for topic in ("a", "b", "c"):
        outlet.offer(score(V, topic))
    assert line.take(1) == [b"a0"]
    outlet.offer(score(V + 1, "c"))
    assert line.take(1) == [b"b0"]
    assert line.take(1) == [b"c1"]
    assert outlet.pending == {}


def test_the_end_comes_behind_what_is_owed(line: Line, outlet: Versions) -> None:
    line.flushing = True
    outlet.offer(score(V))
    outlet.end()
    assert line.ended
    assert line.take() == [b"m0", b"end"]


class Events(Versions):
    def encoded(self, snapshot: Snapshot, version: int | None) -> bytes:
        return snapshot.event(version)


def test_who_is_slow_is_told_the_difference_to_what_was_written(line: Line) -> None:
    outlet = Events(cast(Connection, line), cast(Hub, None))
    outlet.offer(changes(1, "a"))
    line.flushing = True
    for n in range(2, 5):
        outlet.offer(changes(n, *"abcd"[:n]))
    (told,) = line.take()
    assert told.startswith(b"id: %d\n" % (V + 4))
    assert [match["n"] for match in json.loads(told.split(b"data: ")[1])["changed"]] == [2, 3, 4]


def changes(n: int, *match_ids: str) -> BoardChanges:
    """Each match changed with the version of its place."""
    log = [LoggedChange(V + at, name, b'{"n":%d}' % at, on_board=True) for at, name in enumerate(match_ids, 1)]
    return BoardChanges(CHANGES, V + n, "/api/live", b"{}", 2_000, Phase.LIVE, V + n, since=V, log=tuple(log))


def test_nothing_follows_the_end(line: Line, outlet: Versions) -> None:
    """Such as the answer to a WebSocket client's own close frame (RFC 6455, 5.5.1)."""
    outlet.end()
    outlet.offer(score(V))
    outlet.put("/close", b"close")
    outlet.beat()
    assert (line.written, line.ended) == ([b"end"], True)


def test_what_waits_for_a_slow_reader_comes_before_the_end(line: Line, outlet: Versions) -> None:
    line.flushing = True
    outlet.offer(score(V))
    outlet.end()
    outlet.offer(score(V + 1))
    assert line.take() == [b"m0", b"end"]
