"""A Redis that was started anew, restored from an older copy, failed over or emptied is brought level with SQL."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa

from db.domain import Event, Match, Score, Side, Stamp, Status, Update
from db.live import keys
from db.live.lineage import Lineage
from db.live.partials import Partials
from db.live.sharding import ShardedRedis
from db.sql.history import History
from db.sql.models import MatchRow
from db.sql.session import begin
from tests.conftest import RedisServer, wait_until
from tests.support.live import key_of
from workers import reconcile as reconcile_module
from workers.boot import WorkerServices
from workers.clock import Clock
from workers.history import drain_pending, write_batch
from workers.ingest import Drain
from workers.ingest import drain_pending as drain_inboxes
from workers.reconcile import reconcile

NOW = 1_700_000_000_000


class Copied(RedisServer):
    """A Redis of which a copy may be kept, to be restored later."""

    def copy(self) -> None:
        shutil.copytree(self.folder / "appendonlydir", self.folder.parent / "copy")

    def restore(self) -> None:
        self.kill()
        shutil.rmtree(self.folder / "appendonlydir")
        shutil.copytree(self.folder.parent / "copy", self.folder / "appendonlydir")
        self.start()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Copied]:
    folder = tmp_path / "redis"
    folder.mkdir()
    server = Copied(folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def world(make_services: Callable[..., WorkerServices], database_url: str, server: Copied) -> WorkerServices:
    return make_services(database_url, redis_url=server.url, live_shards=1)


def goal(match_id: str, n: int, status: Status | None = None) -> Update:
    stamp = Stamp(NOW + n * 1_000, source="generic")
    event = Event(f"g{n}", "goal", stamp, since=stamp, team=Side.HOME, minute=n, created_at=NOW)
    return Update(match_id, stamp, NOW, event=event, status=status)


def play(services: WorkerServices, *updates: Update) -> None:
    services.live.inbox.accept(updates, now_ms=NOW)
    drain = Drain(services.live, services.bells)
    for match_id in dict.fromkeys(update.match_id for update in updates):
        drain.match(match_id)


def write(services: WorkerServices) -> None:
    drain_pending(services.live, services.history, services.bells)


def present(services: WorkerServices, match_id: str) -> Match:
    match = services.live.matches.timeline(match_id)
    assert match
    return match


def assert_level(services: WorkerServices, match_id: str, score: int) -> None:
    match = present(services, match_id)
    assert (match.score, len(match.timeline)) == (Score(score, 0), score)
    assert services.history.match(match_id) == match


def test_a_redis_restored_from_an_older_copy_knows_again_what_sql_knows(world: WorkerServices, server: Copied) -> None:
    """Some of its mailboxes hold again what was applied and written long ago."""
    play(world, goal("idle", 1), goal("goes-on", 1), goal("lagged", 1))
    write(world)
    play(world, goal("lagged", 2))
    world.live.inbox.accept([goal("unapplied", 1)], now_ms=NOW)
    server.copy()
    play(world, *(goal(match_id, n) for match_id in ("idle", "goes-on", "lagged", "unapplied") for n in (1, 2, 3)))
    play(world, goal("since", 1))
    write(world)
    before = present(world, "idle")
    server.restore()
    assert present(world, "idle").score == Score(1, 0)
    play(world, goal("goes-on", 4))
    drain_inboxes(Drain(world.live, world.bells), 0)
    write(world)
    assert present(world, "idle").version > before.version, "readers hold that of before"
    for match_id, score in {"idle": 3, "goes-on": 4, "lagged": 3, "unapplied": 3, "since": 1}.items():
        assert_level(world, match_id, score)
    assert (Partials(world.live.sharded).count(), world.live.outbox.waiting_since()) == (0, None)
    assert {match.id for match in world.live.board.read().matches} == {
        "idle",
        "goes-on",
        "lagged",
        "unapplied",
        "since",
    }


def test_a_finished_match_that_is_live_in_the_copy_is_finished_again(world: WorkerServices, server: Copied) -> None:
    play(world, goal("a", 1))
    write(world)
    server.copy()
    play(world, goal("a", 2, Status.FINISHED))
    write(world)
    server.restore()
    assert [match.id for match in world.live.board.read().matches] == ["a"]
    Clock(world).tick(NOW)
    write(world)
    assert (present(world, "a").status, world.live.board.read().matches) == (Status.FINISHED, ())


def test_a_redis_that_lost_a_second_of_what_sql_has_is_merged_though_its_version_is_higher(
    world: WorkerServices, server: Copied
) -> None:
    play(world, goal("a", 1))
    write(world)
    server.copy()
    play(world, goal("a", 2))
    write(world)
    stored = world.history.match("a")
    server.restore()
    play(world, goal("a", 3))
    assert stored
    assert present(world, "a").version > stored.version
    write(world)
    assert_level(world, "a", 3)


def test_nothing_is_written_from_a_redis_that_was_restored_amid_the_batch(
    world: WorkerServices, server: Copied, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(world, goal("a", 1))
    write(world)
    server.copy()
    play(world, goal("a", 2))
    write(world)
    ledgers = type(world.live.matches).ledgers

    def restored(*args: Any) -> Any:
        monkeypatch.undo()
        server.restore()
        play(world, goal("a", 3))
        return ledgers(*args)

    play(world, goal("other", 1))
    monkeypatch.setattr(type(world.live.matches), "ledgers", restored)
    assert write_batch(world.live, world.history) == 0
    write(world)
    assert_level(world, "a", 3)


def test_followers_hear_only_of_what_came_since(world: WorkerServices, server: Copied) -> None:
    play(world, goal("a", 1))
    write(world)
    server.copy()
    play(world, goal("a", 2))
    write(world)
    server.restore()
    world.live.redis.delete(key_of(world.live, "a", keys.push))
    Clock(world).tick(NOW)
    play(world, goal("a", 3))
    assert not world.live.redis.exists(key_of(world.live, "a", keys.push))
    write(world)
    [(_, fields)] = world.live.redis.xrange(key_of(world.live, "a", keys.push))
    assert b'"added","event_id":"g3"' in fields[b"facts"]
    assert b'"g2"' not in fields[b"facts"]


def test_a_restart_that_lost_nothing_changes_nothing(world: WorkerServices, server: Copied) -> None:
    play(world, goal("a", 1), goal("b", 1))
    write(world)
    play(world, goal("a", 2))
    before = present(world, "a")
    server.kill()
    server.start()
    write(world)
    assert present(world, "a") == before
    assert_level(world, "a", 2)


def test_another_redis_is_known_by_its_name(server: Copied, tmp_path: Path) -> None:
    other = RedisServer(tmp_path)
    other.start()
    try:
        with closing(redis.Redis(port=server.port)) as client, closing(redis.Redis(port=other.port)) as new:
            lineage, lineage_of_new = Lineage(ShardedRedis(client, 2)), Lineage(ShardedRedis(new, 2))
            names, recorded = lineage.read()
            assert recorded == ("", "")
            lineage.record(names)
            assert lineage.read() == (names, names)
            client.config_set("repl-diskless-sync-delay", 0)
            new.replicaof("127.0.0.1", server.port)
            wait_until(lambda: new.info("replication")["master_link_status"] == "up", "the replica")
            new.replicaof("NO", "ONE")
            promoted, recorded = lineage_of_new.read()
            assert recorded == names != promoted
            client.replicaof("127.0.0.1", other.port)
            wait_until(lambda: client.info("replication")["master_link_status"] == "up", "the old master")
            client.replicaof("NO", "ONE")
            assert lineage.read()[0] not in (names, promoted)
    finally:
        # One that has just been a master waits for its replicas when it is told to end.
        other.kill()


@pytest.fixture
def services(make_services: Callable[..., WorkerServices], sqlite_url: str) -> WorkerServices:
    return make_services(sqlite_url)


def test_many_matches_are_compared_page_by_page(services: WorkerServices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile_module, "PAGE", 2)
    ids = [f"m{n}" for n in range(5)]
    play(services, *(goal(match_id, 1) for match_id in ids))
    write(services)
    with begin(services.history.engine) as session:
        session.execute(sa.update(MatchRow).values(version=MatchRow.version + 1_000_000))
    services.live.sharded.each(lambda pipe, shard: pipe.set(shard.key(keys.FILLED), "another"))
    services.live.redis.delete(key_of(services.live, "m4", keys.state))
    reconcile(services.live, services.history, now_ms=NOW)
    assert sorted(Partials(services.live.sharded).due(2**53, 10)) == ids[:4]
    assert {match.id for match in services.live.board.read().matches} == set(ids)


def test_a_redis_that_was_compared_costs_sql_nothing(services: WorkerServices, monkeypatch: pytest.MonkeyPatch) -> None:
    reconcile(services.live, services.history, now_ms=NOW)
    monkeypatch.setattr(History, "recent", lambda *_args, **_options: pytest.fail("SQL was asked"))
    reconcile(services.live, services.history, now_ms=NOW)
