"""`flask live shards`: the number of groups that the matches in Redis are divided in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask

from api.cli.group import OperatorGroup
from api.services import here, now_ms
from db.live import keys
from db.live.cluster import connect_live
from db.live.inbox import Inbox
from db.live.moving import Moving
from db.live.sharding import SHARDS_MAX, ShardedRedis
from db.live.shards import CLOSED, FROZEN, ShardCount

live = OperatorGroup("live", help="The live state in Redis.")

# ms. Before the end of days.
EVER = 2**53
# Between two looks at what waits.
LOOK_S = 1.0
# Longer than any job goes on for, but one that sends a chunk, whose claim is waited for (workers.purge.LIFE_S).
QUIET_S = 6.0
# Longer than a worker may take for a chunk (workers.push.sender.BUDGET_S).
CLAIMED_S = 40.0


def register(app: Flask) -> None:
    app.cli.add_command(live)


@live.command("shards")
@click.argument("count", type=click.IntRange(min=1, max=SHARDS_MAX), required=False)
@click.option("--to", "url", default="", help="Another Redis to move to; REDIS_URL without.")
@click.option("--cluster", is_flag=True, help="That Redis is a cluster.")
@click.option("--wait", "wait_s", default=60, show_default=True, help="Seconds that the inboxes may take to empty.")
def shards(count: int | None, url: str, cluster: bool, wait_s: int) -> None:
    """Print the number recorded in Redis, or change it to COUNT: everything is moved to that many shards.

    Meanwhile deliveries get 503, and senders repeat them; readers see what was. Then set LIVE_SHARDS and restart every
    process.
    """
    recorded = here().shards.recorded()
    if count is None:
        click.echo(recorded)
        return
    if cluster and not url:
        raise click.ClickException("--cluster is about the Redis of --to.")
    if not recorded:
        raise click.ClickException("Nothing is recorded in this Redis: set LIVE_SHARDS, and start.")
    if count == recorded and not url:
        raise click.ClickException(f"This Redis is divided in {count} already.")
    connection = here().live.sharded.connection
    old = ShardedRedis(connection, recorded)
    new = ShardedRedis(connect_live(url, is_cluster=cluster) if url else connection, count)
    if url and ShardCount(new).recorded():
        raise click.ClickException("The Redis of --to is in use already.")
    with _reopened_on_failure(old):
        closed_at_ms = now_ms()
        ShardCount(old).record(CLOSED)
        click.echo("Closed: deliveries get 503 and are repeated.")
        _drain(Inbox(old), wait_s)
        ShardCount(old).record(FROZEN)
        _come_to_rest(old)
        moving = Moving(old, new, closed_at_ms, lambda done: click.echo(f"{done} keys copied"))
        moving.run()
        ShardCount(new).record(count)
    if not url:
        ShardCount(old).record(count)
    moving.leave()
    click.echo(f"Divided in {count} from now on. Set LIVE_SHARDS={count}, and restart every process.")


@contextmanager
def _reopened_on_failure(old: ShardedRedis) -> Iterator[None]:
    try:
        yield
    except BaseException:
        ShardCount(old).record(len(old.shards))
        click.echo("Open again. Nothing is changed.", err=True)
        raise


def _drain(inbox: Inbox, wait_s: int) -> None:
    """Until workers have applied everything. Parked matches have full inboxes, too."""
    ends = time.monotonic() + wait_s
    while (parked := inbox.parked()) or inbox.overdue(EVER):
        if parked or time.monotonic() > ends:
            raise click.ClickException(
                f"{inbox.backlog()} updates wait to be applied, and {parked} matches are parked (docs/runbook.md). "
                "Try again once they are applied."
            )
        click.echo(f"{inbox.backlog()} updates wait to be applied")
        time.sleep(LOOK_S)


def _come_to_rest(old: ShardedRedis) -> None:
    """Until the jobs that had begun are over."""
    click.echo("Waiting for the jobs that have begun")
    time.sleep(QUIET_S)
    ends = time.monotonic() + CLAIMED_S
    while claimed := old.total(keys.PUSH_CLAIMED):
        if time.monotonic() > ends:
            raise click.ClickException(f"{claimed} chunks are still being sent. Try again in a moment.")
        click.echo(f"{claimed} chunks are being sent")
        time.sleep(LOOK_S)
