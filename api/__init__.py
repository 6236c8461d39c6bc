"""The Flask app: public reads, the ingest door, operations and the page. Start at `create_app`.

May import cdn, db, workers.queues and workers.feeds. Views parse, call and render; status codes live in `errors`.
"""

from __future__ import annotations

from flask import Flask

from api import accounts, assets, commands, errors, follows, ingest, matches, openapi, ops, pages, push_commands, scores
from api.services import Services
from config import Settings

# No public read has a body, and a query longer than this is nobody's search.
BODY_MOST = 4 * 1024 * 1024


def create_app(settings: Settings) -> Flask:
    app = Flask("api", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = BODY_MOST
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.compact = True  # type: ignore[attr-defined]
    app.extensions["services"] = Services(settings)
    errors.register(app)
    for part in (scores, matches, accounts, follows, ingest, ops, openapi, pages, assets):
        app.register_blueprint(part.blueprint)
    commands.register(app)
    push_commands.register(app)
    return app
