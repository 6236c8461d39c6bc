"""Line-ups and statistics of matches: one document a kind and source, apart from the score and its ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from db.codec import encode_document
from db.domain import Document, DocumentKind, kind_of
from db.live import keys
from db.live.client import BELL_S, guarded, text
from db.live.sharding import Ask, Queued, ShardedRedis, ShardScript
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

    def __init__(self, sharded: ShardedRedis) -> None:
        self.sharded = sharded
        self._put = ShardScript(sharded, "document_put")

    @guarded
    def put(self, match_id: str, document: Document, *, source: str, at_ms: int, purge: str = "") -> DocumentResult:
        """Safe to repeat. at_ms: its stamp; of two of one source the later stands. purge: an entry of the mailbox."""
        field = f"{kind_of(document).value}/{source}"
        names = [keys.documents(match_id), keys.DOCUMENTS_PENDING, keys.HISTORY_BELL]
        names += [keys.PURGE_PENDING, keys.PURGE_BELL]
        args = [match_id, field, at_ms, encode_document(document), KEEP_S, purge, BELL_S]
        version, purged, rung = self._put(self.sharded.of(match_id), names, args)
        return DocumentResult(version > 0, bool(purged), bool(rung))

    @guarded
    def read(self, match_id: str, kind: DocumentKind | None = None) -> list[StoredDocument]:
        """Of all sources."""
        shard = self.sharded.of(match_id)
        rows = shard.redis.hgetall(shard.key(keys.documents(match_id))).items()
        documents = [_stored(match_id, text(field), text(value)) for field, value in rows]
        return [document for document in documents if kind in (None, document.kind)]

    @guarded
    def pending(self, limit: int) -> list[Queued]:
        """Matches with documents that are not in SQL, and since when; the longest waiting first."""
        return self.sharded.queued(keys.DOCUMENTS_PENDING, limit=limit)

    @guarded
    def waiting(self) -> int:
        """Matches with documents that are not in SQL."""
        return self.sharded.total(keys.DOCUMENTS_PENDING)

    @guarded
    def ack(self, written: Sequence[Queued]) -> None:
        """Those written, unless they have changed since."""
        scores = self.sharded.pipelined((entry.shard, _score_of(entry.member)) for entry in written)
        unchanged = [entry for entry, score in zip(written, scores, strict=True) if score == entry.score]
        self.sharded.pipelined((entry.shard, _removal_of(entry.member)) for entry in unchanged)


def _score_of(match_id: str) -> Ask:
    return lambda pipe, shard: pipe.zscore(shard.key(keys.DOCUMENTS_PENDING), match_id)


def _removal_of(match_id: str) -> Ask:
    return lambda pipe, shard: pipe.zrem(shard.key(keys.DOCUMENTS_PENDING), match_id)


def _stored(match_id: str, field: str, value: str) -> StoredDocument:
    kind, _, source = field.partition("/")
    at, version, document = value.split(" ", 2)
    return StoredDocument(match_id, DocumentKind(kind), source, int(at), int(version), document)
