"""One thing that meets a bug of ours must not stop the others: where it is set aside."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rq.timeouts import BaseTimeoutException

from db.domain.errors import Unavailable

logger = logging.getLogger(__name__)


@contextmanager
def set_aside_on_bug(line: str, *fields: object, aside: Callable[[], object] | None = None) -> Iterator[None]:
    """A bug in the block ends the block: `line` is logged with the traceback, then `aside()` is called.

    A service that is away, and a job's time-out, are no bugs of what is worked on and go on to the caller. RQ's
    time-out is an ordinary exception wherever a worker is not ours (workers.worker.JobTimedOut).
    """
    try:
        yield
    except (Unavailable, BaseTimeoutException):
        raise
    except Exception:
        logger.exception(line, *fields)
        if aside:
            aside()
