"""`create_app`: a table of contents of the web process."""

from __future__ import annotations

from flask import Flask

from api import cli
from api.hot_path import HotPath
from api.routes import (
    accounts,
    competitions,
    crawlers,
    edge,
    follows,
    ingest,
    installed,
    matches,
    operations,
    pages,
    phones,
    pictures,
    scores,
    stream,
    wait,
    websocket,
)
from api.server.figures import Figures
from api.services import Services
from api.web import assets, cors, errors, html, openapi
from cdn.backends import registry
from config import Settings
from db.live.metrics import Reporter
from db.sql.session import load

# No public read has a body, and a query longer than this is nobody's search.
BODY_MAX = 4 * 1024 * 1024


class App(Flask):
    """What gunicorn's worker serves.

    hot_path: is given each whole head first.
    reporter: of this process's figures, where they are reported.
    """

    hot_path: HotPath
    reporter: Reporter | None = None

    def begin(self) -> None:
        """The process is about to serve: it is warm before the first reader who waits, whoever asks for /readyz."""
        services: Services = self.extensions["services"]
        load(services.settings.sql_url)
        services.listener.heed()

    def report(self, figures: Figures) -> None:
        """What the worker counts, once a second."""
        self.extensions["services"].connections.report(figures)

    def drain(self) -> None:
        """The process is to end: whoever waits is answered and moves on."""
        self.extensions["services"].hub.drain()

    def end(self) -> None:
        """Everybody was answered: what was counted since the last report is reported."""
        if self.reporter:
            self.reporter.stop()


def create_app(settings: Settings) -> App:
    """Raises Refused where the settings of the CDN do not suffice."""
    registry.check(settings)
    app = App("api", static_folder=None)
    # `//` is another path: a redirect would name a host of the sender's choice, and split the cache.
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = BODY_MAX
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.compact = True  # type: ignore[attr-defined]
    services = app.extensions["services"] = Services(settings)
    app.hot_path = HotPath(services)
    html.register(app)
    errors.register(app)
    cors.register(app)
    for part in (
        scores,
        wait,
        stream,
        websocket,
        matches,
        competitions,
        accounts,
        follows,
        ingest,
        operations,
        edge,
        openapi,
        crawlers,
        pages,
        pictures,
        installed,
        assets,
    ):
        app.register_blueprint(part.blueprint)
    if settings.demo and settings.control_url:
        app.register_blueprint(phones.blueprint)
    cli.register(app)
    return app
