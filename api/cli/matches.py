"""`flask matches …`: other names of matches. A person says which are one; nothing is linked by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TextIO

import click
from flask import Flask

from api.cli.group import OperatorGroup
from api.links import link, replace_match, unlink
from api.routes.ingest import accept
from api.services import here, now_ms
from db.domain import Match, Precedence, Subject
from db.domain.errors import Refused
from db.sql.history import MatchFilter
from db.sql.names import NameKind
from feeds.likeness import Suggestion, suggestions

DAY_MS = 24 * 60 * 60 * 1000
PAGE = 500

matches = OperatorGroup("matches", help="Other names of matches: one match, told by several sources.")


def register(app: Flask) -> None:
    app.cli.add_command(matches)


@matches.command("link")
@click.argument("name", required=False)
@click.argument("match_id", required=False)
@click.option("--file", "pairs", type=click.File("r"), help="Lines of NAME and MATCH_ID instead, - for stdin.")
def link_names(name: str | None, match_id: str | None, pairs: TextIO | None) -> None:
    """Make NAME another name of MATCH_ID. What is told under NAME is told of the match from now on.

    What was told under NAME before is joined to the match, its followers go along, and its readers are redirected.
    """
    given = [f"{name or ''} {match_id or ''}"]
    try:
        lines = [line.replace(",", " ").split() for line in pairs or given]
    except UnicodeDecodeError:
        raise click.ClickException("The file is not UTF-8.") from None
    for line in lines:
        if len(line) != 2:
            raise click.UsageError("NAME and MATCH_ID are needed.")
        _link(line[0], line[1])


@matches.command("unlink")
@click.argument("name")
def unlink_name(name: str) -> None:
    """NAME means no other match any more. Only for a name that was never told of as a match of its own."""
    try:
        unlink(here(), name)
    except Refused as error:
        raise click.ClickException(error.message) from None


@matches.command("names")
@click.argument("match_id")
def names(match_id: str) -> None:
    """Other names of MATCH_ID, and matches that it replaces."""
    for name in here().history.names.names_of(Subject.MATCH, match_id):
        waits = name.kind is NameKind.SAME and not name.is_merged
        click.echo(f"{name.name:40} {name.kind.value}{', not joined yet' if waits else ''}")


@matches.command("replace")
@click.argument("match_id")
@click.argument("successor")
def replace(match_id: str, successor: str) -> None:
    """MATCH_ID continues as SUCCESSOR: its readers are redirected, and its followers follow both."""
    try:
        accept([replace_match(here(), match_id, successor, now_ms=now_ms())])
    except Refused as error:
        raise click.ClickException(error.message) from None


@matches.command("suggest")
@click.option("--days", default=2, show_default=True, type=click.IntRange(1, 366), help="How many days from today.")
@click.option("--confirm", is_flag=True, help="Ask about each, and link those that are confirmed.")
def suggest(days: int, confirm: bool) -> None:
    """Matches of different sources that may be one, by start and names, the likeliest first."""
    before = Precedence(here().settings.sources.replace(",", " ").split()).goes_before
    pairs = suggestions(_of_days(days), before)
    for pair in pairs:
        click.echo(_line(pair))
        if confirm and click.confirm("  Are they one match?"):
            _link(pair.name.id, pair.match.id)
    if not pairs:
        click.echo("Nothing looks alike.", err=True)


def _link(name: str, match_id: str) -> None:
    try:
        click.echo(f"{name} is {link(here(), name, match_id, now_ms=now_ms())} from now on.")
    except Refused as error:
        raise click.ClickException(error.message) from None


def _of_days(days: int) -> Iterator[Match]:
    today_ms = now_ms() // DAY_MS * DAY_MS
    wanted = MatchFilter(since=today_ms, until=today_ms + days * DAY_MS)
    page, more = here().history.matches(wanted, PAGE)
    yield from page
    while more:
        page, more = here().history.matches(wanted, PAGE, more)
        yield from page


def _line(pair: Suggestion) -> str:
    command = f"flask matches link {pair.name.id} {pair.match.id}"
    return f"{pair.likeness:3}  {_of(pair.name)}\n     {_of(pair.match)}\n     {command}"


def _of(match: Match) -> str:
    start = datetime.fromtimestamp((match.start_time or 0) / 1000, UTC)
    home, away = (team.name if team else "?" for team in (match.home, match.away))
    return f"{match.source:14} {start:%Y-%m-%d %H:%M}  {home} – {away}"
