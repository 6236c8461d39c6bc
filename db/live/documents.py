"""Line-ups and statistics of matches: one document a kind and source, apart from the score and its ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis

from db.codec import encode_document
from db.domain import Document, DocumentKind, kind_of
from db.live import keys
from db.live.client import BELL_S, guarded, lua, text
from db.stored_document import StoredDocument

# Beyond a match's end, as its state is kept; SQL has it afterwards.
KEEP_S = 2 * 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class DocumentResult:
    """changed: readers can tell the difference. ring_purge, ring_history: the edge, history want a job."""

    changed: bool
    ring_purge: bool
    ring_history: bool


class Documents:
    """Every method raises Unavailable without Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self.redis: Any = client
        self._put = client.register_script(lua("document_put"))

    @guarded
    def put(self, match_id: str, document: Document, *, source: str, at_ms: int, purge: str = "") -> DocumentResult:
        """Safe to repeat. at_ms: its stamp; of two of one source the later stands. purge: an entry of the mailbox."""
        field = f"{kind_of(document).value}/{source}"
        version, purged, rung = self._put(
            keys=[
                keys.documents(match_id),
                keys.DOCUMENTS_PENDING,
                keys.HISTORY_BELL,
                keys.PURGE_PENDING,
                keys.PURGE_BELL,
            ],
            args=[match_id, field, at_ms, encode_document(document), KEEP_S, purge, BELL_S],
        )
        return DocumentResult(version > 0, bool(purged), bool(rung))

    @guarded
    def read(self, match_id: str, kind: DocumentKind | None = None) -> list[StoredDocument]:
        """Of all sources."""
        rows = self.redis.hgetall(keys.documents(match_id)).items()
        documents = [_stored(match_id, text(field), text(value)) for field, value in rows]
        return [document for document in documents if kind in (None, document.kind)]

    @guarded
    def pending(self, limit: int) -> list[tuple[str, float]]:
        """Matches with documents that are not in SQL, and since when; the longest waiting first."""
        rows = self.redis.zrange(keys.DOCUMENTS_PENDING, 0, limit - 1, withscores=True)
        return [(text(match_id), at) for match_id, at in rows]

    @guarded
    def waiting(self) -> int:
        """Matches with documents that are not in SQL."""
        return int(self.redis.zcard(keys.DOCUMENTS_PENDING))

    @guarded
    def ack(self, written: Sequence[tuple[str, float]]) -> None:
        """Those written, unless they have changed since."""
        with self.redis.pipeline(transaction=False) as pipe:
            for match_id, _ in written:
                pipe.zscore(keys.DOCUMENTS_PENDING, match_id)
            scores = pipe.execute() if written else []
        unchanged = [match_id for (match_id, at), score in zip(written, scores, strict=True) if score == at]
        if unchanged:
            self.redis.zrem(keys.DOCUMENTS_PENDING, *unchanged)


def _stored(match_id: str, field: str, value: str) -> StoredDocument:
    kind, _, source = field.partition("/")
    at, version, document = value.split(" ", 2)
    return StoredDocument(match_id, DocumentKind(kind), source, int(at), int(version), document)
