"""Line-ups and statistics in SQL, where they outlive Redis."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, select

from db.domain import DocumentKind
from db.sql.models import DocumentRow
from db.sql.moments import moment, ms
from db.sql.session import begin
from db.sql.upsert import insert_into
from db.stored_document import StoredDocument


class DocumentArchive:
    """Every method is one transaction and raises Unavailable without a database."""

    def __init__(self, bind: Engine) -> None:
        self.engine = bind

    def write(self, documents: Sequence[StoredDocument]) -> None:
        """Safe to repeat: a lower version replaces none."""
        if not documents:
            return
        rows = [
            {
                "match_id": document.match_id,
                "kind": document.kind.value,
                "source": document.source,
                "at": moment(document.at),
                "version": document.version,
                "document": document.text,
            }
            for document in sorted(documents, key=lambda one: (one.match_id, one.kind, one.source))
        ]
        with begin(self.engine) as session:
            insert = insert_into(session, DocumentRow)
            changed = {name: insert.excluded[name] for name in ("at", "version", "document")}
            newer = insert.excluded.version >= insert.table.c.version
            keys = list(insert.table.primary_key.columns)
            session.execute(insert.on_conflict_do_update(index_elements=keys, set_=changed, where=newer), rows)

    def read(self, match_id: str, kind: DocumentKind) -> list[StoredDocument]:
        """Of all sources."""
        wanted = select(DocumentRow).where(DocumentRow.match_id == match_id, DocumentRow.kind == kind.value)
        with begin(self.engine) as session:
            return [
                StoredDocument(row.match_id, kind, row.source, ms(row.at), row.version, row.document)
                for row in session.scalars(wanted)
            ]
