"""A document of a match as it is stored: by which source, of when, and in which version."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from db.domain import DocumentKind


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """at: its stamp (ms). version: only grows, of each source by itself. text: JSON."""

    match_id: str
    kind: DocumentKind
    source: str
    at: int
    version: int
    text: str


def chosen_document(documents: Iterable[StoredDocument], source: str) -> StoredDocument | None:
    """That of the source which tells the match, else the newest; None where there is none."""
    return max(documents, key=lambda document: (document.source == source, document.at), default=None)
