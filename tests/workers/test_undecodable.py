"""One match that this release cannot read, as after a rollback: left out, told, counted, and no other is stopped."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from api.delivery.hub import Hub
from api.delivery.listener import Listener
from config import Settings
from db import undecodable
from db.domain import Event, Score, Side, Stamp, Status, Update
from db.domain.errors import Undecodable
from db.live import keys
from db.sql.history import MatchFilter
from db.sql.session import begin
from tests.api.conftest import Site, error
from tests.support.layouts import Layout
from tests.support.live import key_of
from workers.boot import WorkerServices
from workers.clock import Clock
from workers.history import write_batch
from workers.ingest import Drain, drain_pending
from workers.reconcile import reconcile

NOW = 1_700_000_000_000


@pytest.fixture(autouse=True)
def nothing_told() -> Iterator[None]:
    undecodable._told.clear()
    yield
    undecodable._told.clear()


def goal(match_id: str, n: int = 1) -> Update:
    stamp = Stamp(NOW + n * 1_000, source="generic")
    event = Event(f"g{n}", "goal", stamp, since=stamp, team=Side.HOME, minute=n, created_at=NOW)
    return Update(match_id, stamp, NOW, event=event, status=Status.SECOND_HALF)


def play(services: Any, *updates: Update) -> None:
    drain = Drain(services.live, services.bells)
    for update in updates:
        services.live.inbox.accept([update], now_ms=NOW)
        drain_pending(drain, services.live.sharded.of(update.match_id).number)


def of_tomorrow(document: str | bytes) -> str:
    return json.dumps(json.loads(document) | {"status": "cooling_break"})


def write_as_tomorrow(services: Any, match_id: str) -> None:
    redis = services.live.sharded.of(match_id).redis
    state = key_of(services.live, match_id, keys.state)
    redis.hset(state, "match", of_tomorrow(redis.hget(state, "match")))


def test_the_board_of_the_others_is_served(services: WorkerServices, caplog: pytest.LogCaptureFixture) -> None:
    play(services, goal("bad"), goal("good"))
    write_as_tomorrow(services, "bad")
    for _ in range(3):
        assert [match.id for match in services.live.board.read().matches] == ["good"]
    lines = [record.getMessage() for record in caplog.records if "match_undecodable" in record.getMessage()]
    assert len(lines) == 1
    assert "match=bad" in lines[0]
    assert "cooling_break" in lines[0]
    assert services.live.matches.undecodable() == 1
    with pytest.raises(Undecodable):
        services.live.matches.read(["good", "bad"])


def test_the_clock_goes_on_and_drops_the_forsaken(services: WorkerServices) -> None:
    play(services, goal("bad"), goal("forsaken"))
    write_as_tomorrow(services, "bad")
    clock = Clock(services)
    clock.tick(2**43)
    assert services.live.redis.zrange(key_of(services.live, "bad", keys.MATCHES), 0, -1) == [b"bad"]
    assert services.live.matches.undecodable() == 1


def test_its_ingest_sets_only_it_aside(services: WorkerServices) -> None:
    play(services, goal("bad"), goal("good"))
    write_as_tomorrow(services, "bad")
    play(services, goal("bad", 2), goal("good", 2))
    assert (services.live.inbox.parked(), services.live.inbox.backlog()) == (1, 1)
    match = services.live.matches.read(["good"])[0]
    assert match
    assert match.score == Score(2, 0)


def test_its_outbox_sets_only_it_aside(services: WorkerServices) -> None:
    play(services, goal("bad"), goal("good"))
    outbox = key_of(services.live, "bad", keys.outbox)
    entry_id, fields = services.live.redis.xrange(outbox)[0]
    services.live.redis.xdel(outbox, entry_id)
    services.live.redis.xadd(outbox, fields | {b"match": of_tomorrow(fields[b"match"])})
    assert write_batch(services.live, services.history) == 1
    assert services.history.match("good")
    assert services.live.outbox.parked() == 1


def test_its_row_hides_no_other_and_keeps_none_from_being_rebuilt(
    make_services: Callable[..., WorkerServices], database_url: str
) -> None:
    services = make_services(database_url)
    play(services, goal("bad"), goal("good"))
    write_batch(services.live, services.history)
    match = services.history.match("bad")
    assert match
    with begin(services.history.engine) as session:
        row = session.execute(text("SELECT document FROM matches WHERE id = 'bad'")).scalar() or "{}"
        session.execute(text("UPDATE matches SET document = :d WHERE id = 'bad'"), {"d": of_tomorrow(row)})
    assert [readable.id for readable in services.history.matches(MatchFilter(), 10)[0]] == ["good"]
    with pytest.raises(Undecodable):
        services.history.match("bad")
    services.live.redis.flushall()
    reconcile(services.live, services.history, now_ms=match.updated_at)
    assert [readable.id for readable in services.live.board.read().matches] == ["good"]


@pytest.fixture
def site(layout: Layout, sqlite_url: str) -> Iterator[Site]:
    settings = {**layout.settings, "database_url": sqlite_url}
    site = Site(Settings(**settings, ingest_secret_generic="whsec_" + "A" * 32, metrics_token="figures"))
    yield site
    site.close()


def test_readers_are_told_and_operators_see_it(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    play(site.services, goal("bad"), goal("good"))
    write_as_tomorrow(site.services, "bad")
    board = site.get("/api/live")
    assert (board.status_code, [match["match_id"] for match in board.get_json()["matches"]]) == (200, ["good"])
    for path in ("/api/score/bad", "/api/score/bad/wait/0.0"):
        answer = site.get(path)
        assert error(answer) == (503, "unavailable"), path
        assert answer.headers["Retry-After"] == "60"
    assert site.get("/api/score/good").status_code == 200
    assert site.get("/readyz").get_json()["live_undecodable"] == 1
    figures = site.get("/metrics", Authorization="Bearer figures").get_data(as_text=True)
    assert "live_undecodable 1.0" in figures
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR and record.exc_info]
    write_as_today(site, "bad")
    assert site.get("/api/score/bad").status_code == 200


def write_as_today(site: Site, match_id: str) -> None:
    redis = site.services.live.sharded.of(match_id).redis
    state = key_of(site.services.live, match_id, keys.state)
    document = json.loads(redis.hget(state, "match")) | {"status": "second_half"}
    redis.hset(state, "match", json.dumps(document))


def test_a_listener_tells_the_readers_of_the_others(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    play(site.services, goal("bad"), goal("good"))
    write_as_tomorrow(site.services, "bad")
    room = Hub(10, lambda _seconds, _action: lambda: None, lambda *_: None)
    listener = Listener(site.services.news, site.services.live, room)
    assert [document.topic for document in listener._read(["bad", "good"]) if document] == ["good"]
    assert not [record for record in caplog.records if record.exc_info]
