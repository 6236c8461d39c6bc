"""Providers' bytes → `Update`s. One file per provider, pure: `parse(body, received_at=ms)`.

To add a provider: a file here with `parse`, a line in FEEDS, INGEST_SECRET_<NAME> in config, a recorded sample in
the tests. Raises Refused with the faults it found; nothing of a refused body is applied. A feed of which single
entries can be refused returns `Parsed` itself; `whole` makes one of a feed that takes all of a body or nothing.
"""

from __future__ import annotations

from typing import Protocol

from db.domain import Update
from workers.feeds import generic, sportradar, statsperform
from workers.feeds.parsed import Parsed


class Parse(Protocol):
    def __call__(self, body: bytes, *, received_at: int) -> list[Update]: ...


class Feed(Protocol):
    def __call__(self, body: bytes, *, received_at: int) -> Parsed: ...


def whole(parse: Parse) -> Feed:
    def read(body: bytes, *, received_at: int) -> Parsed:
        return Parsed(parse(body, received_at=received_at))

    return read


FEEDS: dict[str, Feed] = {
    "generic": generic.read,
    "sportradar": whole(sportradar.parse),
    "statsperform": whole(statsperform.parse),
}
