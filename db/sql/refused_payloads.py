"""Refused payloads in SQL, for a person to look at and replay."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, case, delete, func, or_, select, update

from db.refusal import RefusedPayload
from db.sql.models import RefusedRow
from db.sql.moments import moment, ms
from db.sql.session import begin
from db.sql.upsert import insert_into

# Of all bodies together. A sender with a wrong format posts up to 4 MB at a time, and repeats it.
BYTES_MAX = 500_000_000


class RefusedPayloads:
    """Every method is one transaction and raises Unavailable without a database."""

    def __init__(self, bind: Engine) -> None:
        self.engine = bind

    def keep(self, refused: Sequence[RefusedPayload]) -> None:
        """One that is refused again waits for a look again, though it was replayed. To write it twice is harmless."""
        if not refused:
            return
        rows = [
            {
                "id": payload.id,
                "provider": payload.provider,
                "received_at": moment(payload.received_at),
                "code": payload.code,
                # It quotes what was sent; PostgreSQL has no NUL in a text.
                "reason": payload.reason.replace("\0", "\N{REPLACEMENT CHARACTER}"),
                "body": payload.body,
                "replayed_at": None,
            }
            for payload in refused
        ]
        with begin(self.engine) as session:
            insert = insert_into(session, RefusedRow)
            new, columns = insert.excluded, RefusedRow.__table__.c
            values = {name: new[name] for name in ("received_at", "code", "reason")}
            # received before the replay: the very telling that was replayed, written a second time.
            values["replayed_at"] = case((columns.replayed_at > new.received_at, columns.replayed_at), else_=None)
            later = new.received_at > columns.received_at
            session.execute(insert.on_conflict_do_update(index_elements=[columns.id], set_=values, where=later), rows)

    def newest(self, limit: int, *, replayed: bool = False) -> list[RefusedPayload]:
        """Newest first; those already replayed only on request."""
        query = select(RefusedRow).order_by(RefusedRow.received_at.desc(), RefusedRow.id).limit(limit)
        if not replayed:
            query = query.where(RefusedRow.replayed_at.is_(None))
        with begin(self.engine) as session:
            return [_refused(row) for row in session.scalars(query)]

    def find(self, refused_id: str) -> RefusedPayload | None:
        with begin(self.engine) as session:
            row = session.get(RefusedRow, refused_id)
            return _refused(row) if row else None

    def mark_replayed(self, refused_id: str, *, now_ms: int) -> None:
        with begin(self.engine) as session:
            session.execute(update(RefusedRow).where(RefusedRow.id == refused_id).values(replayed_at=moment(now_ms)))

    def forget(self, *, before_ms: int, bytes_max: int = BYTES_MAX) -> int:
        """Delete payloads refused before a moment, and the oldest of more than so many bytes; returns how many."""
        newest_first = (RefusedRow.received_at.desc(), RefusedRow.id)
        total = func.sum(func.length(RefusedRow.body)).over(order_by=newest_first).label("total")
        sizes = select(RefusedRow.id, total).subquery()
        too_many = select(sizes.c.id).where(sizes.c.total > bytes_max)
        wanted = or_(RefusedRow.received_at < moment(before_ms), RefusedRow.id.in_(too_many))
        with begin(self.engine) as session:
            gone = session.execute(delete(RefusedRow).where(wanted))
            return int(gone.rowcount)  # type: ignore[attr-defined]


def _refused(row: RefusedRow) -> RefusedPayload:
    replayed_at = ms(row.replayed_at) if row.replayed_at else None
    return RefusedPayload(row.id, row.provider, ms(row.received_at), row.code, row.reason, row.body, replayed_at)
