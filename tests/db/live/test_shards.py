"""The number of ingest shards belongs to a Redis: a process that was given another is not started."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from db.domain import Stamp, Status, Update
from db.domain.errors import Refused, Unavailable
from db.live import keys
from db.live.client import connect
from db.live.store import LiveStore
from dev.system import free_port
from tests.conftest import ROOT
from workers import ingest
from workers.boot import WorkerServices
from workers.clock import Clock

NOW = 1_700_000_000_000


def kick_off(match_id: str) -> Update:
    return Update(match_id, Stamp(NOW), NOW, status=Status.FIRST_HALF)


def in_shard(shard: int, shards: int) -> str:
    return next(f"m{n}" for n in range(100) if keys.shard_of(f"m{n}", shards) == shard)


def run(redis_url: str, *args: str, shards: int, tmp_path: Any) -> subprocess.CompletedProcess[str]:
    env = os.environ | {
        "REDIS_URL": redis_url,
        "DATABASE_URL": f"sqlite:///{tmp_path}/scores.db",
        "INGEST_SHARDS": str(shards),
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
        LiveStore(client, 4).inbox.accept([kick_off("a")], now_ms=NOW)
        ended = run(redis_url, *process, shards=1, tmp_path=tmp_path)
        assert ended.returncode != 0
        assert (
            "set INGEST_SHARDS=4, or let everything be applied and run `flask --app wsgi ingest shards 1`"
            in ended.stderr
        )
        assert "Traceback" not in ended.stderr
        assert client.get(keys.SHARDS) == b"4"


def test_what_is_accepted_goes_into_the_shards_that_are_drained(redis_url: str) -> None:
    """A process that was started while Redis was away, or before the number was changed."""
    with connect(redis_url) as client:
        LiveStore(client, 4).inbox.accept([kick_off("a")], now_ms=NOW)
        with pytest.raises(Unavailable, match="set INGEST_SHARDS=4"):
            LiveStore(client, 1).inbox.accept([kick_off("b")], now_ms=NOW, delivery="generic:1")
        assert not client.exists(keys.inbox("b"), keys.seen("generic", "1"))
        assert LiveStore(client, 4).inbox.accept([kick_off("b")], now_ms=NOW, delivery="generic:1")[0]


def test_a_worker_that_knows_another_number_takes_no_job(
    make_services: Callable[..., WorkerServices],
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would look for the match in the wrong shard, find it there for ever, and ring for itself without end."""
    now = make_services(sqlite_url, ingest_shards=4)
    match_id = in_shard(3, 4)
    now.live.inbox.accept([kick_off(match_id)], now_ms=NOW)
    before = make_services(sqlite_url, ingest_shards=1)
    monkeypatch.setattr(ingest, "services", lambda: before)
    with pytest.raises(Refused, match="INGEST_SHARDS"):
        ingest.drain_shard(3)
    assert now.live.inbox.pending(3) == [match_id]
    monkeypatch.setattr(ingest, "services", lambda: now)
    ingest._drain.cache_clear()
    ingest.drain_shard(3)
    ingest._drain.cache_clear()
    assert now.live.inbox.backlog() == 0


def test_a_clock_that_knows_another_number_ends(make_services: Callable[..., WorkerServices], sqlite_url: str) -> None:
    clock = Clock(make_services(sqlite_url, ingest_shards=1))
    clock.tick(NOW)
    clock.services.live.redis.set(keys.SHARDS, 2)
    with pytest.raises(Refused, match="set INGEST_SHARDS=2"):
        clock.tick(NOW)


def test_a_redis_that_lost_everything_is_recorded_anew(services: WorkerServices) -> None:
    clock = Clock(services)
    clock.tick(NOW)
    services.live.redis.flushall()
    clock.tick(NOW)
    assert services.shards.recorded() == 1
