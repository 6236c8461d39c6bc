"""`flask feeds`: what each connected feed is doing."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import with_appcontext

from api.cli.group import OperatorGroup
from api.services import here, now_ms
from db.live.feeds import FeedHealth, FeedStates


@click.group("feeds", cls=OperatorGroup, invoke_without_command=True)
@click.pass_context
def feeds(context: click.Context) -> None:
    """Feeds that the feed process keeps connected; alone, it lists them."""
    if context.invoked_subcommand is None:
        context.invoke(list_feeds)


def register(app: Flask) -> None:
    app.cli.add_command(feeds)


@feeds.command("list")
@with_appcontext
def list_feeds() -> None:
    """State, age of the last message, counters, quota left, and the last failure."""
    healths = FeedStates(here().live.sharded).all()
    for health in healths:
        click.echo(_line(health, now_ms()))
    if not healths:
        click.echo("No feed has been read. FEEDS names those to read; `python -m workers.feed` reads them.", err=True)


@feeds.command("forget")
@click.argument("name")
@with_appcontext
def forget(name: str) -> None:
    """Remove a feed that is no longer read from this list."""
    FeedStates(here().live.sharded).forget(name)


def _line(health: FeedHealth, now: int) -> str:
    heard = f"heard {(now - health.heard_at) / 1000:.0f} s ago" if health.heard_at else "never heard"
    quota = f", {health.quota_left} requests left" if health.quota_left is not None else ""
    standing = f" ({health.differing} stand)" if health.differing else ""
    reason = f": {health.reason}" if health.reason else ""
    return (
        f"{health.name:16} {health.state(now):6} {heard}, {health.messages} messages, {health.updates} updates, "
        f"{health.refused} refused, {health.reconnects} reconnects, {health.gaps} gaps, "
        f"{health.differences} differences{standing}{quota}, "
        f"read by {health.holder}{reason}"
    )
