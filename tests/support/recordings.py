"""The recorded matches beside the repository, told to a running system, and what it shows of them afterwards."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.sql.models import MatchEventRow, MatchRow
from dev.recordings import Expected, read
from dev.replay import __main__
from tests.conftest import ROOT
from tests.support.stories.count import some
from tests.support.system import System

DATA = ROOT.parent / "shared" / "data"
TOURNAMENTS = tuple(f"openfootball/{name}.json" for name in ("worldcup-2022", "worldcup-2018", "euro-2024"))
# Those first that have what others lack: a match that was awarded, matches that were cancelled, shoot-outs.
SEASONS = ("it.1-2020-21", "nl.1-2019-20", "de.cup-2019-20", "uefa.cl-2019-20", "de.1-2023-24", "en.1-2023-24")
LEAGUES = tuple(f"openfootball/{name}.json" for name in SEASONS)
MA3 = "statsperform/ma3-2021-09-11-hsv-sandhausen.json"
FEEDS = (
    "sportradar/soccer-timeline-2020-05-16-frankfurt-moenchengladbach.json",
    "sportradar/nfl-playbyplay-2019-12-29-49ers-seahawks.json",
    "sportradar/push-stream-nba-2023-07-19-slice.jsonl",
    "sportradar/push-stream-mlb-2024-05-21.jsonl",
    "statsperform/ma1-2021-09-11-hsv-sandhausen.json",
    MA3,
    "statsbomb/events-3788741-turkey-italy-2021-06-11.json.gz",
    "datafactory/datafactory-anonymised-final.json",
)
DETAILED = (*some(TOURNAMENTS, 1), *FEEDS)
# What depends on when a system was told.
WHEN = ("version", "events_version", "updated_at", "minute_at", "next", "created_at")

needed = pytest.mark.skipif(not DATA.exists(), reason="no recorded data beside the repository: shared/data")


def suffix(file: str) -> str:
    """MA1 and MA3 tell of one match: here of two, so that neither can help the other."""
    return ".ma3" if file == MA3 else ""


def expected(file: str) -> dict[str, Expected]:
    return {match_id + suffix(file): end for match_id, end in read(DATA / file).expected.items()}


def tell(system: System, files: tuple[str, ...], *options: str) -> None:
    """As an operator would: `python -m dev.replay`, which fails unless every match ends as recorded."""
    with pytest.MonkeyPatch.context() as environment:
        for provider, secret in system.secrets.items():
            environment.setenv(f"INGEST_SECRET_{provider.upper()}", secret)
        for end in sorted({suffix(file) for file in files}):
            paths = [str(DATA / file) for file in files if suffix(file) == end]
            where = ["--url", system.url, "--speed", "max", "--connections", "16", "--settle", "120", "--suffix", end]
            assert __main__.main([*paths, *where, *options]) == 0
    system.wait_settled()


def timeline(system: System, match_id: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = system.get(f"/api/matches/{match_id}/events").json()["events"]
    return events


def essence(system: System, match_id: str) -> object:
    """All that a reader is shown, but the times at which we heard it: the order of telling must not show in it.

    The basketball stream tells a play again, reworded, within the second that is all its times have: its words and
    clocks are left out.
    """
    body = {word: value for word, value in system.score(match_id).items() if word not in WHEN}
    events = [
        {word: value for word, value in event.items() if word not in WHEN} for event in timeline(system, match_id)
    ]
    if body["sport"] == "basketball":
        events = [{word: event[word] for word in ("id", "event_type", "team", "player", "voided")} for event in events]
        body = {word: body[word] for word in ("status", "home_score", "away_score")}
    return body, {event["id"]: event for event in events}


def assert_history_is_live(system: System, files: tuple[str, ...]) -> None:
    """SQL holds every event of every match once, voided where it is voided, and the version that readers see. One
    without a type is known by its voiding alone, and shown to nobody."""
    with Session(system.sql) as session:
        columns = MatchEventRow.match_id, MatchEventRow.id, MatchEventRow.voided
        # One without a type is known by its voiding alone, and not shown.
        rows = session.execute(select(*columns).where(MatchEventRow.event_type != "")).all()
        ends = {row.id: (row.status, row.version) for row in session.scalars(select(MatchRow))}
    assert max(Counter((match_id, event_id) for match_id, event_id, _ in rows).values()) == 1
    written: dict[str, dict[str, bool]] = {}
    for match_id, event_id, voided in rows:
        written.setdefault(match_id, {})[event_id] = voided
    for match_id in (match_id for file in files for match_id in expected(file)):
        live = {event["id"]: event["voided"] for event in timeline(system, match_id)}
        body = system.score(match_id)
        assert (written.get(match_id, {}), ends[match_id]) == (live, (body["status"], body["version"])), match_id
