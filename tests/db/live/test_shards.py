"""Shards: what belongs to one is in one slot, and their number belongs to a Redis."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from redis.crc import key_slot

from db.domain import Stamp, Status, Update
from db.domain.errors import Refused, Unavailable
from db.live import keys
from db.live.client import connect
from db.live.sharding import SHARDS_MAX, tags
from db.live.store import LiveStore
from dev.system import free_port
from tests.conftest import ROOT
from tests.support.layouts import Layout
from tests.support.live import key_of
from workers import ingest
from workers.boot import WorkerServices
from workers.clock import Clock, housekeep

NOW = 1_700_000_000_000


def kick_off(match_id: str) -> Update:
    return Update(match_id, Stamp(NOW), NOW, status=Status.FIRST_HALF)


def in_shard(live: LiveStore, number: int) -> str:
    return next(f"m{n}" for n in range(1_000) if live.sharded.of(f"m{n}").number == number)


@pytest.mark.parametrize("count", [2, 3, 6, 16, SHARDS_MAX])
def test_equal_masters_get_equal_numbers_of_shards(count: int) -> None:
    """A master of n has the slots from its n-th part to the next, which `redis-cli --cluster create` rounds."""
    for masters in (1, 2, 3, count):
        shares = Counter(key_slot(tag.encode()) * masters // 16_384 for tag in tags(count))
        assert max(shares.values()) - min(shares[master] for master in range(masters)) <= 1


def test_all_keys_of_a_shard_are_in_one_slot() -> None:
    for tag in tags(16):
        names = [keys.state("a"), keys.inbox("{b}"), keys.BOARD, keys.alert("a-1-goals"), keys.seen("generic", "{x}")]
        assert len({key_slot(f"{tag}{name}".encode()) for name in names}) == 1


def test_one_shard_has_the_names_of_the_release_before() -> None:
    assert tags(1) == ("",)
    assert [keys.state("a"), keys.pending(0), keys.bell(0)] == ["match:{a}:state", "ingest:0:pending", "bell:ingest:0"]


@pytest.mark.parametrize(
    ("name", "match_id"),
    [
        ("a-1764500000000-goal", "a"),
        ("a-1764500000000-goal-red_card", "a"),
        ("a-b-1764500000000-reminder-1764600000000", "a-b"),
        ("a-1764500000000-cancelled0", "a"),
        ("a-1764500000000-1764600000000-goals", "a-1764500000000"),
        ("cup-2026113012000-final-1764600000000-goals", "cup-2026113012000-final"),
        ("a-1764500000000-goals/3", "a"),
        ("a-1764500000000 12", "a"),
        ("a-1764500000000 12.1", "a"),
        ("sweep-production", "sweep-production"),
    ],
)
def test_the_name_of_an_alert_leads_to_its_match(name: str, match_id: str) -> None:
    assert keys.match_of(name) == match_id


def run(redis_url: str, *args: str, shards: int, tmp_path: Any) -> subprocess.CompletedProcess[str]:
    env = os.environ | {
        "REDIS_URL": redis_url,
        "DATABASE_URL": f"sqlite:///{tmp_path}/scores.db",
        "LIVE_SHARDS": str(shards),
        "PORT": str(free_port()),
        "HOST": "127.0.0.1",
    }
    return subprocess.run(
        [sys.executable, "-m", *args], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "process", [("gunicorn", "wsgi:app"), ("workers",), ("workers.clock",)], ids=lambda args: args[0]
)
def test_a_process_given_another_number_is_not_started(redis_url: str, tmp_path: Any, process: tuple[str, ...]) -> None:
    with connect(redis_url) as client:
        client.set(keys.SHARDS, 4)
        ended = run(redis_url, *process, shards=1, tmp_path=tmp_path)
        assert ended.returncode != 0
        assert "LIVE_SHARDS is 1 here, and this Redis is divided in 4: set LIVE_SHARDS=4." in ended.stderr
        assert "Traceback" not in ended.stderr
        assert client.get(keys.SHARDS) == b"4"


def test_what_is_accepted_goes_into_the_shards_that_are_drained(redis_url: str) -> None:
    """A process that was started while Redis was away, or before the number was changed."""
    with connect(redis_url) as client:
        four, one = LiveStore(client, 4), LiveStore(client, 1)
        client.set(keys.SHARDS, 4)
        with pytest.raises(Unavailable, match="set LIVE_SHARDS=4"):
            one.inbox.accept([kick_off("b")], now_ms=NOW, delivery="generic:1")
        assert client.keys() == [keys.SHARDS.encode()]
        assert four.inbox.accept([kick_off("b")], now_ms=NOW, delivery="generic:1")[0]


def test_a_delivery_for_several_shards_is_taken_once_by_each(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that broke off between two comes again: the one that has it keeps nothing."""
    with connect(redis_url) as client:
        live = LiveStore(client, 4)
        updates = [kick_off(in_shard(live, number)) for number in range(4)]
        accept, calls = live.inbox._accept_group, list[int]()

        def breaks(*args: Any) -> tuple[bool, bool]:
            calls.append(1)
            if len(calls) == 3:
                raise Unavailable("a master has gone")
            return accept(*args)

        with monkeypatch.context() as patch:
            patch.setattr(live.inbox, "_accept_group", breaks)
            with pytest.raises(Unavailable):
                live.inbox.accept(updates, now_ms=NOW, delivery="generic:1")
        assert live.inbox.backlog() == 2
        assert live.inbox.accept(updates, now_ms=NOW, delivery="generic:1") == (True, [2, 3])
        assert live.inbox.accept(updates, now_ms=NOW, delivery="generic:1") == (False, [])
        assert [len(live.inbox.head(update.match_id, 10).ids) for update in updates] == [1, 1, 1, 1]


