"""`flask surge on|off`: fewer requests and no holds for a while."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from flask import Flask

from api.cli.group import OperatorGroup
from api.delivery.snapshot import SURGE_POLL_MS
from api.services import here, now_ms
from cdn import headers
from db.live.surge import SurgeSwitch

surge = OperatorGroup("surge", help="Ask all readers to come less often, and hold none, until it expires.")

MINUTE_MS = 60_000
# A match with extra time and penalties; whoever needs it longer turns it on again.
MINUTES_MAX = 180


def register(app: Flask) -> None:
    app.cli.add_command(surge)


@surge.command("on")
@click.option(
    "--minutes", default=30, show_default=True, type=click.IntRange(1, MINUTES_MAX), help="It ends by itself."
)
def turn_on(minutes: int) -> None:
    """Turn it on for some minutes; again, to prolong it. Every web process follows within two seconds."""
    until_ms = _switch().turn_on(now_ms=now_ms(), lasting_ms=minutes * MINUTE_MS)
    click.echo(
        f"On until {_time(until_ms)}. New waits, streams and WebSockets are refused; readers poll every "
        f"{SURGE_POLL_MS // 1000} s, and the edge keeps answers for {headers.SURGE.edge} s.\n"
        f"What is lost: a goal is seen after up to {SURGE_POLL_MS // 1000} s instead of at once, and after up to "
        f"{SURGE_POLL_MS // 1000 + headers.SURGE.lifetime_s} s where its purge is lost. Alerts are not slower."
    )


@surge.command("off")
def turn_off() -> None:
    """Turn it off. Readers come back to waiting with their next poll."""
    _switch().turn_off()
    click.echo("Off.")


@surge.command("status")
def status() -> None:
    """Whether it is on, and until when."""
    until_ms = _switch().until_ms()
    click.echo(f"On until {_time(until_ms)}." if until_ms > now_ms() else "Off.")


def _switch() -> SurgeSwitch:
    return here().surge_switch


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
