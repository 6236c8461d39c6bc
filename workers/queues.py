"""Queue names, job names and doorbells: all of the job system that the web process knows.

A job is a doorbell: the data is in mailboxes in Redis. The clock rings again for a lost doorbell.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import redis
import rq
import rq.job
import rq.results

from db.domain.errors import Refused, Unavailable

logger = logging.getLogger(__name__)

INGEST, PURGE, PUSH, HISTORY, PICTURES = "ingest", "purge", "push", "history", "pictures"
# By priority: viewers wait for the score, the edge for the purge, then phones, then the archive. For a picture nobody
# waits.
ALL = (INGEST, PURGE, PUSH, HISTORY, PICTURES)

# Job names (workers.jobs says which function each runs).
INGEST_SHARD, PURGE_DRAIN, HISTORY_DRAIN = "workers.ingest.drain_shard", "workers.purge.drain", "workers.history.drain"
PUSH_WORK, PREMATCH = "workers.push.work", "workers.lookahead.look"
PICTURES_DRAW = "workers.pictures.draw"
DRY_RUN, TEST_PUSH = "workers.push_test.dry_run", "workers.push_test.send"

# A drain lives for about two seconds (workers.ingest.LIFE_S); a job a minute old hangs.
TIMEOUT_S = 60
# Push jobs that may wait: so many workers can share one fan-out.
PUSH_JOBS_MAX = 8
# Doorbells of the edge, of history and of pictures that may wait: the first job drains all shards, also what was filled
# after it was enqueued.
DRAINS_MAX = 1
# Other doorbells that may wait in one queue. Without workers the clock rings every second: unbounded, that is 86,400
# jobs a day per mailbox. An empty job costs 5 ms; the clock rings again for one that was dropped.
BELLS_MAX = 64


class Doorbells:
    """Rings the workers. Ringing twice costs an empty job, never a wrong score.

    served: the queues of this process, if it is a worker.
    """

    def __init__(self, client: redis.Redis, served: Sequence[str] = ALL) -> None:
        self.client = client
        self.served = served
        self.queues = {name: rq.Queue(name, connection=client) for name in ALL}

    def ingest(self, shard: int) -> None:
        self._ring(INGEST, INGEST_SHARD, shard)

    def history(self) -> None:
        self._ring(HISTORY, HISTORY_DRAIN, limit=DRAINS_MAX)

    def purge(self) -> None:
        self._ring(PURGE, PURGE_DRAIN, limit=DRAINS_MAX)

    def pictures(self) -> None:
        self._ring(PICTURES, PICTURES_DRAW, limit=DRAINS_MAX)

    def push(self) -> None:
        """One job works through everything; more jobs share the work."""
        self._ring(PUSH, PUSH_WORK, limit=PUSH_JOBS_MAX)

    def prematch(self) -> None:
        self._ring(PUSH, PREMATCH)

    def ask(self, job: str, *args: str) -> Callable[[], Any]:
        """Run a job on a worker. The returned function gives its result, None until there is one. Raises Refused if it
        failed."""
        queued = self._enqueue(PUSH, job, *args, result_ttl=60)

        def answer() -> Any:
            result = queued.latest_result()
            if result is not None and result.type is not rq.results.Result.Type.SUCCESSFUL:
                raise Refused(f"The worker failed: {str(result.exc_string).strip().splitlines()[-1]}")
            return result.return_value if result is not None else None

        return answer

    def waiting(self, *names: str) -> int:
        """Jobs not yet taken, in these queues, or in those that this worker serves. A lingering job ends for them."""
        try:
            with self.client.pipeline(transaction=False) as pipe:
                for name in names or self.served:
                    pipe.llen(self.queues[name].key)
                return sum(pipe.execute())
        except redis.RedisError as error:
            raise Unavailable(f"the job queues are out of reach: {type(error).__name__}") from error

    def ahead(self, queue: str) -> int:
        """Waiting jobs that this worker takes before those of `queue`."""
        names = self.served[: self.served.index(queue)] if queue in self.served else ()
        return self.waiting(*names) if names else 0

    def _ring(self, queue: str, job: str, *args: int, limit: int = BELLS_MAX) -> None:
        """Enqueue unless enough jobs wait already."""
        if self.waiting(queue) < limit:
            self._enqueue(queue, job, *args, result_ttl=0)

    def _enqueue(self, queue: str, job: str, *args: int | str, result_ttl: int) -> rq.job.Job:
        keep = {"result_ttl": result_ttl, "failure_ttl": 24 * 60 * 60}
        try:
            return self.queues[queue].enqueue(job, *args, job_timeout=TIMEOUT_S, **keep)
        except redis.RedisError as error:
            # Away, full or read-only. The mailbox is filled, so the clock rings again.
            raise Unavailable(f"the job queue is out of reach: {type(error).__name__}") from error
