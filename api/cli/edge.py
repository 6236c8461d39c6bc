"""`flask edge check` verifies that the CDN caches and honours purge by key; `flask edge config` prints its settings."""

from __future__ import annotations

from itertools import chain

import click
from flask import Flask

from api.cli.group import OperatorGroup
from api.services import here
from cdn.backends import registry
from cdn.check import check
from cdn.configuration import CONFIGURATIONS, HOST
from cdn.settings import try_settings

commands = OperatorGroup("edge", help="The CDN in front of the service.")


def register(app: Flask) -> None:
    app.cli.add_command(commands)


@commands.command("check")
@click.option("--url", help="The public URL (default: PUBLIC_URL).")
@click.option("--origin", help="The origin's URL, without the CDN: also check the cache keys it sends.")
@click.option("--quick", is_flag=True, help="Only whether answers are kept and purged; without the settings (20 s).")
def check_edge(url: str | None, origin: str | None, quick: bool) -> None:
    """Check that answers are cached and purged by key, and each setting of the CDN: what is wrong is named."""
    settings = here().settings
    public = url or settings.public_url
    if not public:
        raise click.ClickException("Set PUBLIC_URL or pass --url.")
    passed = True
    purging = check(public, registry.chosen(settings), here().dialect, origin)
    for finding in chain(purging, () if quick else try_settings(public, settings.cdn)):
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.message}")
        passed = passed and finding.ok
    if not passed:
        raise click.exceptions.Exit(1)


@commands.command("config")
@click.argument("vendor", type=click.Choice(sorted(CONFIGURATIONS)))
@click.option("--origin", help="Where the service is, host:port.")
@click.option("--host", default=HOST, help="The name that readers use.", show_default=True)
def print_configuration(vendor: str, origin: str | None, host: str) -> None:
    """Print the configuration of an edge, generated from the table of routes."""
    configuration = CONFIGURATIONS[vendor]
    click.echo(configuration.render(origin or configuration.origin, host), nl=False)
