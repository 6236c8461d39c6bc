"""`flask edge check`: whether the CDN caches responses and honours purge by key."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from api.services import here
from cdn.backends import registry
from cdn.check import check

commands = AppGroup("edge", help="The CDN in front of the service.")


def register(app: Flask) -> None:
    app.cli.add_command(commands)


@commands.command("check")
@click.option("--url", help="Where readers come (default: PUBLIC_URL).")
@click.option("--origin", help="Where the service is without its CDN: its cache keys are looked at there, too.")
def check_edge(url: str | None, origin: str | None) -> None:
    """Is it cached, does a purge take effect, does the origin send its keys. Says in plain words what is not so."""
    settings = here().settings
    public = url or settings.public_url
    if not public:
        raise click.ClickException("Where do readers come? Set PUBLIC_URL, or give --url.")
    sound = True
    for finding in check(public, registry.chosen(settings), here().dialect, origin):
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.message}")
        sound = sound and finding.ok
    if not sound:
        raise click.exceptions.Exit(1)
