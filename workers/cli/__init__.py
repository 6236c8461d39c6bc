"""What the operator runs that needs more of the workers than the web process may know: `flask plan` and `capacity`."""

from __future__ import annotations

from flask import Flask

from config import Settings
from workers.cli import capacity, plan


def register(app: Flask, settings: Settings) -> None:
    app.extensions["worker_settings"] = settings
    for part in (plan, capacity):
        part.register(app)
