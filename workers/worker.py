"""A job worker: long-lived, so that its connections stay warm."""

from __future__ import annotations

import gc
import importlib
import logging
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import redis
import rq
from rq.job import Job
from rq.timeouts import TimerDeathPenalty

from config import Settings, set_up_logs
from db.live.client import connect
from db.live.metrics import Reporter
from db.sql.session import load
from workers import boot, queues
from workers.jobs import NamedJob

logger = logging.getLogger(__name__)

# Modules to import before the first job of a queue.
MODULES = {
    queues.INGEST: "workers.ingest",
    queues.PURGE: "workers.purge",
    queues.PUSH: "workers.push.job",
    queues.HISTORY: "workers.history",
    queues.PICTURES: "workers.pictures",
}
# Blocking wait for a job before the worker sends a heartbeat. RQ allows ten seconds more for the answer, so a dead host
# is given up after twice this (`rq.worker.base`: dequeue_timeout is worker_ttl - 15, connection_timeout is that + 10).
# RQ's defaults are 405 and 415.
LISTEN_S = 10
# Objects more than are freed until Python looks for cycles. Working out one score makes hundreds that live for a
# millisecond, so at its own 700 it looks in the middle of each and takes them for old: in 6,400 drains of 246 matches
# that was 690 ms with pauses of 146 ms, at 50,000 it is 40 ms with pauses of 16 ms. What cycles hold until then is a
# few megabytes.
YOUNG_MAX = 50_000


def order_for(index: int, count: int) -> tuple[str, ...]:
    """The queues a worker listens on, by priority.

    The first worker takes scores only, so that no CDN, phone or database delays one. Of three or more workers, the
    second takes purges only and alone: the CDN's budget and Retry-After live in one process. The others take scores
    after the rest, so that a stream of them never starves it, and draw pictures when there is nothing else. A single
    worker takes everything.
    """
    others = (queues.PURGE, queues.PUSH, queues.HISTORY)
    if count == 1:
        return (queues.INGEST, *others, queues.PICTURES)
    if index == 0:
        return (queues.INGEST,)
    if index == 1 and count > 2:
        return (queues.PURGE,)
    return (*(others[1:] if count > 2 else others), queues.INGEST, queues.PICTURES)


class JobTimedOut(BaseException):
    """RQ's job time-out. It can arrive at any line, so like KeyboardInterrupt it must bypass `except Exception`."""


class Deadline(TimerDeathPenalty):
    """Timer-based: RQ's signal-based one cannot interrupt a C call either and costs a system call."""

    def __init__(self, timeout: int, exception: type[BaseException], **given: Any) -> None:  # noqa: ARG002
        super().__init__(timeout, JobTimedOut, **given)  # type: ignore[no-untyped-call]


class JobWorker(rq.SimpleWorker):
    """Runs jobs in its own process, without a fork per job: 5 ms a job instead of 18 (docs/decisions/0004)."""

    death_penalty_class = Deadline
    job_class = NamedJob
    # RQ's default may wait up to a minute after Redis is back.
    max_connection_wait_time = 1.0

    def __init__(self, names: Sequence[str], connection: redis.Redis) -> None:
        super().__init__(list(names), connection=connection, worker_ttl=LISTEN_S + 15)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """A time-out may have left any connection with an unread answer, so the worker process ends."""
        super().handle_exception(job, *exc_info)
        if issubclass(exc_info[0], JobTimedOut):
            logger.error("job_timed_out job=%s", job.description)
            self._stop_requested = True


def work(settings: Settings, index: int) -> None:
    set_up_logs(settings.log_level)
    names = order_for(index, settings.worker_processes)
    boot.serve(names)
    boot.begin()
    worker = JobWorker(names, connect(settings.queue_url))
    reporter = Reporter(connect(settings.figures_url))
    reporter.start()
    _warm_up(names, settings)
    _spare_collections()
    logger.info("worker_started queues=%s", ",".join(names))
    try:
        worker.work(logging_level="WARNING", with_scheduler=False)
    except redis.RedisError as error:
        # RQ gives up when Redis is away for longer than the client's retries. The supervisor restarts the worker.
        logger.warning("worker_lost_redis reason=%r", str(error))
        sys.exit(1)
    finally:
        reporter.stop()


def _warm_up(names: Iterable[str], settings: Settings) -> None:
    """Import the job modules early, and SQL's driver: it takes a second on a busy machine, and the first job may be a
    goal."""
    for name in names:
        importlib.import_module(MODULES[name])
    load(settings.sql_url)


def _spare_collections() -> None:
    """What is imported stays. Each full collection would look through its 118,000 objects while a goal waits: 58 to
    81 ms on two busy cores."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX)
    gc.enable()
