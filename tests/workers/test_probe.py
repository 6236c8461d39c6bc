"""What the probe sees through the edge, and what it says when it sees nothing."""

from __future__ import annotations

import itertools
import json
import logging
import threading
import time
from collections.abc import Iterator

import pytest

from cdn import keys
from cdn.backends.base import Outcome, refused
from cdn.backends.null import NullBackend
from cdn.headers import dialect
from db.live import metrics
from db.live.client import connect
from db.live.pubsub import ChangeFeed
from tests.conftest import wait_until
from tests.support.edge import Asked, Origin, Reply
from workers import probe
from workers.probe import Probe, check_at_start
from workers.worker import order_for


@pytest.fixture
def edge() -> Iterator[Origin]:
    """Stands for all that is between the probe and the service."""
    origin = Origin()
    origin.start()
    yield origin
    origin.stop()


@pytest.fixture(autouse=True)
def fresh_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_local", metrics._Local())


def counted(name: str) -> float:
    return sum(n for (metric, _, part), n in metrics._local.totals.items() if metric == name and part != "sum")


def shows(*versions: int) -> Iterator[Reply]:
    """One version a request, the last for ever."""
    return (
        Reply(json.dumps({"version": v}).encode()) for v in itertools.chain(versions, itertools.repeat(versions[-1]))
    )


def probe_of(edge: Origin, redis_url: str = "redis://127.0.0.1:1/0") -> Probe:
    return Probe(lambda: ChangeFeed(redis_url), f"http://127.0.0.1:{edge.port}/", threading.Event())


def test_a_version_is_seen_when_the_edge_shows_it_or_a_later_one(edge: Origin) -> None:
    now = time.time_ns() // 1_000_000
    answers = shows(now - 9_000, now - 9_000, now + 5)
    edge.replies["/api/score/sr%3Amatch%3A1"] = lambda _: next(answers)
    seen_s = probe_of(edge).see("sr:match:1", now)
    assert seen_s is not None
    assert counted("edge_visible_seconds") == 1
    assert len(edge.asked) == 3


def test_failures_and_nonsense_are_looked_past(edge: Origin) -> None:
    now = time.time_ns() // 1_000_000
    answers = iter([Reply(b"busy", status=503), Reply(b"<html>"), Reply(b"[]"), Reply(b'{"version":null}')])
    edge.replies["/api/score/m"] = lambda _: next(answers, Reply(json.dumps({"version": now}).encode()))
    assert probe_of(edge).see("m", now) is not None
    assert len(edge.asked) == 5


def test_what_never_comes_is_counted_and_said(
    edge: Origin, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(probe, "GIVE_UP_S", 0.2)
    edge.replies["/api/score/m"] = lambda _: Reply(b'{"version":1}')
    with caplog.at_level(logging.ERROR):
        assert probe_of(edge).see("m", 2) is None
    assert counted("edge_unseen_total") == 1
    assert "edge_unseen match=m version=2" in caplog.text


def test_it_hears_of_changes_and_looks_at_the_newest(edge: Origin, redis_url: str) -> None:
    now = time.time_ns() // 1_000_000
    edge.replies["/api/score/m"] = lambda _: Reply(json.dumps({"version": now + 60_000}).encode())
    client, watching = connect(redis_url), probe_of(edge, redis_url)
    watching.start()
    try:

        def told_and_seen() -> bool:
            client.publish("scores:changed", f"m {now} 0 1")
            return counted("edge_visible_seconds") >= 1

        wait_until(told_and_seen, "the figure")
    finally:
        watching.stopping.set()
        watching.join(timeout=60)
        client.close()


def test_it_outlives_a_redis_that_is_away(edge: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "EVERY_S", 0.05)
    watching = probe_of(edge)
    watching.start()
    assert not watching.stopping.wait(0.5)
    assert watching.is_alive()
    watching.stopping.set()
    watching.join(timeout=60)


class TestTheCheckAtTheStart:
    @pytest.fixture(autouse=True)
    def at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(probe, "SETTLE_S", 0.0)

    def line(self, edge: Origin, cdn: NullBackend, caplog: pytest.LogCaptureFixture) -> str:
        nonce = itertools.count()
        kept: dict[str, str] = {}

        def canary(_: Asked) -> Reply:
            body = kept.setdefault("now", f'{{"nonce":"{next(nonce)}"}}')
            return Reply(body.encode())

        edge.replies |= dict.fromkeys(("/api/edge/canary", "/api/edge/canary/control"), canary)
        with caplog.at_level(logging.INFO):
            check_at_start(f"http://127.0.0.1:{edge.port}", cdn, dialect("fastly"), threading.Event())
        return caplog.text

    def test_a_sound_edge_is_said_to_be_sound(self, edge: Origin, caplog: pytest.LogCaptureFixture) -> None:
        assert "edge_sound" in self.line(edge, NullBackend(), caplog)

    def test_a_wrong_token_is_an_error_with_its_name(self, edge: Origin, caplog: pytest.LogCaptureFixture) -> None:
        class Wrong(NullBackend):
            name = "fastly"

            def purge(self, names: object, *, soft: bool) -> Outcome:
                assert names == [keys.CANARY]
                return refused("the credentials are wrong or may not purge (401)")

        line = self.line(edge, Wrong(), caplog)
        assert "edge_unsound" in line
        assert "FASTLY_API_TOKEN" in line


def test_scores_and_purges_have_workers_of_their_own() -> None:
    assert [order_for(index, 3)[0] for index in range(3)] == ["ingest", "purge", "push"]
    assert order_for(0, 3) == ("ingest",)
    assert order_for(1, 3) == ("purge",)
    assert order_for(1, 2)[0] == "purge"


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_every_queue_has_a_worker(count: int) -> None:
    taken = {queue for index in range(count) for queue in order_for(index, count)}
    assert taken == {"ingest", "purge", "push", "history", "pictures"}


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_pictures_are_drawn_when_there_is_nothing_else_to_do(count: int) -> None:
    places = [order_for(index, count) for index in range(count)]
    assert {queues[-1] for queues in places if "pictures" in queues} == {"pictures"}
