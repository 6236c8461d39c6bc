"""Streams on the real server, spoken to by bare sockets."""

from __future__ import annotations

import pytest

from tests.support.holding import Client, Connect, Origin

pytestmark = pytest.mark.xdist_group("held")


def test_a_stream_sends_the_present_and_each_change(origin: Origin, client: Connect) -> None:
    reader = client().ask("/api/score/m/stream")
    status, headers = reader.head()
    assert (status, headers["content-type"]) == (200, "text/event-stream")
    assert headers["cache-control"] == "private, no-store"
    assert headers["access-control-allow-origin"] == "*"
    assert "content-length" not in headers
    first = reader.event()
    assert first == origin.body("/api/score/m") | {"next": first["next"]}
    for _ in range(3):
        version = origin.goal()
        body = reader.event()
        assert (body["version"], body["next"]) == (version, f"/api/score/m/wait/{version}.0")
    reader.close()
    origin.wait_for_here(0)


def test_a_stream_is_resumed_after_the_event_one_has(origin: Origin, client: Connect) -> None:
    has = origin.body("/api/score/m")["version"]
    reader = client().ask("/api/score/m/stream", f"Last-Event-ID: {has}")
    reader.until(b"\n:\n\n")
    version = origin.goal()
    assert reader.event()["version"] == version
    late = client().ask("/api/score/m/stream", f"Last-Event-ID: {has}")
    late.head()
    assert late.event()["version"] == version


@pytest.mark.parametrize("http", ["1.0", "1.1"])
def test_a_stream_on_a_connection_that_is_to_be_closed_is_one_too(origin: Origin, client: Connect, http: str) -> None:
    reader = client().ask("/api/score/m/stream", "Connection: close", http=http)
    reader.until(b"data: ")
    origin.wait_for_here(1)
    version = origin.goal()
    assert f"id: {version}\n".encode() in reader.until(f"id: {version}\n".encode())
    reader.reset()
    origin.wait_for_here(0)


def test_a_stream_says_no_to_what_is_sent_on_it(origin: Origin, client: Connect) -> None:
    reader = client().ask("/api/score/m/stream")
    reader.head()
    origin.wait_for_here(1)
    reader.ask("/api/score/m")
    origin.wait_for_here(0)


def test_head_of_a_stream_ends(origin: Origin, client: Connect) -> None:
    reader = client().ask("/api/score/m/stream", method="HEAD")
    assert reader.head()[0] == 200
    assert origin.inside()["here"] == 0


def test_a_stream_that_is_not_read_is_spared_the_past(origin: Origin, client: Connect) -> None:
    lazy, reader = client(buffer=2_048), client()
    for one in (lazy, reader):
        one.ask("/api/score/m/stream")
    origin.wait_for_here(2)
    sent, version = origin.outrun("m", next(origin.scores))
    lazy.read_fast()
    seen = [lazy.event()["version"]]
    while seen[-1] < version:
        seen.append(lazy.event()["version"])
    assert seen == sorted(set(seen))
    assert len(seen) < sent
    assert last_of(reader, version) == version


def last_of(reader: Client, version: int) -> int:
    found = 0
    while found < version:
        found = reader.event()["version"]
    return found
