"""Requests to providers that answer oddly: elsewhere, later, slowly, or with something else."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from threading import Event

import pytest

from db.domain.errors import Unavailable
from tests.support.feed_world import FeedWorld
from tests.support.odd_provider import OddAnswer, OddProvider
from workers.feed import http
from workers.feed.http import HttpSource
from workers.feed.session import FeedSession

Provide = Callable[[Callable[[str], OddAnswer]], OddProvider]
KEY = "a-key-of-the-tests"


class AnyReader:
    name = "openligadb"
    silent_after_s = 60.0
    places = 1

    def read(self, session: FeedSession) -> None:
        session.halt.wait()


@pytest.fixture
def provide() -> Iterator[Provide]:
    providers: list[OddProvider] = []

    def one(answer: Callable[[str], OddAnswer]) -> OddProvider:
        providers.append(OddProvider(answer))
        return providers[-1]

    yield one
    for provider in providers:
        provider.close()


@pytest.fixture
def session(world: FeedWorld) -> FeedSession:
    return world.session(AnyReader(), Event())


@pytest.fixture
def source() -> HttpSource:
    return HttpSource(1_000, {"X-Auth-Token": KEY}, (KEY,))


def test_a_key_does_not_follow_a_redirect_to_another_host(
    session: FeedSession, source: HttpSource, provide: Provide
) -> None:
    other = provide(lambda _: OddAnswer(parts=[b"[]"]))
    home = provide(lambda path: OddAnswer(302, headers={"Location": f"{other.url}/there" if path == "/" else "/"}))
    assert source.get(session, f"{home.url}/here") == b"[]"
    assert [("x-auth-token" in headers) for _, headers in home.requests] == [True, True]
    assert [("x-auth-token" in headers) for _, headers in other.requests] == [False]


@pytest.mark.parametrize("location", ["http://[half", "http://.example/", "no-scheme://x", ""])
def test_a_redirect_to_nowhere_is_a_failure(
    session: FeedSession, source: HttpSource, provide: Provide, location: str
) -> None:
    home = provide(lambda _: OddAnswer(302, headers={"Location": location}))
    with pytest.raises(Unavailable):
        source.get(session, home.url)


@pytest.mark.parametrize(
    ("retry_after", "least_s", "most_s"),
    [
        ("30", 25, 30),
        (lambda: formatdate(time.time() + 30, usegmt=True), 25, 30),
        ("86400", 595, 600),
        pytest.param("9" * 5_000, 595, 600, id="many digits"),
        ("soon", 0, 0),
        ("", 0, 0),
        ("-5", 0, 0),
        ("Mon, 99 Foo 2026 99:99:99 GMT", 0, 0),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0, 0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_nothing_is_asked_before_the_provider_wants_it(
    session: FeedSession,
    source: HttpSource,
    provide: Provide,
    status: int,
    retry_after: str | Callable[[], str],
    least_s: int,
    most_s: int,
) -> None:
    value = retry_after if isinstance(retry_after, str) else retry_after()
    busy = provide(lambda _: OddAnswer(status, headers={"Retry-After": value}))
    with pytest.raises(Unavailable, match=f"answers {status}"):
        source.get(session, busy.url)
    assert least_s <= source.wait_s(time.time()) <= most_s
    restarted = HttpSource(1_000)
    restarted.go_on(session)
    assert least_s <= restarted.wait_s(time.time()) <= most_s


def test_a_body_that_drips_is_a_failure(
    session: FeedSession, source: HttpSource, provide: Provide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "ANSWER_S", 0.3)
    slow = provide(lambda _: OddAnswer(parts=[b" "] * 200, pause_s=0.05))
    with pytest.raises(Unavailable, match="Timeout"):
        source.get(session, slow.url)


@pytest.mark.parametrize(
    "answer",
    [
        OddAnswer(parts=[b"[1, 2"], length="50"),
        OddAnswer(parts=[b"5\r\n[1, 2"], length="", headers={"Transfer-Encoding": "chunked"}),
        OddAnswer(parts=[b"no chunk"], length="", headers={"Transfer-Encoding": "chunked"}),
        OddAnswer(parts=[b"no gzip"], headers={"Content-Encoding": "gzip"}),
        OddAnswer(204),
        OddAnswer(206, parts=[b"[]"]),
    ],
)
def test_half_an_answer_is_none(session: FeedSession, source: HttpSource, provide: Provide, answer: OddAnswer) -> None:
    odd = provide(lambda _: answer)
    with pytest.raises(Unavailable):
        source.get(session, odd.url)


def test_an_answer_may_be_packed(session: FeedSession, source: HttpSource, provide: Provide) -> None:
    body = b"[" + b"1," * 100_000 + b"1]"
    packed = provide(lambda _: OddAnswer(parts=[gzip.compress(body)], headers={"Content-Encoding": "gzip"}))
    assert source.get(session, packed.url) == body


@pytest.mark.parametrize("header", ["Age", "X-Left"])
def test_a_header_of_many_digits_is_no_number(
    session: FeedSession, source: HttpSource, provide: Provide, header: str
) -> None:
    odd = provide(lambda _: OddAnswer(parts=[b"[]"], headers={header: "9" * 5_000, "Cache-Control": "max-age=1"}))
    assert source.get(session, odd.url, quota_header="X-Left") == b"[]"
