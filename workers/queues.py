"""Queue names, job names and how to ring: all of the job system that the web process knows.

A job is a doorbell: it carries no data, the mailboxes in Redis do. One that is lost is rung again by the clock.
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

INGEST, PURGE, PUSH, HISTORY = "ingest", "purge", "push", "history"
# In order of who waits: viewers for the score, the edge for the purge, phones, the archive.
ALL = (INGEST, PURGE, PUSH, HISTORY)

# Job names (workers.jobs says which function each runs).
INGEST_SHARD, PURGE_DRAIN, HISTORY_DRAIN = "workers.ingest.drain_shard", "workers.purge.drain", "workers.history.drain"
PUSH_WORK, PREMATCH = "workers.push.work", "workers.lookahead.look"
DRY_RUN, TEST_PUSH = "workers.push_test.dry_run", "workers.push_test.send"

# A drain lives for about a second (workers.ingest.LIFE_S); a job a minute old is hung.
TIMEOUT_S = 60
# Push jobs that may wait: as many workers can take part in one fan-out.
PUSHERS_MOST = 8
# Other bells that may wait in one queue. While no worker runs the clock rings each second for what is overdue: without
# a bound that is 86,400 jobs a day and mailbox. Empty visits cost 5 ms; a bell beyond is the clock's to ring again.
BELLS_MOST = 64


class Doorbells:
    """Rings the workers. A bell rung twice costs an empty visit, never a wrong score.

    served: the queues that this process takes jobs of, if it is a worker.
    """

    def __init__(self, client: redis.Redis, served: Sequence[str] = ALL) -> None:
        self.client = client
        self.served = served
        self.queues = {name: rq.Queue(name, connection=client) for name in ALL}

    def ingest(self, shard: int) -> None:
        self._ring(INGEST, INGEST_SHARD, shard)

    def history(self) -> None:
        self._ring(HISTORY, HISTORY_DRAIN)

    def purge(self) -> None:
        self._ring(PURGE, PURGE_DRAIN)

    def push(self) -> None:
        """One job works through all there is, further ones only help it."""
        self._ring(PUSH, PUSH_WORK, most=PUSHERS_MOST)

    def prematch(self) -> None:
        self._ring(PUSH, PREMATCH)

    def ask(self, job: str, *args: str) -> Callable[[], Any]:
        """Have a worker do something: its answer, None until there is one. Raises Refused if it failed."""
        asked = self._enqueue(PUSH, job, *args, result_ttl=60)

        def answer() -> Any:
            result = asked.latest_result()
            if result is not None and result.type is not rq.results.Result.Type.SUCCESSFUL:
                raise Refused(f"The worker failed: {str(result.exc_string).strip().splitlines()[-1]}")
            return result.return_value if result is not None else None

        return answer

    def waiting(self, *names: str) -> int:
        """Jobs that no worker has taken yet, over these queues; else over those this worker serves: one that lingers
        gives way to them."""
        try:
            with self.client.pipeline(transaction=False) as pipe:
                for name in names or self.served:
                    pipe.llen(self.queues[name].key)
                return sum(pipe.execute())
        except redis.RedisError as error:
            raise Unavailable(f"the job queues are out of reach: {type(error).__name__}") from error

    def ahead(self, queue: str) -> int:
        """Jobs that this worker would take before those of `queue`."""
        names = self.served[: self.served.index(queue)] if queue in self.served else ()
        return self.waiting(*names) if names else 0

    def _ring(self, queue: str, job: str, *args: int, most: int = BELLS_MOST) -> None:
        """Unless enough wait already."""
        if self.waiting(queue) < most:
            self._enqueue(queue, job, *args, result_ttl=0)

    def _enqueue(self, queue: str, job: str, *args: int | str, result_ttl: int) -> rq.job.Job:
        keep = {"result_ttl": result_ttl, "failure_ttl": 24 * 60 * 60}
        try:
            return self.queues[queue].enqueue(job, *args, job_timeout=TIMEOUT_S, **keep)
        except redis.RedisError as error:
            # Full or read-only as well as away: the mailbox is filled, and the clock rings again.
            raise Unavailable(f"the job queue is out of reach: {type(error).__name__}") from error
