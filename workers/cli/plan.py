"""`flask plan`: what will be made ready for the next kick-offs, without doing it; and what an operator expects."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from db.domain.errors import LiveScoreError
from workers.plan.booking import MINUTE_MS, Booking
from workers.plan.expectation import competition_subject, match_subject
from workers.plan.sizing import Hosting, Wanted, origin_connections, origin_requests_s
from workers.plan.timetable import Step, steps

if TYPE_CHECKING:
    from workers.boot import WorkerServices

HOUR_MS = 60 * MINUTE_MS


class PlanGroup(AppGroup):
    """What is away, or set wrongly, is one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except LiveScoreError as error:
            raise click.ClickException(error.message) from None


@click.group("plan", cls=PlanGroup, invoke_without_command=True)
@click.option("--hours", default=24, show_default=True, type=click.IntRange(1, 168), help="So far ahead.")
@click.option("--at", "at", type=click.DateTime(["%Y-%m-%dT%H:%M"]), help="As if it were this time (UTC).")
@click.pass_context
def plan(context: click.Context, hours: int, at: datetime | None) -> None:
    """What will be made ready before the next kick-offs. Alone, it is printed, and nothing is done."""
    if at and not 1970 < at.year < 2100:
        raise click.UsageError("--at must lie in the years 1971 to 2099.")
    if context.invoked_subcommand is None:
        now_ms = int(at.replace(tzinfo=UTC).timestamp() * 1000) if at else time.time_ns() // 1_000_000
        context.invoke(show, now_ms=now_ms, ahead_ms=hours * HOUR_MS)


def register(app: Flask) -> None:
    app.cli.add_command(plan)


@click.command()
@with_appcontext
def show(now_ms: int, ahead_ms: int) -> None:
    from workers.plan.turns import readiness  # noqa: PLC0415 - a web process has no use for it

    ready = readiness(_services())
    bookings = ready.bookings(now_ms, ahead_ms)
    for line in _head(ready.deployment):
        click.echo(line)
    planned = steps(bookings, ready.deployment, ready.figures, since_ms=now_ms, until_ms=now_ms + ahead_ms)
    for step in planned:
        click.echo(_step(step, ready.deployment))
    for booking in bookings:
        click.echo(_booking(booking))
    if not planned:
        click.echo("No kick-off is known in this time.", err=True)


@plan.command("expect")
@click.argument("viewers", type=click.IntRange(min=0))
@click.option("--match", "match_id", help="Of this match.")
@click.option("--competition", "competition_id", help="Of each match of this competition.")
@with_appcontext
def expect(viewers: int, match_id: str | None, competition_id: str | None) -> None:
    """Say that so many VIEWERS will watch at the peak: it outweighs followers and history. 0 takes it back."""
    kickoffs = _services().kickoffs
    subject = _subject(match_id, competition_id)
    if viewers == 0:
        click.echo("Taken back." if kickoffs.unsay(subject) else "Nothing was said of it.")
    elif not kickoffs.say(subject, viewers):
        raise click.ClickException("Too much was said already: take some back, with 0 viewers.")
    else:
        click.echo(f"{viewers:,} viewers are expected of {subject}.")


def _subject(match_id: str | None, competition_id: str | None) -> str:
    if match_id and not competition_id:
        return match_subject(match_id)
    if competition_id and not match_id:
        return competition_subject(competition_id)
    raise click.UsageError("Name either --match or --competition.")


def _services() -> WorkerServices:
    from workers.boot import WorkerServices  # noqa: PLC0415 - a web process has no use for what workers load

    return WorkerServices(current_app.extensions["worker_settings"])


def _head(deployment: Hosting) -> list[str]:
    follows = (
        f"Behind a CDN the origin follows matches x {deployment.caches} caches, not viewers (EDGE_CACHES)."
        if deployment.caches
        else "Without a CDN every viewer is a connection of the origin."
    )
    bounds = f"floor {_counts(deployment.floor)}, ceiling {_counts(deployment.ceiling) or 'not set: nothing is scaled'}"
    return [f"{deployment.factor:g} times what is expected; {bounds}.", follows]


def _step(step: Step, deployment: Hosting) -> str:
    due = list(step.due)
    warmed = f"warm {len(step.begins)}; " if step.begins else ""
    requests_s, connections = origin_requests_s(due, deployment), origin_connections(due, deployment)
    load = f"{requests_s:,.0f} requests/s and {connections:,.0f} connections at the origin"
    return f"{_time(step.at_ms)}  {warmed}{_wanted(step.wanted)}  for {len(due)} matches: {load}"


def _wanted(wanted: Wanted) -> str:
    return _counts(wanted.processes) + "".join(f" ({kind} at its ceiling)" for kind in wanted.capped)


def _booking(booking: Booking) -> str:
    match, expected = booking.match, booking.expected
    teams = " - ".join(side.name for side in (match.home, match.away) if side) or match.id
    competition = match.competition.id if match.competition else ""
    return f"{_time(booking.start_ms)}  {teams:44.44} {competition:20.20} {expected.viewers:>12,}  {expected.reason}"


def _counts(counts: Mapping[str, int]) -> str:
    return " ".join(f"{kind}={count}" for kind, count in sorted(counts.items()))


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%MZ")
