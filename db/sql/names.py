"""Other names of matches and teams, and what goes with them: followers, and teams in search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, Select, delete, func, literal, select, update
from sqlalchemy.orm import Session

from db.domain import Subject
from db.domain.errors import Refused
from db.sql.models import FollowRow, NameRow, TeamRow, UserSubscriptionRow
from db.sql.moments import moment
from db.sql.session import begin
from db.sql.upsert import insert_into


class NameKind(StrEnum):
    """SAME: what is told under the name is told of the thing. REPLACED: the match continues as another."""

    SAME = "same"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Name:
    """Another name of a thing, and how it is meant. is_merged: what was known under it has been joined to the thing."""

    name: str
    id: str
    kind: NameKind
    is_merged: bool


class NameBook:
    """Every method is one transaction and raises Unavailable without a database."""

    def __init__(self, bind: Engine) -> None:
        self.engine = bind

    def add(self, subject: Subject, name: str, id_: str, *, now_ms: int) -> dict[str, str]:
        """Make a name mean another thing, and take its followers along; returns every name → id that changed.

        Other names of `name` mean `id_` from now on. Raises Refused where `id_` is itself another name.
        """
        with begin(self.engine) as session:
            target = session.get(NameRow, (subject.value, id_))
            if target is not None and target.kind == NameKind.SAME:
                raise Refused(f"{id_} is another name of {target.id}: use that.", "invalid")
            pointing = select(NameRow).where(NameRow.subject == subject.value, NameRow.id == name)
            changed = {name: id_}
            for row in session.scalars(pointing.where(NameRow.kind == NameKind.SAME.value)):
                changed[row.name], row.id = id_, id_
            merged_at = moment(now_ms) if subject is Subject.TEAM else None
            _put(session, subject, name, id_, NameKind.SAME, now_ms, merged_at=merged_at)
            take_followers(session, subject, name, id_)
            _unfollow(session, subject, name)
            if subject is Subject.TEAM:
                session.execute(delete(TeamRow).where(TeamRow.id == name))
        return changed

    def remove(self, subject: Subject, name: str) -> bool:
        """False where there is no such name."""
        with begin(self.engine) as session:
            row = session.get(NameRow, (subject.value, name))
            if row is not None:
                session.delete(row)
            return row is not None

    def of(self, subject: Subject, name: str) -> str | None:
        """The thing that a name means; None where it is no other name."""
        with begin(self.engine) as session:
            row = session.get(NameRow, (subject.value, name))
            return row.id if row and row.kind == NameKind.SAME else None

    def names_of(self, subject: Subject, id_: str) -> list[Name]:
        with begin(self.engine) as session:
            rows = select(NameRow).where(NameRow.subject == subject.value, NameRow.id == id_).order_by(NameRow.name)
            return [_name(row) for row in session.scalars(rows)]

    def unmerged(self, match_ids: Sequence[str]) -> dict[str, list[str]]:
        """Of these matches: names whose own record has not been joined to theirs."""
        if not match_ids:
            return {}
        wanted = select(NameRow).where(
            NameRow.subject == Subject.MATCH.value,
            NameRow.id.in_(match_ids),
            NameRow.kind == NameKind.SAME.value,
            NameRow.merged_at.is_(None),
        )
        names: dict[str, list[str]] = {}
        with begin(self.engine) as session:
            for row in session.scalars(wanted):
                names.setdefault(row.id, []).append(row.name)
        return names

    def waiting(self, limit: int, *, before_ms: int) -> list[str]:
        """Matches with a name of before a moment whose record has not been joined to theirs."""
        unmerged = (NameRow.kind == NameKind.SAME.value, NameRow.merged_at.is_(None))
        wanted = select(NameRow.id).distinct().where(NameRow.subject == Subject.MATCH.value, *unmerged)
        with begin(self.engine) as session:
            return list(session.scalars(wanted.where(NameRow.created_at < moment(before_ms)).limit(limit)))

    def mark_merged(self, name: str, *, now_ms: int) -> None:
        of_name = update(NameRow).where(NameRow.subject == Subject.MATCH.value, NameRow.name == name)
        with begin(self.engine) as session:
            session.execute(of_name.values(merged_at=moment(now_ms)))

    def count(self, subject: Subject) -> int:
        with begin(self.engine) as session:
            return session.scalar(_same(subject).with_only_columns(func.count())) or 0

    def all(self, subject: Subject) -> dict[str, str]:
        """Name → id of everything that is `same`."""
        with begin(self.engine) as session:
            return {row.name: row.id for row in session.execute(_same(subject))}


def redirected(session: Session, match_id: str, successor: str, *, now_ms: int) -> None:
    """A match continues as another: its followers follow that, too. Once: whoever then unfollows stays unfollowed."""
    row = session.get(NameRow, (Subject.MATCH.value, match_id))
    if row is not None and row.id == successor:
        return
    if row is None or row.kind == NameKind.REPLACED:
        _put(session, Subject.MATCH, match_id, successor, NameKind.REPLACED, now_ms)
        take_followers(session, Subject.MATCH, match_id, successor)


def take_followers(session: Session, subject: Subject, name: str, id_: str) -> None:
    """Who follows the one follows the other; what somebody wants of the other by their own choice stays."""
    table, key = _follows(subject)
    others = {"subject": literal(subject.value)} if table is FollowRow else {}
    columns = {"user_id": table.user_id, **others, key.key: literal(id_)}
    columns |= {"notification_prefs": table.notification_prefs, "kinds": table.kinds}
    rows: Select[Any] = select(*columns.values()).where(key == name)
    if table is FollowRow:
        rows = rows.where(FollowRow.subject == subject.value)
    insert = insert_into(session, table)
    session.execute(insert.from_select(list(columns), rows).on_conflict_do_nothing())


def stored_team_ids(session: Session, team_ids: Sequence[str]) -> list[str]:
    """The ids under which matches of these teams may be stored: those of before a merge stay in old matches."""
    is_team = NameRow.subject == Subject.TEAM.value
    means = list(session.scalars(select(NameRow.id).where(is_team, NameRow.name.in_(team_ids))))
    ids = [*team_ids, *means]
    return list(dict.fromkeys([*ids, *session.scalars(select(NameRow.name).where(is_team, NameRow.id.in_(ids)))]))


def _put(
    session: Session, subject: Subject, name: str, id_: str, kind: NameKind, now_ms: int, *, merged_at: Any = None
) -> None:
    values = {"id": id_, "kind": kind.value, "created_at": moment(now_ms), "merged_at": merged_at}
    insert = insert_into(session, NameRow).values(subject=subject.value, name=name, **values)
    session.execute(insert.on_conflict_do_update(index_elements=["subject", "name"], set_=values))


def _unfollow(session: Session, subject: Subject, name: str) -> None:
    table, key = _follows(subject)
    rows = delete(table).where(key == name)
    session.execute(rows.where(FollowRow.subject == subject.value) if table is FollowRow else rows)


def _follows(subject: Subject) -> tuple[type[Any], Any]:
    """The table of follows of this subject, and its column of ids."""
    if subject is Subject.MATCH:
        return UserSubscriptionRow, UserSubscriptionRow.match_id
    return FollowRow, FollowRow.subject_id


def _same(subject: Subject) -> Select[str, str]:
    columns = select(NameRow.name, NameRow.id)
    return columns.where(NameRow.subject == subject.value, NameRow.kind == NameKind.SAME.value)


def _name(row: NameRow) -> Name:
    return Name(row.name, row.id, NameKind(row.kind), row.merged_at is not None)
