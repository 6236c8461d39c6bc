"""Keeps the job workers of one dyno running.

What a worker needs is imported in its own process. Here it took a second more of each start, and 57 MB.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import threading
from collections.abc import Iterable

from config import Settings

logger = logging.getLogger(__name__)

# Pause between restarts: a worker that crashes at start would flood the log.
RESTART_S = 1.0


class Supervisor:
    """Keeps workers running. On stop each worker finishes its current job."""

    def __init__(self, settings: Settings, indexes: Iterable[int]) -> None:
        self.settings = settings
        self.indexes = indexes
        self.stopping = threading.Event()
        self.context = multiprocessing.get_context("spawn")

    def _start(self, index: int) -> multiprocessing.process.BaseProcess:
        child = self.context.Process(target=_work, args=(self.settings, index), name=f"worker-{index}", daemon=True)
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


def _work(settings: Settings, index: int) -> None:
    # Until it works (workers.worker): next to nothing of what is imported is garbage. To look for it takes an eighth of
    # the start.
    gc.disable()
    from workers.worker import work  # noqa: PLC0415 - in the worker's process

    work(settings, index)
