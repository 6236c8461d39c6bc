"""`flask edge check`, and what it looks for: answers that are never the same twice unless a cache repeats them."""

from __future__ import annotations

import secrets

import click
from flask import Blueprint, Flask, Response
from flask.cli import AppGroup

from api import render, schemas
from api.openapi import documented
from api.services import here
from cdn import backends, headers, keys
from cdn.check import CANARY_PATH, CONTROL_PATH, check

blueprint = Blueprint("edge", __name__)
commands = AppGroup("edge", help="The CDN in front of the service.")


def register(app: Flask) -> None:
    app.cli.add_command(commands)


@blueprint.get(CANARY_PATH)
@documented("What the check of the edge looks for", schemas.Canary, tag="operations", errors=())
def canary() -> Response:
    """Another `nonce` each time the origin is asked: the same one twice came from a cache."""
    return _nonce(keys.CANARY)


@blueprint.get(CONTROL_PATH)
@documented("What the check of the edge never purges", schemas.Canary, tag="operations", errors=())
def control() -> Response:
    """As the canary, under another key: should both change at a purge, it was not the purge."""
    return _nonce(keys.CONTROL)


def _nonce(key: str) -> Response:
    return render.public({"nonce": secrets.token_hex(8)}, headers.CANARY, tags=(key,))


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
    for finding in check(public, backends.chosen(settings), here().dialect, origin):
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.said}")
        sound = sound and finding.ok
    if not sound:
        raise click.exceptions.Exit(1)
