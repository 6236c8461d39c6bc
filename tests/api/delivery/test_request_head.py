"""Heads that are answered from the event loop: only those that gunicorn's parser reads alike."""

from __future__ import annotations

from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import errors
from gunicorn.http.parser import RequestParser

from api.delivery import request_head
from api.delivery.request_head import REMEMBERED_MAX, RequestHead, parse
from api.delivery.snapshot import BOARD, CHANGES, OF_BOARD
from db.domain import Cursor
from tests.support.heads import head

SEEDS = 10_000


def get(path: str, *fields: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: scores.example", *fields, "", "")).encode("latin-1")


@pytest.fixture(scope="module")
def config() -> Config:
    config = Config()
    config.set("limit_request_line", 2_048)
    config.set("limit_request_fields", 64)
    return config


def read(config: Config, data: bytes) -> Any:
    """What gunicorn makes of it; None where it refuses."""
    try:
        return next(RequestParser(config, iter((data,)), ("127.0.0.1", 1)))
    except (errors.ParseException, StopIteration):
        return None


@pytest.mark.parametrize(
    ("path", "topic", "cursor"),
    [
        ("/api/score/m", "m", None),
        ("/api/score/a.b_c:d-1", "a.b_c:d-1", None),
        ("/api/score/m/wait/17.0", "m", Cursor(17)),
        ("/api/live", BOARD, None),
        ("/api/live/wait/17.2", BOARD, Cursor(17, 2)),
        ("/api/live/changes/17.2", CHANGES, Cursor(17, 2)),
    ],
)
def test_what_readers_ask_for_is_understood(path: str, topic: str, cursor: Cursor | None) -> None:
    assert parse(get(path)) == RequestHead(topic, cursor, close=False)


@pytest.mark.parametrize(
    "fields",
    [
        ("Connection: keep-alive",),
        ("X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", "X-Request-Id: 1", "Via: 1.1 vegur"),
        ("Accept-Encoding: br", "User-Agent: é", "Cookie: a=b", "Authorization: Bearer x"),
    ],
)
def test_what_browsers_and_routers_add_changes_nothing(fields: tuple[str, ...]) -> None:
    assert parse(get("/api/score/m", *fields)) == RequestHead("m", None, close=False)


def test_a_client_that_wants_the_connection_closed_is_understood() -> None:
    assert parse(get("/api/score/m", "connection: Close")) == RequestHead("m", None, close=True)


@pytest.mark.parametrize(
    ("field", "etags"),
    [
        ("*", ("*",)),
        ('W/"m-1"', ("m-1",)),
        ('"m-1"', ("m-1",)),
        ('W/"m-1", "a,b" ,\tW/""', ("m-1", "a,b", "")),
    ],
)
def test_what_a_client_has_is_understood(field: str, etags: tuple[str, ...]) -> None:
    head = parse(get("/api/score/m", f"If-None-Match: {field}"))
    assert head
    assert head.etags == etags


@pytest.mark.parametrize("field", ["gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.8", "*", "GZIP"])
def test_who_takes_gzip_gets_it(field: str) -> None:
    assert parse(get("/api/score/m", f"Accept-Encoding: {field}")) == RequestHead("m", None, close=False, gzip=True)


@pytest.mark.parametrize("field", ["", "identity", "br", "gzip;q=0", "gzip;q=0.0, *", "gzip;q=x", "*;q=0"])
def test_who_does_not_take_gzip_does_not_get_it(field: str) -> None:
    assert parse(get("/api/score/m", f"Accept-Encoding: {field}")) == RequestHead("m", None, close=False)


@pytest.mark.parametrize(
    "data",
    [
        get("/api/score/m", "If-None-Match: m-1"),
        get("/api/score/m", 'If-None-Match: "a" "b"'),
        get("/api/score/m", 'If-None-Match: *, "b"'),
        get("/api/score/m", 'If-None-Match: "a"', 'If-None-Match: "b"'),
        get("/api/score/m?x"),
        get("/api/score/.."),
        get("/api/score/m/"),
        get("/api/score/m/wait/01.0"),
        get("/api/score/m/stream"),
        get("/api/score/m/changes/17.0"),
        get("/api/live/changes"),
        get("/api/live/stream"),
        get("/api/score/%6d"),
        get("http://scores.example/api/score/m"),
        get("/api/score/m").replace(b"GET", b"HEAD"),
        get("/api/score/m").replace(b"1.1", b"1.0"),
        get("/api/score/m").replace(b"Host: scores.example\r\n", b""),
        get("/api/score/m", "Host: scores.example"),
        get("/api/score/m", "Content-Length: 0"),
        get("/api/score/m", "content-type: x"),
        get("/api/score/m", "Transfer-Encoding: chunked"),
        get("/api/score/m", "Expect: 100-continue"),
        get("/api/score/m", "Upgrade: websocket"),
        get("/api/score/m", "Connection: keep-alive, close"),
        get("/api/score/m", "Connection: close", "Connection: close"),
        get("/api/score/m", "If-Match: *"),
        get("/api/score/m", "Range: bytes=0-1"),
        get("/api/score/m", "X-Forwarded-Proto: https", "X-Forwarded-Proto: http"),
        get("/api/score/m", "X-Forwarded-Ssl: off"),
        get("/api/score/m", "Script-Name: /api"),
        get("/api/score/m", "X_Y: 1"),
        get("/api/score/m", "X : 1"),
        get("/api/score/m", " folded: 1"),
        get("/api/score/m", "X: a\rb"),
        get("/api/score/m", "X: a\nContent-Length: 5"),
        get("/api/score/m", "X: \0"),
        get("/api/score/m", *("X: 1" for _ in range(64))),
        get("/api/score/m") + b"x",
        get("/api/score/m") * 2,
        get("/api/score/m")[:-2],
        b"\r\n" + get("/api/score/m"),
        b"",
    ],
)
def test_what_leaves_a_doubt_goes_the_ordinary_way(data: bytes) -> None:
    assert parse(data) is None


def test_every_head_that_is_taken_is_read_alike_by_gunicorn(config: Config) -> None:
    taken = 0
    for seed in range(SEEDS):
        data = head(seed)
        mine = parse(data)
        if mine is None:
            continue
        taken += 1
        theirs = read(config, data)
        assert theirs is not None, data
        path = "/api/live" if mine.topic in OF_BOARD else f"/api/score/{mine.topic}"
        way = "changes" if mine.topic == CHANGES else "wait"
        path += f"/{way}/{mine.cursor}" if mine.cursor else ""
        assert (theirs.method, theirs.path, theirs.query, theirs.version) == ("GET", path, "", (1, 1)), data
        assert theirs.should_close() == mine.close, data
        assert theirs.unreader.take_buffered() == b"", data
        assert theirs.body.read() == b"", data
    assert taken > SEEDS // 10


def test_a_verdict_is_the_same_the_second_time_and_memory_is_bounded() -> None:
    for seed in range(2 * REMEMBERED_MAX):
        data = head(seed)
        assert parse(data) == parse(data) == request_head._parsed(data)
        assert len(request_head._remembered) <= REMEMBERED_MAX
