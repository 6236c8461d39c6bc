"""`flask edge check` verifies that the CDN caches and honours purge by key; `flask edge config` prints its settings."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from api.services import here
from cdn.backends import registry
from cdn.check import check
from cdn.configuration import CONFIGURATIONS

commands = AppGroup("edge", help="The CDN in front of the service.")


def register(app: Flask) -> None:
    app.cli.add_command(commands)


@commands.command("check")
@click.option("--url", help="The public URL (default: PUBLIC_URL).")
@click.option("--origin", help="The origin's URL, without the CDN: also check the cache keys it sends.")
def check_edge(url: str | None, origin: str | None) -> None:
    """Check that answers are cached, that a purge takes effect and that the origin sends cache keys."""
    settings = here().settings
    public = url or settings.public_url
    if not public:
        raise click.ClickException("Set PUBLIC_URL or pass --url.")
    passed = True
    for finding in check(public, registry.chosen(settings), here().dialect, origin):
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.message}")
        passed = passed and finding.ok
    if not passed:
        raise click.exceptions.Exit(1)


@commands.command("config")
@click.argument("vendor", type=click.Choice(sorted(CONFIGURATIONS)))
@click.option("--origin", help="Where the service is, host:port.")
def print_configuration(vendor: str, origin: str | None) -> None:
    """Print the configuration of an edge, generated from the table of routes."""
    configuration = CONFIGURATIONS[vendor]
    click.echo(configuration.render(origin or configuration.origin), nl=False)
