"""The web process's app. gunicorn's gevent worker patches the standard library before it imports this (no preload)."""

import click

from api import create_app
from config import Settings, set_up_logs
from db.domain.errors import Refused
from db.live.client import connect
from db.live.metrics import Reporter
from workers import cli

try:
    settings = Settings.load()
except Refused as error:
    # `flask` prints it as one sentence. gunicorn ends with it: a worker that exits by itself would be started again.
    raise click.ClickException(error.message) from None
set_up_logs(settings.log_level)
app = create_app(settings)
cli.register(app, settings)
app.reporter = Reporter(connect(settings.figures_url))
app.reporter.start()
app.extensions["services"].surge_watch.start()