def test_a_worker_that_knows_another_number_takes_no_job(
    make_services: Callable[..., WorkerServices],
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would look for the match under other keys, and ring for itself without end."""
    now = make_services(sqlite_url, live_shards=4)
    match_id = in_shard(now.live, 3)
    now.live.inbox.accept([kick_off(match_id)], now_ms=NOW)
    now.shards.agree()
    before = make_services(sqlite_url, live_shards=1)
    monkeypatch.setattr(ingest, "services", lambda: before)
    with pytest.raises(Refused, match="LIVE_SHARDS"):
        ingest.drain_shard(0)
    assert now.live.inbox.pending(3) == [match_id]
    monkeypatch.setattr(ingest, "services", lambda: now)
    ingest._drain.cache_clear()
    ingest.drain_shard(3)
    ingest._drain.cache_clear()
    assert now.live.inbox.backlog() == 0


def test_a_clock_that_knows_another_number_ends(make_services: Callable[..., WorkerServices], sqlite_url: str) -> None:
    clock = Clock(make_services(sqlite_url, live_shards=1))
    clock.tick(NOW)
    clock.services.live.redis.set(keys.SHARDS, 2)
    with pytest.raises(Refused, match="set LIVE_SHARDS=2"):
        clock.tick(NOW)


def test_a_redis_that_lost_everything_is_recorded_anew(services: WorkerServices, layout: Layout) -> None:
    clock = Clock(services)
    clock.tick(NOW)
    services.live.redis.flushall()
    clock.tick(NOW)
    assert services.shards.recorded() == layout.shards


def test_what_the_release_before_left_in_its_ingest_shards_is_drained(
    make_services: Callable[..., WorkerServices], sqlite_url: str
) -> None:
    """It divided its inboxes only (INGEST_SHARDS), and other shards than the first are looked into by nobody."""
    services = make_services(sqlite_url, live_shards=1)
    services.live.inbox.accept([kick_off("a")], now_ms=NOW)
    services.live.redis.rename(keys.pending(0), keys.pending(3))
    assert services.live.inbox.pending(0) == []
    housekeep(services, now_ms=NOW)
    assert services.live.inbox.pending(0) == ["a"]
    assert services.live.inbox.head("a", 10).updates == (kick_off("a"),)
    assert not services.live.redis.exists(keys.pending(3))


def test_a_reader_of_the_board_sees_every_shard(redis_url: str) -> None:
    with connect(redis_url) as client:
        live = LiveStore(client, 4)
        for number in range(4):
            client.set(live.sharded.shards[number].key(keys.BOARD), 10**number)
        assert live.board.read().version == 1111
        assert live.matches.versions([None, "nobody"]) == [1111, None]
        assert not client.exists(key_of(live, "nobody", keys.state))
