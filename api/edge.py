"""`flask edge check`, and the canary it looks for: an answer that is never the same twice unless a cache repeats it."""

from __future__ import annotations

import secrets

import click
import requests
from flask import Blueprint, Flask, Response, current_app
from flask.cli import AppGroup

from api import render, schemas
from api.openapi import documented
from api.services import here
from cdn import backends, headers, keys
from cdn.check import CANARY_PATH, check

blueprint = Blueprint("edge", __name__)
commands = AppGroup("edge", help="The CDN in front of the service.")


def register(app: Flask) -> None:
    app.cli.add_command(commands)


@blueprint.get(CANARY_PATH)
@documented("What the check of the edge looks for", schemas.Canary, tag="operations", errors=())
def canary() -> Response:
    """Another `nonce` each time the origin is asked: the same one twice came from a cache."""
    return render.public({"nonce": secrets.token_hex(8)}, headers.CANARY, tags=(keys.CANARY,))


@commands.command("check")
@click.option("--url", help="Where readers come (default: PUBLIC_URL).")
@click.option("--origin", help="The service without its CDN, to look at its cache keys on the wire.")
def check_edge(url: str | None, origin: str | None) -> None:
    """Is it cached, does it carry its keys, does a purge take effect. Says in plain words what is not so."""
    settings = here().settings
    public = url or settings.public_url
    if not public:
        raise click.ClickException("Where do readers come? Set PUBLIC_URL, or give --url.")
    sound = True
    for finding in check(public, backends.chosen(settings), here().dialect, _from_origin(origin)):
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.said}")
        sound = sound and finding.ok
    if not sound:
        raise click.exceptions.Exit(1)


def _from_origin(origin: str | None) -> dict[str, str]:
    """The canary's headers as the service sends them."""
    if origin is None:
        return dict(current_app.test_client().get(CANARY_PATH).headers)
    try:
        return dict(requests.get(origin.rstrip("/") + CANARY_PATH, timeout=10).headers)
    except requests.RequestException as error:
        raise click.ClickException(f"{origin} does not answer ({type(error).__name__}).") from None
