"""`python -m workers`: runs the job workers of one dyno, and starts again one that dies."""

from __future__ import annotations

import argparse
import signal

from config import Settings, set_up_logs
from workers.supervisor import Supervisor, work


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("--processes", type=int, help="workers to run (default: WORKER_PROCESSES)")
    parser.add_argument("--index", type=int, help="run one worker of this index in the foreground")
    asked = parser.parse_args()
    settings = Settings.load()
    set_up_logs(settings.log_level)
    if asked.index is not None:
        work(settings, asked.index)
        return
    if asked.processes:
        settings = settings.with_(worker_processes=asked.processes)
    supervisor = Supervisor(settings)
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: supervisor.stopping.set())
    supervisor.run()


if __name__ == "__main__":
    main()
