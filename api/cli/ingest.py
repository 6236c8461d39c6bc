"""`flask secret`, `flask sign`, and `flask refused …`: what a door refused, listed, shown, and replayed once mended."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import BinaryIO

import click
from flask import Flask
from flask.cli import AppGroup, with_appcontext
from standardwebhooks import Webhook

from api.routes.ingest import accept
from api.services import here, now_ms
from config import new_secret
from db.domain.errors import Refused
from db.refusal import RefusedPayload, refused_payload
from db.refusals import collect
from feeds import FEEDS

# Payloads brought over in one transaction, as the history job does: each is 4 MB at most.
COLLECTED_MOST = 50

refused = AppGroup("refused", help="Payloads that were refused, with their reason.")


def register(app: Flask) -> None:
    app.cli.add_command(refused)
    app.cli.add_command(secret)
    app.cli.add_command(sign)


@click.command("secret")
def secret() -> None:
    """Print a fresh INGEST_SECRET_GENERIC."""
    click.echo(new_secret())


@click.command("sign")
@click.argument("body", type=click.File("rb"))
@with_appcontext
def sign(body: BinaryIO) -> None:
    """Print the headers that sign BODY (a file, - for stdin), as `curl -H @-` takes them. Good for five minutes."""
    key = here().settings.ingest_secret_generic
    if not key:
        raise click.ClickException("INGEST_SECRET_GENERIC is not set. The embedded run keeps its own in var/env.")
    delivery, now, webhook = f"msg_{secrets.token_hex(8)}", datetime.now(UTC), Webhook(key)
    click.echo(f"webhook-id: {delivery}\nwebhook-timestamp: {int(now.timestamp())}")
    click.echo(f"webhook-signature: {webhook.sign(delivery, now, body.read().decode())}")


@refused.command("list")
@click.option("--limit", default=50, show_default=True, help="How many, newest first.")
@click.option("--all", "replayed", is_flag=True, help="Those already replayed, too.")
def list_refused(limit: int, replayed: bool) -> None:
    """Newest first: id, time, provider, size, first line of the reason."""
    _collect()
    found = here().history.refused(limit, replayed=replayed)
    for one in found:
        fault = one.reason.splitlines()[1] if "\n" in one.reason else one.reason
        click.echo(f"{one.id}  {_when(one.received_at)}  {one.provider:12} {len(one.body):>8} B  {one.code}: {fault}")
    if not found:
        click.echo("Nothing was refused.", err=True)


@refused.command("show")
@click.argument("refused_id")
def show_refused(refused_id: str) -> None:
    """The whole reason, then the body as it came."""
    one = _one(refused_id)
    click.echo(f"{one.provider}, {_when(one.received_at)}\n{one.reason}\n", err=True)
    click.echo(one.body)


@refused.command("replay")
@click.argument("refused_ids", nargs=-1, required=True)
def replay_refused(refused_ids: tuple[str, ...]) -> None:
    """Put payloads through their feed again, past the signature they had already shown.

    What is right of one is accepted; what is still wrong of it is refused as a payload of its own.
    """
    for refused_id in refused_ids:
        one = _one(refused_id)
        received_at = now_ms()
        try:
            parsed = FEEDS[one.provider](one.body, received_at=received_at)
        except Refused as error:
            faults = "".join(f"\n  {fault.field}: {fault.message}" for fault in error.faults)
            raise click.ClickException(f"{refused_id} is still refused: {error.message}{faults}") from None
        if parsed.refusal:
            rest = refused_payload(one.provider, parsed.rest, parsed.refusal, received_at)
            here().history.keep_refused([rest])
            click.echo(f"{refused_id}  {len(parsed.refused)} entries are still refused: {rest.id}")
        accept(parsed.updates)
        here().history.mark_replayed(refused_id, now_ms=now_ms())
        click.echo(f"{refused_id}  {len(parsed.updates)} updates accepted")


def _one(refused_id: str) -> RefusedPayload:
    _collect()
    one = here().history.refused_one(refused_id)
    if one is None:
        raise click.ClickException(f"There is no refused payload {refused_id}. `flask refused list` names them.")
    return one


def _collect() -> None:
    """Bring over what still waits in Redis for the history job."""
    while collect(here().live, here().history, COLLECTED_MOST):
        pass


def _when(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
