"""Cache keys: which an answer carries, and which a change purges. One grammar, one table.

match-{id}          score, metadata, timeline, and the 404 of a match that does not exist yet
live                the board of live matches
day-{yyyy-mm-dd}    lists that show matches starting on that day (UTC)
competition-{id}    lists of one competition

A key is lower case `[a-z0-9-]`, 64 characters at most, which every CDN takes: Cloudflare's tags know no case, a comma
or a space separates them elsewhere, CloudFront takes `#` for a mark.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cdn import headers
from db.domain import Fact, FactKind, Match, Phase

LIVE = "live"
CANARY = "canary"
# Lives as the canary does and is purged by nobody: what ends it is no purge.
CONTROL = "canary-control"
# A list over more days than this carries no keys and is left to expire; Bunny's CDN-Tag holds 1024 bytes.
DAYS_MOST = 4
DAY_MS = 24 * 60 * 60 * 1000

_PLAIN = re.compile(r"(?!x-)[a-z0-9-]{1,48}")


def match(match_id: str) -> str:
    """Of one match."""
    return f"match-{_safe(match_id)}"


def competition(competition_id: str) -> str:
    return f"competition-{_safe(competition_id)}"


def day(at_ms: int) -> str:
    return f"day-{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d}"


def days(since_ms: int | None, until_ms: int | None) -> tuple[str, ...]:
    """Keys of the days between two instants; none for an open or a long stretch."""
    if since_ms is None or until_ms is None or not 0 < until_ms - since_ms <= DAYS_MOST * DAY_MS:
        return ()
    return tuple(dict.fromkeys([*map(day, range(since_ms, until_ms, DAY_MS)), day(until_ms - 1)]))


def _safe(id_: str) -> str:
    """An id as it is, where it fits; else a digest, marked so that no plain id can look like it."""
    return id_ if _PLAIN.fullmatch(id_) else "x-" + hashlib.sha256(id_.encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class Purge:
    """lifetime_s: how long the oldest answer under this key can still be served if the purge is lost."""

    key: str
    lifetime_s: int


def is_soft(key: str) -> bool:
    """Lists may be served once more while they are fetched anew; a score may not."""
    return key.startswith(("day-", "competition-"))


def _match(shown: Match) -> Iterable[Purge]:
    policies = headers.for_phase(shown.phase), headers.for_detail(shown.phase)
    yield Purge(match(shown.id), max(policy.lifetime_s for policy in policies))


def _board(shown: Match) -> Iterable[Purge]:
    if shown.phase in (Phase.LIVE, Phase.BREAK):
        yield Purge(LIVE, headers.LIVE.lifetime_s)


def _day(shown: Match) -> Iterable[Purge]:
    if shown.start_time is not None:
        yield Purge(day(shown.start_time), headers.LIST.lifetime_s)


def _competition(shown: Match) -> Iterable[Purge]:
    if shown.competition is not None:
        yield Purge(competition(shown.competition.id), headers.LIST.lifetime_s)


_SCORE, _LISTS = (_match, _board), (_match, _board, _day, _competition)

# What a change purges. A reader sees any change of a match on its own answers and on the board; lists are purged for
# what people look for in them, and learn of a card by expiry. The clock purges nothing: its minutes, 246 a minute on a
# Saturday, would spend the budget that goals need (Cloudflare Free: five calls a minute), and expiry shows them in 2 s.
PURGES: dict[FactKind | None, tuple[Callable[[Match], Iterable[Purge]], ...]] = {
    None: (),  # nothing but the clock
    FactKind.ADDED: _SCORE,
    FactKind.EDITED: _SCORE,
    FactKind.VOIDED: _SCORE,
    FactKind.RESTORED: _SCORE,
    FactKind.SCORE: _LISTS,
    FactKind.STATUS: _LISTS,
    FactKind.INFO: _LISTS,
}


def purges(before: Match | None, after: Match, facts: Iterable[Fact]) -> tuple[Purge, ...]:
    """What has to go once `after` is the present: the answers that showed `before`, and those that lack `after`."""
    kinds: set[FactKind | None] = {fact.kind for fact in facts}
    kinds = kinds or {None}
    rules = dict.fromkeys(rule for kind, some in PURGES.items() if kind in kinds for rule in some)
    found: dict[str, Purge] = {}
    # The answers out there are those of `before` (of a match not known before: its 404), so its lifetimes count.
    for shown in (before or Match(after.id), after):
        for purge in (purge for rule in rules for purge in rule(shown)):
            found.setdefault(purge.key, purge)
    return tuple(found.values())
