"""`flask teams …`: teams that a provider, or a person, says are one."""

from __future__ import annotations

import click
from flask import Flask

from api.cli.group import OperatorGroup
from api.links import merge_teams
from api.routes.ingest import accept
from api.services import here, now_ms
from db.domain import Subject
from db.domain.errors import Refused

teams = OperatorGroup("teams", help="Other names of teams.")


def register(app: Flask) -> None:
    app.cli.add_command(teams)


@teams.command("merge")
@click.argument("name")
@click.argument("team_id")
def merge(name: str, team_id: str) -> None:
    """NAME is TEAM_ID from now on: its followers, its matches, and all that is told of it."""
    try:
        updates = merge_teams(here(), name, team_id, now_ms=now_ms())
    except Refused as error:
        raise click.ClickException(error.message) from None
    accept(updates)
    click.echo(f"{name} is {team_id} from now on; {len(updates)} matches to come are told so.")


@teams.command("names")
@click.argument("team_id")
def names(team_id: str) -> None:
    """Other names of TEAM_ID."""
    for name in here().history.names.names_of(Subject.TEAM, team_id):
        click.echo(name.name)
