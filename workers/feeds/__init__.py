"""Providers' bytes → `Update`s. One file per provider, pure: `parse(body, received_at=ms)`.

To add a provider: a file here with `parse`, a line in FEEDS, INGEST_SECRET_<NAME> in config, a recorded sample in
the tests. Raises Refused with the faults it found; nothing of a refused body is applied.
"""

from __future__ import annotations

from typing import Protocol

from db.domain import Update
from workers.feeds import generic, sportradar, statsperform


class Feed(Protocol):
    def __call__(self, body: bytes, *, received_at: int) -> list[Update]: ...


FEEDS: dict[str, Feed] = {
    "generic": generic.parse,
    "sportradar": sportradar.parse,
    "statsperform": statsperform.parse,
}
