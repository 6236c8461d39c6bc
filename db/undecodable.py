"""What is kept of a match and cannot be read: most often a newer release wrote it, and an older one is back.

It is a bug's equal for that match, and must be nothing to the others: whoever reads many leaves it out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from db.domain.errors import Undecodable

logger = logging.getLogger(__name__)

# A live match is read many times a second; once a minute is enough for a person.
TELL_S = 60.0
# Above the matches of any day, so that what was told is not kept for ever.
REMEMBERED = 10_000

T = TypeVar("T")

_told: dict[str, float] = {}
_lock = threading.Lock()


def decoded(match_id: str, decode: Callable[[], T]) -> T:
    """What `decode` gives. Raises Undecodable for a word, a field or a type that this release does not know."""
    try:
        return decode()
    except (ValueError, TypeError, LookupError) as error:
        raise Undecodable(match_id, f"{type(error).__name__}: {error}") from error


def tell(error: Undecodable) -> bool:
    """Log it, once a minute a match and process; returns whether it was."""
    now = time.monotonic()
    with _lock:
        if now - _told.get(error.match_id, -TELL_S) < TELL_S:
            return False
        if len(_told) >= REMEMBERED:
            _told.clear()
        _told[error.match_id] = now
    logger.error("match_undecodable match=%s reason=%r", error.match_id, error.reason)
    return True
