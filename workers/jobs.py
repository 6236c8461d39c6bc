"""Job names, and the function behind each.

Two releases run side by side and may run each other's jobs, so a name stays when its function moves. A name not listed
here is the import path of its function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rq.job import Job
from rq.utils import import_attribute

from workers import queues

FUNCTIONS = {
    queues.PUSH_WORK: "workers.push.job.work",
    queues.PREMATCH: "workers.push.prematch.look",
    queues.DRY_RUN: "workers.push.console.dry_run",
    queues.TEST_PUSH: "workers.push.console.send",
}


class NamedJob(Job):
    """A job whose name is looked up in FUNCTIONS."""

    @property
    def func(self) -> Callable[..., Any]:
        name = self.func_name or ""
        function: Callable[..., Any] = import_attribute(FUNCTIONS.get(name, name))
        return function
