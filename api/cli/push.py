"""`flask push …`: the outcome of alerts, a dry run, and a test alert to one user."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import click
from flask import Flask

from api.cli.group import OperatorGroup
from api.services import here, now_ms
from db.domain import Kind
from workers import queues

push = OperatorGroup("push", help="Alerts on their way to phones.")

# A worker may be in the middle of a chunk, which takes up to 30 s. After that, none is running.
ANSWER_S = 30
# Counters of an alert, and the beginnings of those with service and reason.
TOTALS = ("devices", "sent", "rings", "updates", "gone", "later", "failed")
REASONS = ("gone:", "failed:", "later:", "unknown:")


def register(app: Flask) -> None:
    app.cli.add_command(push)


@push.command("status")
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(1, 500), help="How many alerts, newest first."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with every counter.")
def status(limit: int, as_json: bool) -> None:
    """Per alert: devices planned, pushes sent, addresses gone, failures by reason, and how fast it went."""
    ready, claimed = here().chunks.sending()
    waiting = here().alerts.waiting_since()
    for alert_id, fields in here().alerts.recent(limit):
        click.echo(json.dumps({"alert": alert_id} | _counters(fields)) if as_json else _line(alert_id, fields))
    lag_s = (now_ms() - waiting) / 1000 if waiting else 0
    parked = here().alerts.parked()
    sliced = here().alerts.sliced()
    summary = f"chunks ready {ready}, being sent {claimed}; plans in slices {sliced}"
    click.echo(f"{summary}; news waits {lag_s:.1f} s; parked {parked}", err=True)


@push.command("dry-run")
@click.argument("match_id")
@click.argument("kind", type=click.Choice([kind.value for kind in Kind]))
def dry_run(match_id: str, kind: str) -> None:
    """Show whom news of this kind would reach, and with which text. Nothing is sent."""
    click.echo(json.dumps(_run_job(queues.DRY_RUN, match_id, kind), ensure_ascii=False, indent=2))


@push.command("test")
@click.argument("user_id")
@click.option("--match", "match_id", default="", help="Id of a match to send (default: an invented one).")
def test(user_id: str, match_id: str) -> None:
    """Send a goal alert to the devices of one user, with the same transports and keys as a real one."""
    outcomes = _run_job(queues.TEST_PUSH, user_id, match_id)
    if not outcomes:
        raise click.ClickException(f"{user_id} has no device.")
    for outcome in outcomes:
        click.echo(f"{outcome['platform']:8} {outcome['environment']:11} {outcome['outcome']:11} {outcome['reason']}")


def _run_job(job: str, *args: str) -> Any:
    """Run a job in a worker and return its result: only workers have the push keys."""
    answer = here().bells.ask(job, *args)
    deadline = time.monotonic() + ANSWER_S
    while time.monotonic() < deadline:
        result = answer()
        if result is not None:
            return result
        time.sleep(0.1)
    raise click.ClickException(f"No worker answered within {ANSWER_S} s. Is one running (`python -m workers`)?")


def _counters(fields: dict[str, str]) -> dict[str, Any]:
    return {
        name: int(value) if value.isdecimal() else value
        for name, value in sorted(fields.items())
        if name not in ("alert", "place")
    }


def _line(alert_id: str, fields: dict[str, str]) -> str:
    counters = _counters(fields)
    opened_at = datetime.fromtimestamp(int(fields["told_at"]) / 1000, UTC).strftime("%m-%d %H:%M:%SZ")
    kinds = ",".join(news["kind"] for news in json.loads(fields["alert"])["news"])
    numbers = " ".join(f"{name} {counters.get(name, 0)}" for name in TOTALS)
    reasons = [f"{name}={count}" for name, count in counters.items() if name.startswith(REASONS)]
    ending = "".join(f"  {name}: {counters[name]}" for name in ("stopped", "refused") if name in counters)
    return f"{opened_at}  {alert_id:40} {kinds:20} {numbers} {_p99(counters)} {' '.join(reasons)}{ending}".rstrip()


def _p99(counters: dict[str, Any]) -> str:
    """The time within which push services had accepted 99 % of the pushes."""
    bounds = sorted((int(name[10:]) if name[10:].isdecimal() else 10**9, count) for name, count in counters.items()
                    if name.startswith("within_ms:"))  # fmt: skip
    total, below = sum(count for _, count in bounds), 0
    for bound, count in bounds:
        below += count
        if below >= 0.99 * total:
            return f"p99 < {bound} ms" if bound < 10**9 else "p99 > 300000 ms"
    return ""
