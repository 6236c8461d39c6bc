"""Queue names, job names and how to ring: all of the job system that the web process knows.

A job is a doorbell: it carries no data, the mailboxes in Redis do. One that is lost is rung again by the clock.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import redis
import rq
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

from db.errors import Unavailable

logger = logging.getLogger(__name__)

INGEST, PURGE, PUSH, HISTORY = "ingest", "purge", "push", "history"
# In order of who waits: viewers for the score, the edge for the purge, phones, the archive.
ALL = (INGEST, PURGE, PUSH, HISTORY)

# A drain lives for about a second (workers.ingest.LIFE_S); a job a minute old is hung.
TIMEOUT_S = 60


def connect(url: str) -> redis.Redis:
    """RQ's own connection: it blocks on its queues for minutes, so no read time-out."""
    options = {"ssl_cert_reqs": "none"} if url.startswith("rediss://") else {}
    retry = Retry(ExponentialWithJitterBackoff(base=0.02, cap=0.3), retries=5)
    return redis.Redis.from_url(url, socket_connect_timeout=2, socket_keepalive=True, retry=retry, **options)


class Bells:
    """Rings the workers. A bell rung twice costs an empty visit, never a wrong score.

    served: the queues that this process takes jobs of, if it is a worker.
    """

    def __init__(self, client: redis.Redis, served: Sequence[str] = ALL) -> None:
        self.client = client
        self.served = served
        self.queues = {name: rq.Queue(name, connection=client) for name in ALL}

    def ingest(self, shard: int) -> None:
        self._ring(INGEST, "workers.ingest.drain_shard", shard)

    def history(self) -> None:
        self._ring(HISTORY, "workers.history.drain")

    def purge(self) -> None:
        self._ring(PURGE, "workers.purge.drain")

    def waiting(self) -> int:
        """Jobs that wait for this worker, among others: one that lingers gives way to them."""
        with self.client.pipeline(transaction=False) as pipe:
            for name in self.served:
                pipe.llen(self.queues[name].key)
            return sum(pipe.execute())

    def _ring(self, queue: str, job: str, *args: int) -> None:
        try:
            self.queues[queue].enqueue(job, *args, job_timeout=TIMEOUT_S, result_ttl=0, failure_ttl=24 * 60 * 60)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise Unavailable("the job queue is out of reach") from error
