"""A job's time-out is no bug of what the job was at: nothing is set aside, and it ends the job."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from rq.timeouts import JobTimeoutException
from rq.worker import WorkerStatus

from db.domain import Event, Side, Stamp, Update
from db.domain.errors import Unavailable
from db.live.client import connect
from db.live.matches import Matches
from db.sql.history import History
from tests.conftest import RedisServer, wait_until
from workers.boot import WorkerServices
from workers.history import write_batch
from workers.ingest import Drain, drain_pending
from workers.worker import LISTEN_S, JobWorker

NOW = 1_700_000_000_000


def goal(match_id: str) -> Update:
    stamp = Stamp(NOW, source="generic")
    event = Event("g1", "goal", stamp, since=stamp, team=Side.HOME, minute=1, created_at=NOW)
    return Update(match_id, stamp, NOW, event=event)


def drain(services: WorkerServices) -> Drain:
    return Drain(services.live, services.bells)


def never_ends(*_args: Any, **_options: Any) -> Any:
    for _ in itertools.count():
        time.sleep(0.001)


def drain_of(services: WorkerServices, match_id: str) -> None:
    drain_pending(drain(services), services.live.sharded.of(match_id).number)


def times_out(*_args: Any, **_options: Any) -> Any:
    raise JobTimeoutException


def test_a_time_out_amid_a_drain_parks_no_match(services: WorkerServices, monkeypatch: pytest.MonkeyPatch) -> None:
    services.live.inbox.accept([goal("a")], now_ms=NOW)
    with monkeypatch.context() as patch, pytest.raises(BaseException, match="exceeded") as ended:  # noqa: PT012
        patch.setattr(Matches, "load", never_ends)
        with JobWorker.death_penalty_class(0.2, JobTimeoutException, job_id="1"):
            drain_of(services, "a")
    assert not isinstance(ended.value, Exception), "any handler of bugs would take it for one"
    assert services.live.inbox.parked() == 0
    drain_of(services, "a")
    assert services.live.inbox.backlog() == 0


def test_the_time_out_of_a_worker_that_is_not_ours_parks_no_match(
    services: WorkerServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.live.inbox.accept([goal("a")], now_ms=NOW)
    monkeypatch.setattr(Matches, "load", times_out)
    with pytest.raises(JobTimeoutException):
        drain_of(services, "a")
    assert (services.live.inbox.parked(), services.live.inbox.backlog()) == (0, 1)


def test_a_time_out_amid_history_parks_no_match(services: WorkerServices, monkeypatch: pytest.MonkeyPatch) -> None:
    services.live.inbox.accept([goal("a")], now_ms=NOW)
    drain(services).match("a")
    monkeypatch.setattr(History, "write", times_out)
    with pytest.raises(JobTimeoutException):
        write_batch(services.live, services.history)
    assert (services.live.outbox.parked(), services.live.outbox.pending(10)) == (0, ["a"])


@pytest.fixture
def signal_handlers() -> Iterator[None]:
    """A worker takes those of its process."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signal_handlers")
def test_a_worker_whose_job_timed_out_uses_none_of_its_connections_again(services: WorkerServices) -> None:
    """The job may have been cut off between a command and its answer."""
    worker = JobWorker(["ingest"], connect(services.settings.queue_url))
    services.bells.queues["ingest"].enqueue(never_ends, job_timeout=1)
    assert worker.work(logging_level="CRITICAL", max_idle_time=30), "it ends by itself, after that one job"
    assert worker.get_state() != WorkerStatus.BUSY
    assert worker._stop_requested


# Where the other side hangs.


@pytest.fixture
def hung(tmp_path: Path) -> Iterator[Callable[[], RedisServer]]:
    """A Redis that, once called, hears and does not answer."""
    server = RedisServer(tmp_path)
    server.start()
    assert server.process
    pid = server.process.pid

    def hang() -> RedisServer:
        os.kill(pid, signal.SIGSTOP)
        return server

    hang.server = server  # type: ignore[attr-defined]
    yield hang
    os.kill(pid, signal.SIGCONT)
    server.stop()


def ends(call: Callable[[], object]) -> object:
    """What the call raised or returned, if it came to an end."""
    ended: list[object] = []

    def run() -> None:
        try:
            ended.append(call())
        except (Unavailable, redis.RedisError) as error:
            ended.append(error)

    threading.Thread(target=run, daemon=True).start()
    wait_until(lambda: ended, "the call's end")
    return ended[0]


def test_the_bells_of_a_worker_give_up_on_a_redis_that_hangs(hung: Any, make_services: Any, sqlite_url: str) -> None:
    services = make_services(sqlite_url, redis_url=hung.server.url, rq_redis_url=hung.server.url)
    assert services.bells.waiting() == 0
    hung()
    assert isinstance(ends(services.bells.waiting), Unavailable)


def test_a_worker_that_waits_for_jobs_gives_up_on_a_redis_that_hangs(
    hung: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RQ lets the pop wait for 405 seconds, and an answer ten more."""
    monkeypatch.setattr("workers.worker.LISTEN_S", 1)
    client = connect(hung.server.url)
    worker = JobWorker(["ingest"], client)
    wait_s = client.connection_pool.connection_kwargs["socket_timeout"]
    assert worker.dequeue_timeout == 1
    assert wait_s == worker.dequeue_timeout + 10
    assert LISTEN_S + 10 <= 30
    hung()
    popped = ends(lambda: client.blpop(["rq:queue:ingest"], worker.dequeue_timeout))
    assert isinstance(popped, redis.TimeoutError)
