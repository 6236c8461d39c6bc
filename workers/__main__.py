"""`python -m workers`: run the job workers of one dyno, and restart one that dies."""

from __future__ import annotations

import argparse
import signal

from config import set_up_logs
from workers.startup import settings_at_start
from workers.supervisor import Supervisor


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("--processes", type=int, help="workers to run (default: WORKER_PROCESSES)")
    parser.add_argument("--index", type=int, help="run only the worker with this index, counted from 0")
    options = parser.parse_args()
    settings = settings_at_start()
    set_up_logs(settings.log_level)
    indexes = range(options.processes or settings.worker_processes) if options.index is None else [options.index]
    supervisor = Supervisor(settings, indexes)
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: supervisor.stopping.set())
    supervisor.run()


if __name__ == "__main__":
    main()
