"""Providers' bytes → `Update`s. Pure: one file or folder a provider, `parse(body, received_at=ms)`.

To add a provider: a file here with `parse`, a line in FEEDS, INGEST_SECRET_<NAME> in config.py, and a recorded sample
in the tests. `parse` raises Refused with every fault; nothing of a refused body is applied. A feed that can refuse
single entries returns a ParseResult; `whole` wraps a feed that takes all of a body or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from db.domain import Update
from feeds.generic import parse as generic
from feeds.pull.mapping import load
from feeds.pull.parse import parse as pulled
from feeds.result import ParseResult
from feeds.sportradar import parse as sportradar
from feeds.statsperform import parse as statsperform


class Parse(Protocol):
    def __call__(self, body: bytes, *, received_at: int) -> list[Update]: ...


class Feed(Protocol):
    def __call__(self, body: bytes, *, received_at: int) -> ParseResult: ...


def whole(parse: Parse) -> Feed:
    def read(body: bytes, *, received_at: int) -> ParseResult:
        return ParseResult(parse(body, received_at=received_at))

    return read


FEEDS: dict[str, Feed] = {
    "generic": generic.read,
    "sportradar": whole(sportradar.parse),
    "statsperform": whole(statsperform.parse),
}


def feed_named(name: str, configured: Sequence[str] = ()) -> Feed:
    """The feed under whose name a payload was kept: an endpoint's, a connected one's, or that of a mapping file.

    configured: names of FEEDS. Raises Refused for a name that none of them has.
    """
    if name.removesuffix("_rest") in FEEDS:
        return FEEDS[name.removesuffix("_rest")]
    source = next((word for word in configured if Path(word).stem.replace("-", "_") == name), name)
    mapping = load(source)

    def read(body: bytes, *, received_at: int) -> ParseResult:
        matches = pulled(mapping, body, received_at=received_at)
        return ParseResult([update for match in matches for update in match.updates])

    return read
