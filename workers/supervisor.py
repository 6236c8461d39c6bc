"""The job workers of one dyno, long-lived so that Redis, HTTP and SQL connections stay warm, and who keeps them up."""

from __future__ import annotations

import gc
import importlib
import logging
import multiprocessing
import sys
import threading
from collections.abc import Iterable, Sequence
from typing import Any

import redis
import rq
from rq.job import Job
from rq.timeouts import TimerDeathPenalty

from config import Settings, set_up_logs
from db.connection import connect
from db.metrics import Reporter
from workers import boot, queues

logger = logging.getLogger(__name__)

JOBS = {
    queues.INGEST: "workers.ingest",
    queues.PURGE: "workers.purge",
    queues.PUSH: "workers.push",
    queues.HISTORY: "workers.history",
}
# A worker that dies at once, dies again: a second between starts keeps the log readable.
RESTART_S = 1.0
# A worker waits so long for a job before it shows that it lives and waits again. RQ gives an answer ten seconds more,
# so after twice this a host that says nothing is given up (`rq.worker.base`: dequeue_timeout is the worker's TTL less
# 15, connection_timeout that and 10). RQ's own figures are 405 and 415.
LISTEN_S = 10
# Objects more than are freed until Python looks for cycles. Working out one score makes hundreds that live for a
# millisecond, so at its own 700 it looks in the middle of each and takes them for old: in 6,400 drains of 246 matches
# that was 690 ms with pauses of 146 ms, at 50,000 it is 40 ms with pauses of 16 ms. What cycles hold until then is a
# few megabytes.
YOUNG_MOST = 50_000


def order_for(index: int, count: int) -> tuple[str, ...]:
    """The queues a worker listens on, first come first.

    The first worker is for scores alone, so that no CDN, phone or database keeps one waiting; of three or more the
    second is for purges alone, and it alone for purges: a CDN's budget and its Retry-After are kept in one process. The
    others take scores last, so that a stream of them never starves the rest. A worker by itself takes everything.
    """
    others = (queues.PURGE, queues.PUSH, queues.HISTORY)
    if count == 1:
        return (queues.INGEST, *others)
    if index == 0:
        return (queues.INGEST,)
    if index == 1 and count > 2:
        return (queues.PURGE,)
    return (*(others[1:] if count > 2 else others), queues.INGEST)


class JobTimedOut(BaseException):
    """RQ's time-out of a job. Like KeyboardInterrupt it can arrive at any line, and no handler of bugs, ours or a
    library's, may take it for one."""


class Deadline(TimerDeathPenalty):
    """A timer, for the signal-based one of RQ cannot interrupt a C call any better and costs a syscall."""

    def __init__(self, timeout: int, exception: type[BaseException], **given: Any) -> None:  # noqa: ARG002
        super().__init__(timeout, JobTimedOut, **given)  # type: ignore[no-untyped-call]


class Worker(rq.SimpleWorker):
    """Works in its own process without a fork per job: 5 ms a job instead of 18 (docs/decisions/0004)."""

    death_penalty_class = Deadline
    # RQ would wait up to a minute for a Redis that is long back.
    max_connection_wait_time = 1.0

    def __init__(self, names: Sequence[str], connection: redis.Redis) -> None:
        super().__init__(list(names), connection=connection, worker_ttl=LISTEN_S + 15)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """A time-out may have cut a command off from its answer, on any connection: none of them is used again."""
        super().handle_exception(job, *exc_info)
        if issubclass(exc_info[0], JobTimedOut):
            logger.error("job_timed_out job=%s", job.description)
            self._stop_requested = True


def work(settings: Settings, index: int) -> None:
    set_up_logs(settings.log_level)
    names = order_for(index, settings.worker_processes)
    boot.serve(names)
    boot.begin()
    worker = Worker(names, connect(settings.queue_url))
    reporter = Reporter(connect(settings.redis_url))
    reporter.start()
    _warm_up(names)
    _spare_collections()
    logger.info("worker_started queues=%s", ",".join(names))
    try:
        worker.work(logging_level="WARNING", with_scheduler=False)
    except redis.RedisError as error:
        # RQ gives up where Redis is away for longer than its client's retries: whoever keeps us up starts us again.
        logger.warning("worker_lost_redis reason=%r", str(error))
        sys.exit(1)
    finally:
        reporter.stop()


def _warm_up(names: Iterable[str]) -> None:
    """Import what the jobs need before the first one comes: it is a second on a busy machine, and that job may be a
    goal."""
    for name in names:
        importlib.import_module(JOBS[name])


def _spare_collections() -> None:
    """What is imported stays. Each full collection would look through its 118,000 objects while a goal waits: 58 to
    81 ms on two busy cores."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MOST)


class Supervisor:
    """Keeps workers running, and ends them when told to: each finishes the job in hand."""

    def __init__(self, settings: Settings, indexes: Iterable[int]) -> None:
        self.settings = settings
        self.indexes = indexes
        self.stopping = threading.Event()
        self.context = multiprocessing.get_context("spawn")

    def _start(self, index: int) -> multiprocessing.process.BaseProcess:
        child = self.context.Process(target=work, args=(self.settings, index), name=f"worker-{index}", daemon=True)
        child.start()
        return child

    def run(self) -> None:
        children = {index: self._start(index) for index in self.indexes}
        while not self.stopping.wait(RESTART_S):
            for index, child in children.items():
                if not child.is_alive():
                    logger.error("worker_died index=%d exit=%s", index, child.exitcode)
                    children[index] = self._start(index)
        for child in children.values():
            child.terminate()
        for child in children.values():
            child.join(timeout=20)
