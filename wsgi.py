"""The web process's app. gunicorn's gevent worker patches the standard library before it imports this (no preload)."""

from api import create_app
from config import Settings, set_up_logs
from db.live.client import connect
from db.live.metrics import Reporter
from workers import cli

settings = Settings.load()
set_up_logs(settings.log_level)
app = create_app(settings)
cli.register(app, settings)
app.reporter = Reporter(connect(settings.figures_url))
app.reporter.start()
app.extensions["services"].surge_watch.start()
