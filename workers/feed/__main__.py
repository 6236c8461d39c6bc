"""`python -m workers.feed`: keep the feeds of FEEDS connected. Two of these processes share the work, feed by feed."""

from __future__ import annotations

import logging
import signal
import sys
import time
from threading import Event

from config import set_up_logs
from db.domain.errors import Refused
from db.live.feeds import FeedStates, Lease
from db.live.metrics import Reporter
from workers.boot import WorkerServices, begin
from workers.feed.registry import readers
from workers.feed.runner import FeedRunner
from workers.feed.session import FeedReader, FeedSession

logger = logging.getLogger(__name__)

# Runners that end within this, all together, are waited for; a request in hand is cut off.
END_S = 5.0


def runners(services: WorkerServices, stopping: Event) -> list[FeedRunner]:
    """Raises Refused where a feed lacks a setting."""

    def session_of(reader: FeedReader, place: str, halt: Event) -> FeedSession:
        return FeedSession(
            reader,
            services.live,
            services.bells,
            FeedStates(services.live.sharded),
            place,
            halt,
            backlog_max=services.settings.ingest_backlog,
        )

    return [
        FeedRunner(reader, Lease(services.live.sharded, reader.name, reader.places), session_of, stopping)
        for reader in readers(services.settings)
    ]


def main() -> None:
    services = begin()
    set_up_logs(services.settings.log_level)
    stopping = Event()
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: stopping.set())
    try:
        threads = runners(services, stopping)
    except Refused as error:
        sys.exit(error.message)
    reporter = Reporter(services.figures)
    reporter.start()
    logger.info("feeds_started feeds=%s", ",".join(thread.reader.name for thread in threads))
    for thread in threads:
        thread.start()
    # Without feeds it waits to be stopped: the Procfile starts it everywhere, and an end would end the others.
    stopping.wait()
    end_s = time.monotonic() + END_S
    for thread in threads:
        thread.join(max(0.0, end_s - time.monotonic()))
    reporter.stop()


if __name__ == "__main__":
    main()
