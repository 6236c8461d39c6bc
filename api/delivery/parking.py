"""Whether a request's connection can be parked, by what gunicorn says of it."""

from __future__ import annotations

from typing import Any

from api.gunicorn_worker import ALREADY_HANDLED, Connection

__all__ = ["ALREADY_HANDLED", "Connection", "parkable"]


def parkable(environ: dict[str, Any]) -> Connection | None:
    """The connection of a plain HTTP/1.1 request that gunicorn reads on after it was handled; else None.

    gunicorn closes behind HTTP/1.0 and `Connection: close`, and what is behind a body is not worth knowing. Who came
    when all places were taken keeps his handler, which is what bounds how many come.
    """
    connection = environ.get("gunicorn.socket")
    if not isinstance(connection, Connection) or environ.get("SERVER_PROTOCOL") != "HTTP/1.1":
        return None
    closing = "close" in environ.get("HTTP_CONNECTION", "").lower()
    bodied = environ.get("CONTENT_LENGTH", "0") not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ
    return None if closing or bodied or connection.worker.crowded else connection
