"""INSERT … ON CONFLICT, on either database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.sql.models import Base


def insert_into(session: Session, table: type[Base]) -> Any:
    """The dialect's own, which knows ON CONFLICT; PostgreSQL and SQLite word it alike."""
    target = table.__table__
    assert isinstance(target, Table)  # noqa: S101 - for the type checker: mapped classes have tables
    return insert(session, target)


def insert(session: Session, table: Table) -> Any:
    """The same for a table that is not mapped."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(table)
