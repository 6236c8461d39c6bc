"""`flask capacity`: what a match day takes and costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from workers.plan.capacity import Capacity, Mix, Scenario
from workers.plan.capacity import capacity as capacity_of
from workers.plan.figures import BenchFigures
from workers.plan.prices import Prices
from workers.plan.settings import deployment as deployment_of


class MixType(click.ParamType[Mix]):
    """`poll=70,wait=25,stream=4,socket=1`: percent; what is left out is 0."""

    name = "mix"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Mix:
        if isinstance(value, Mix):
            return value
        try:
            shares = {
                name: float(text) / 100 for name, _, text in (part.partition("=") for part in str(value).split(","))
            }
            mix = Mix(**{"wait": 0.0} | shares)
        except (ValueError, TypeError):
            self.fail("use poll=70,wait=25,stream=4,socket=1", param, ctx)
        if any(share < 0 for share in shares.values()) or not abs(sum(shares.values()) - 1) < 0.001:
            self.fail("its parts have to add up to 100", param, ctx)
        return mix


def register(app: Flask) -> None:
    app.cli.add_command(capacity)


@click.command("capacity")
@click.option("--viewers", default=1_000_000, show_default=True, type=click.IntRange(1), help="At the peak.")
@click.option("--matches", default=1, show_default=True, type=click.IntRange(1), help="At once.")
@click.option("--goals", default=3, show_default=True, type=click.IntRange(0), help="Of each match.")
@click.option(
    "--hours", default=2.0, show_default=True, type=click.FloatRange(0.1, 744), help="How long the peak lasts."
)
@click.option("--followers", default=0, show_default=True, type=click.IntRange(0), help="Of each match; pushed to.")
@click.option(
    "--mix", default="wait=100", show_default=True, type=MixType(), help="Percent: poll, wait, stream, socket."
)
@click.option("--poll", "poll_s", default=2.0, show_default=True, type=click.FloatRange(0.5, 300), help="Seconds.")
@click.option("--caches", type=click.IntRange(0), help="That ask the origin; 0 for no CDN (default: CDN, EDGE_CACHES).")
@click.option("--chart", type=click.Path(dir_okay=False, path_type=Path), help="Also draw it into this PNG.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of the table.")
@with_appcontext
def capacity(
    viewers: int,
    matches: int,
    goals: int,
    hours: float,
    followers: int,
    mix: Mix,
    poll_s: float,
    caches: int | None,
    chart: Path | None,
    as_json: bool,
) -> None:
    """What so many viewers take: load, processes, pushes and cost. Arithmetic over what the benches measured."""
    scenario = Scenario(viewers, matches, goals, hours, followers, poll_s, mix)
    deployment = deployment_of(current_app.extensions["worker_settings"])
    deployment = deployment if caches is None else replace(deployment, caches=caches)
    figures, prices = BenchFigures.load(), Prices.load()
    day = capacity_of(scenario, deployment, figures, prices)
    if as_json:
        click.echo(json.dumps(asdict(day)))
    else:
        for line in _table(day, scenario, prices, deployment.caches):
            click.echo(line)
    if chart:
        # Loaded here alone: a web process has no use for matplotlib.
        try:
            from workers.plan.chart import draw  # noqa: PLC0415
        except ImportError:
            raise click.ClickException("A chart needs matplotlib: pip install -r requirements-chart.txt.") from None
        try:
            draw(chart, scenario, deployment, figures, prices)
        except OSError as error:
            raise click.ClickException(f"{chart} cannot be written: {error.strerror}.") from None


def _table(day: Capacity, scenario: Scenario, prices: Prices, caches: int) -> Iterator[str]:
    where = f"behind {caches} caches" if caches else "without a CDN"
    yield f"{scenario.viewers:,} viewers of {scenario.matches} matches, {where}"
    rows = {
        "requests/s at the edge" if caches else "requests/s": f"{day.edge_requests_s:,.0f}",
        "the same after a goal": f"{day.edge_goal_requests_s:,.0f}",
        "requests/s at the origin": f"{day.origin_requests_s:,.0f}",
        "connections at the origin": f"{day.origin_connections:,.0f}",
        "web dynos": f"{day.web_dynos}",
        "worker dynos": f"{day.worker_dynos}",
        "a goal is released within": f"{day.goal_release_s * 1000:,.0f} ms of a web process",
        "Redis commands/s": f"{day.redis_commands_s:,.0f}",
        "SQL rows/s": f"{day.sql_rows_s:,.1f}",
        "pushes": f"{day.pushes:,}",
        "a goal at the last device after": f"{day.pushed_s:,.1f} s",
        "requests in all": f"{day.requests:,.0f}",
        "delivered": f"{day.gb:,.0f} GB",
        f"dynos ({prices.dyno_size})": f"${day.dyno_cost:,.2f}",
    } | {f"CDN: {name}": f"${cost:,.0f}" for name, cost in day.cdn_cost.items()}
    yield from (f"{name:34}{value:>24}" for name, value in rows.items())
    yield f"For {scenario.hours:g} h, at list prices of {prices.date}. Twice that is made ready (PREWARM_FACTOR)."
