"""Reads that may be a moment behind."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.domain.errors import Unavailable
from db.sql.session import begin

R = TypeVar("R")


class ReplicaReads:
    """Reads from the replica, or from the primary while that is away; both may be the same."""

    def __init__(self, primary: Engine, replica: Engine) -> None:
        self.primary = primary
        self.replica = replica

    def __call__(self, read: Callable[[Session], R]) -> R:
        """In one transaction. Raises Unavailable."""
        if self.replica is not self.primary:
            with suppress(Unavailable), begin(self.replica) as session:
                return read(session)
        with begin(self.primary) as session:
            return read(session)
