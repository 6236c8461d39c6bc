"""`flask ingest shards`: the number of groups in which matches are drained."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from api.services import here

ingest = AppGroup("ingest", help="Updates that are accepted and not yet applied.")


def register(app: Flask) -> None:
    app.cli.add_command(ingest)


@ingest.command("shards")
@click.argument("count", type=click.IntRange(min=1), required=False)
def shards(count: int | None) -> None:
    """Print the number recorded in Redis, or change it to COUNT. Refused while updates wait to be applied.

    Then set INGEST_SHARDS to it and restart every process: until then the endpoint answers 503, and senders retry.
    """
    if count is None:
        click.echo(here().shards.recorded())
        return
    unapplied = here().shards.change(count)
    if unapplied:
        raise click.ClickException(
            f"Nothing is changed: {unapplied.waiting} matches wait to be applied and {unapplied.parked} are parked "
            "(docs/runbook.md). Try again once they are applied."
        )
    click.echo(f"Drained in {count} from now on. Set INGEST_SHARDS={count} and restart every process.")
