"""Heads and bodies that come slowly, do not end, or are followed by the next request."""

from __future__ import annotations

from contextlib import suppress

import pytest

from tests.conftest import wait_until
from tests.support.holding import Connect, Origin

pytestmark = pytest.mark.xdist_group("held")


def test_a_head_or_a_body_that_dribbles_is_not_waited_for(origin: Origin, client: Connect) -> None:
    """A body that the app reads, and one that it does not."""
    before = origin.inside()["connections"]
    readers = {client(): b"x"}
    for reader in readers:
        reader.send(b"GET /api/score/m HTTP/1.1\r\nX-Slow: ")
    for path in ("/api/users", "/api/score/m"):
        readers[client().ask(path, "Content-Length: 1000", method="POST")] = b"x"
        readers[client().ask(path, "Transfer-Encoding: chunked", method="POST")] = b"1\r\nx\r\n"

    def are_gone() -> bool:
        for reader, dribble in readers.items():
            with suppress(OSError):
                reader.send(dribble)
        return bool(origin.inside()["connections"] == before)

    wait_until(are_gone, "the connections to be closed")


def test_a_body_that_does_not_end_is_not_taken_for_ever(origin: Origin, client: Connect) -> None:
    reader = client().ask("/api/score/m", "Content-Length: 100000000", method="POST")
    with pytest.raises(ConnectionError):
        reader.send(b"x" * 100_000_000)


def test_who_sends_more_than_is_skipped_is_told_that_the_connection_ends(client: Connect) -> None:
    """Or a proxy sends the next request, perhaps a goal, on a connection that is being closed."""
    for length, connection in ((4 << 20, "keep-alive"), ((4 << 20) + 1, "close")):
        reader = client().ask("/api/score/m", f"Content-Length: {length}", method="POST")
        status, headers = reader.head()
        assert (status, headers["connection"]) == (405, connection)


def test_a_body_is_followed_by_the_next_request(origin: Origin, client: Connect) -> None:
    """Whether the app has read it or not, and the connection rests meanwhile."""
    reader = client()
    for _ in range(2):
        reader.ask("/api/score/m", "Content-Length: 4", "X-Test: 1", method="POST").send(b"body")
        assert reader.answer()[0] == 405
        reader.ask("/api/users", "Transfer-Encoding: chunked", method="POST").send(b"2\r\n{}\r\n0\r\n\r\n")
        assert reader.answer()[0] == 201
    before = origin.greenlets()
    others = [client() for _ in range(30)]
    for other in others:
        other.ask("/api/users", "Content-Length: 2", method="POST").send(b"{}")
        assert other.answer()[0] == 201
    assert origin.greenlets() - before < 5
    reader.ask("/api/score/m").ask("/api/score/m")
    assert reader.body() == reader.body()
