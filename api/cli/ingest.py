"""`flask secret`, `flask sign` and `flask refused …`: list, show and replay refused payloads."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import BinaryIO

import click
from flask import Flask
from flask.cli import with_appcontext
from standardwebhooks import Webhook

from api.cli.group import OperatorGroup
from api.routes.ingest import accept
from api.services import here, now_ms
from config import new_secret, words
from db.domain.errors import Refused
from db.refusal import RefusedPayload, refused_payload
from db.refusals import collect
from feeds import feed_named

# Payloads moved from Redis to SQL in one transaction, as in the history job: each is 4 MB at most.
COLLECTED_MAX = 50

refused = OperatorGroup("refused", help="Refused payloads, with the reason.")


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
    keys = here().settings.ingest_secrets("generic")
    if not keys:
        raise click.ClickException("INGEST_SECRET_GENERIC is not set. The embedded run keeps its own in var/env.")
    try:
        text = body.read().decode()
    except UnicodeDecodeError:
        raise click.ClickException("BODY is not UTF-8, so it is not JSON.") from None
    # Of two, the first is the new one.
    delivery, now, webhook = f"msg_{secrets.token_hex(8)}", datetime.now(UTC), Webhook(keys[0])
    click.echo(f"webhook-id: {delivery}\nwebhook-timestamp: {int(now.timestamp())}")
    click.echo(f"webhook-signature: {webhook.sign(delivery, now, text)}")


@refused.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many, newest first.")
@click.option("--all", "replayed", is_flag=True, help="Include those already replayed.")
def list_refused(limit: int, replayed: bool) -> None:
    """Newest first: id, time, provider, size, first line of the reason."""
    _collect()
    payloads = here().history.refused_payloads.newest(limit, replayed=replayed)
    for payload in payloads:
        fault = payload.reason.splitlines()[1] if "\n" in payload.reason else payload.reason
        size = f"{len(payload.body):>8} B"
        click.echo(f"{payload.id}  {_when(payload.received_at)}  {payload.provider:12} {size}  {payload.code}: {fault}")
    if not payloads:
        click.echo("Nothing was refused.", err=True)


@refused.command("show")
@click.argument("refused_id")
def show_refused(refused_id: str) -> None:
    """The whole reason, then the body as it came."""
    payload = _payload(refused_id)
    click.echo(f"{payload.provider}, {_when(payload.received_at)}\n{payload.reason}\n", err=True)
    click.echo(payload.body)


@refused.command("replay")
@click.argument("refused_ids", nargs=-1, required=True)
def replay_refused(refused_ids: tuple[str, ...]) -> None:
    """Parse payloads again. Their signature was already checked when they came.

    What is right now is accepted. What is still wrong is kept as a new refused payload.
    """
    for refused_id in refused_ids:
        payload = _payload(refused_id)
        received_at = now_ms()
        try:
            feed = feed_named(payload.provider, words(here().settings.feeds))
            parsed = feed(payload.body, received_at=received_at)
        except Refused as error:
            faults = "".join(f"\n  {fault.field}: {fault.message}" for fault in error.faults)
            raise click.ClickException(f"{refused_id} is still refused: {error.message}{faults}") from None
        if parsed.refusal:
            rest = refused_payload(payload.provider, parsed.rest, parsed.refusal, received_at)
            here().history.refused_payloads.keep([rest])
            click.echo(f"{refused_id}  {len(parsed.refused)} entries are still refused: {rest.id}")
        accept(parsed.updates)
        here().history.refused_payloads.mark_replayed(refused_id, now_ms=now_ms())
        click.echo(f"{refused_id}  {len(parsed.updates)} updates accepted")


def _payload(refused_id: str) -> RefusedPayload:
    _collect()
    payload = here().history.refused_payloads.find(refused_id)
    if payload is None:
        raise click.ClickException(f"There is no refused payload {refused_id}. `flask refused list` names them.")
    return payload


def _collect() -> None:
    """Move refused payloads from Redis to SQL now, instead of waiting for the history job."""
    while collect(here().live, here().history, COLLECTED_MAX):
        pass


def _when(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
