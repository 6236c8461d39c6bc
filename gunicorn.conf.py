"""gunicorn: gevent workers that hold many connections and are ended gently.

No preload: the gevent worker patches the standard library before it loads the app, and a preloaded app would have
imported it unpatched.
"""

import gc
import multiprocessing
import sys
from typing import Any

from api.server.places import places
from config import Settings
from db.domain.errors import Refused

settings = Settings.at_start()

bind = f"{settings.host}:{settings.port}"
workers = settings.web_concurrency
worker_class = "api.server.worker.GunicornWorker"
worker_connections = places(settings.worker_connections)
# Longer than an edge keeps an idle connection to its origin, so that it is never we who close under a request:
# CloudFront 5 s by default, Varnish 60 s (backend_idle_timeout), Heroku's router 90 s.
keepalive = 100
# A stadium that opens the app together: as many as the kernel queues (net.core.somaxconn is 4096 since Linux 5.4).
backlog = 4_096
# Heroku sends SIGTERM and thirty seconds later SIGKILL (devcenter, "Dyno shutdown").
graceful_timeout = 25
# A score body is under 1 KB; a path longer than this is nobody's.
limit_request_line = 2_048
limit_request_fields = 64
# It writes to a descriptor behind the worker's back, which has time-outs and keeps what a slow client has not taken.
sendfile = False
# The control socket of `gunicornc`, a second way in that nobody here needs.
control_socket_disable = True


def on_starting(_arbiter: Any) -> None:
    """Before there is a worker to refuse deliveries one by one.

    In a child: the workers are forked from this process and patch `ssl` then. A Redis client that was imported here
    would know it unpatched, of which gevent warns.
    """
    child = multiprocessing.get_context("fork").Process(target=_agree)
    child.start()
    child.join()
    if child.exitcode:
        sys.exit(child.exitcode)


def post_fork(_arbiter: Any, _worker: Any) -> None:
    """While the app is loaded, next to nothing is garbage: to look for it takes an eighth of the start."""
    gc.disable()


def post_worker_init(_worker: Any) -> None:
    """What is loaded stays. Each full collection would look through its 138,000 objects while a goal waits: 55 ms."""
    gc.collect()
    gc.freeze()
    gc.enable()


def _agree() -> None:
    from db.live.cluster import connect_live  # noqa: PLC0415 - see on_starting
    from db.live.sharding import ShardedRedis  # noqa: PLC0415
    from db.live.shards import agree_at_start  # noqa: PLC0415

    try:
        connection = connect_live(settings.redis_url, is_cluster=settings.redis_cluster)
        agree_at_start(ShardedRedis(connection, settings.live_shards))
        connection.close()
    except Refused as error:
        sys.exit(error.message)
