"""The Flask app: public reads, held delivery, the ingest endpoint, operations and the page. Start at `app.create_app`.

May import cdn, db, workers.queues and feeds. Views parse, call and render; status codes live in `errors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.app import App
    from config import Settings


def create_app(settings: Settings) -> App:
    """Imported here and not above: gunicorn loads `api.server` before it patches the standard library, and
    nothing else of this package may be imported by then."""
    from api import app  # noqa: PLC0415

    return app.create_app(settings)
