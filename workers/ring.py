"""After a change: the cache keys to purge, and the doorbells."""

from __future__ import annotations

from collections.abc import Iterable

from cdn import headers, keys
from db.domain import Document, DocumentKind, Fact, Match, kind_of
from db.live.commits import CommitResult
from db.live.documents import DocumentResult
from db.live.purges import entry
from pictures.card import card_of
from workers.queues import Doorbells


def purge_entries(before: Match | None, after: Match, facts: Iterable[Fact]) -> list[str]:
    return [entry(purge.key, purge.lifetime_s) for purge in keys.purges(before, after, facts)]


def draws(before: Match | None, after: Match) -> bool:
    """Whether the picture of a match shows something else than before."""
    return card_of(after) != (card_of(before) if before else None)


def document_purge(match: Match, document: Document) -> str:
    """ "" for nothing: figures of a match in play change with every touch, and expire within seconds."""
    policy = headers.for_detail(match.phase)
    if kind_of(document) is DocumentKind.STATS and policy is headers.LIST:
        return ""
    return entry(keys.match(match.id), policy.lifetime_s)


def ring_document(bells: Doorbells, kept: DocumentResult) -> None:
    if kept.ring_purge:
        bells.purge()
    if kept.ring_history:
        bells.history()


def ring(bells: Doorbells, committed: CommitResult) -> None:
    """Ring for each mailbox that the commit filled first."""
    if committed.ring_purge:
        bells.purge()
    if committed.ring_push:
        bells.push()
    if committed.ring:
        bells.history()
    if committed.ring_pictures:
        bells.pictures()
