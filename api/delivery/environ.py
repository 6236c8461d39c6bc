"""The connection of a request, where it is one of ours: then its answer may come later, from outside of its handler."""

from __future__ import annotations

from typing import Any

from api.server.connection import Connection
from api.server.worker import ALREADY_HANDLED

__all__ = ["ALREADY_HANDLED", "Connection", "connection_of", "has_place"]


def connection_of(environ: dict[str, Any]) -> Connection | None:
    """None on servers other than our gunicorn's, and where it ends TLS itself."""
    connection = environ.get("gunicorn.socket")
    return connection if isinstance(connection, Connection) else None


def has_place(environ: dict[str, Any]) -> bool:
    """It may stay. One that came when all places were taken is answered at once and goes."""
    connection = connection_of(environ)
    return connection is None or connection.place
