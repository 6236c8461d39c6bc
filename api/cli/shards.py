"""`flask live shards`: the number of groups that the matches in Redis are divided in."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from api.services import here

live = AppGroup("live", help="The live state in Redis.")


def register(app: Flask) -> None:
    app.cli.add_command(live)


@live.command("shards")
def shards() -> None:
    """Print the number recorded in Redis, 0 before the first start over it."""
    click.echo(here().shards.recorded())
