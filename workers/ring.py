"""After a commit: the cache keys to purge, and the doorbells."""

from __future__ import annotations

from collections.abc import Iterable

from cdn import keys
from db.domain import Fact, Match
from db.live.commits import CommitResult
from db.live.purges import entry
from workers.queues import Doorbells


def purge_entries(before: Match | None, after: Match, facts: Iterable[Fact]) -> list[str]:
    return [entry(purge.key, purge.lifetime_s) for purge in keys.purges(before, after, facts)]


def ring(bells: Doorbells, committed: CommitResult) -> None:
    """Ring for each mailbox that the commit filled first."""
    if committed.ring_purge:
        bells.purge()
    if committed.ring_push:
        bells.push()
    if committed.ring:
        bells.history()
