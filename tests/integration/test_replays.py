"""Every recorded match through the real signed doors of a running system, told well and told badly."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.domain.words import SCORING
from db.models import MatchEventRow, MatchRow
from tests.conftest import ROOT, empty_postgres, postgres_bin
from tests.system import System
from workers import replay
from workers.recordings import Expected, Goal, openfootball, read

# One system told all: these tests belong in one process.
pytestmark = pytest.mark.xdist_group("replays")

DATA = ROOT.parent / "shared" / "data"
TOURNAMENTS = tuple(f"openfootball/{name}.json" for name in ("worldcup-2022", "worldcup-2018", "euro-2024"))
SEASONS = ("de.1-2023-24", "en.1-2023-24", "it.1-2020-21", "nl.1-2019-20", "de.cup-2019-20", "uefa.cl-2019-20")
LEAGUES = tuple(f"openfootball/{name}.json" for name in SEASONS)
MA3 = "statsperform/ma3-2021-09-11-hsv-sandhausen.json"
FEEDS = (
    "sportradar/soccer-timeline-2020-05-16-frankfurt-moenchengladbach.json",
    "sportradar/nfl-playbyplay-2019-12-29-49ers-seahawks.json",
    "sportradar/push-stream-nba-2023-07-19-slice.jsonl",
    "statsperform/ma1-2021-09-11-hsv-sandhausen.json",
    MA3,
    "statsbomb/events-3788741-turkey-italy-2021-06-11.json.gz",
    "datafactory/datafactory-anonymised-final.json",
)
DETAILED = TOURNAMENTS + FEEDS
# What depends on when a system was told.
WHEN = ("version", "updated_at", "minute_at", "next", "created_at")
BADLY = ("--twice", "--shuffle", "--duplicates", "10", "--seed", "7")


def suffix(file: str) -> str:
    """MA1 and MA3 tell of one match: here of two, so that neither can help the other."""
    return ".ma3" if file == MA3 else ""


def told(system: System, files: tuple[str, ...], *options: str) -> None:
    """As an operator would: `python -m workers.replay`, which fails unless every match ends as recorded."""
    with pytest.MonkeyPatch.context() as environment:
        for provider, secret in system.secrets.items():
            environment.setenv(f"INGEST_SECRET_{provider.upper()}", secret)
        for end in {suffix(file) for file in files}:
            paths = [str(DATA / file) for file in files if suffix(file) == end]
            where = ["--url", system.url, "--speed", "max", "--connections", "16", "--settle", "60", "--suffix", end]
            assert replay.main([*paths, *where, *options]) == 0
    system.wait_settled()


def expected(file: str) -> dict[str, Expected]:
    return {match_id + suffix(file): end for match_id, end in read(DATA / file).expected.items()}


@pytest.fixture(scope="module")
def straight(run_module_system: Callable[..., System]) -> System:
    """Told every detailed recording in order, one event a request; on SQLite."""
    if not DATA.exists():
        pytest.skip("no recorded data beside the repository: shared/data")
    system = run_module_system()
    told(system, DETAILED)
    return system


@pytest.fixture(scope="module")
def disordered(run_module_system: Callable[..., System], request: pytest.FixtureRequest) -> System:
    """Told the same shuffled, with a tenth repeated, and then all of it again; on PostgreSQL where there is one."""
    settings = {}
    if postgres_bin():
        settings["DATABASE_URL"] = request.getfixturevalue("postgres").url
        empty_postgres(settings["DATABASE_URL"])
    system = run_module_system(**settings)
    told(system, DETAILED, *BADLY)
    return system


@pytest.mark.parametrize("file", DETAILED)
@pytest.mark.parametrize("told_how", ["straight", "disordered"])
def test_every_match_ends_as_recorded(file: str, told_how: str, request: pytest.FixtureRequest) -> None:
    system = request.getfixturevalue(told_how)
    for match_id, end in expected(file).items():
        body, goals = system.score(match_id), goals_of(system, match_id)
        kicks = body["shootout"]
        shown = (body["home_score"], body["away_score"], body["status"], kicks and (kicks["home"], kicks["away"]))
        assert shown == (end.home, end.away, end.status, end.shootout), match_id
        assert end.goals is None or goals == list(end.goals), match_id


@pytest.mark.parametrize("file", TOURNAMENTS)
@pytest.mark.parametrize("told_how", ["straight", "disordered"])
def test_how_a_match_was_decided_is_shown(file: str, told_how: str, request: pytest.FixtureRequest) -> None:
    system = request.getfixturevalue(told_how)
    found = {match_id: system.score(match_id)["decided_by"] for match_id in decided(file)}
    assert found == decided(file)
    assert {"regular", "penalties"} <= set(found.values())


@pytest.mark.parametrize("file", DETAILED)
def test_told_badly_a_match_ends_the_same(straight: System, disordered: System, file: str) -> None:
    for match_id in expected(file):
        assert essence(straight, match_id) == essence(disordered, match_id), match_id


@pytest.mark.parametrize("told_how", ["straight", "disordered"])
def test_history_holds_each_event_once_as_it_stands(told_how: str, request: pytest.FixtureRequest) -> None:
    system = request.getfixturevalue(told_how)
    with Session(system.sql) as session:
        rows = session.execute(select(MatchEventRow.match_id, MatchEventRow.id, MatchEventRow.voided)).all()
        ends = {row.id: (row.status, row.version) for row in session.scalars(select(MatchRow))}
    assert max(Counter((match_id, event_id) for match_id, event_id, _ in rows).values()) == 1
    written: dict[str, dict[str, bool]] = {}
    for match_id, event_id, voided in rows:
        written.setdefault(match_id, {})[event_id] = voided
    for match_id in (match_id for file in DETAILED for match_id in expected(file)):
        live = {one["id"]: one["voided"] for one in timeline(system, match_id)}
        body = system.score(match_id)
        assert (written.get(match_id, {}), ends[match_id]) == (live, (body["status"], body["version"])), match_id


def test_seasons_and_cups_end_as_recorded(run_system: Callable[..., System]) -> None:
    if not DATA.exists():
        pytest.skip("no recorded data beside the repository: shared/data")
    told(run_system(), LEAGUES, "--batch", "100")


def timeline(system: System, match_id: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = system.get(f"/api/matches/{match_id}/events").json()["events"]
    return events


def goals_of(system: System, match_id: str) -> list[Goal]:
    """As anybody reads them off the timeline."""
    counted = [one for one in timeline(system, match_id) if one["type"] in SCORING and not one["voided"]]
    return [
        Goal(one["team"], one["minute"], one["added_minute"], one["player"] and one["player"]["name"], one["type"])
        for one in counted
    ]


def decided(file: str) -> dict[str, str]:
    """What the recording says: `p` penalties, `et` or a goal after the 90 minutes extra time. (Two matches of Euro
    2024 were won in extra time and have their last score under `ft`.)"""
    document = json.loads((DATA / file).read_text())
    matches = document.get("matches") or [match for part in document["rounds"] for match in part["matches"]]
    return {openfootball.match_id(document["name"], match): decided_by(match) for match in matches}


def decided_by(match: dict[str, Any]) -> str:
    if "p" in match["score"]:
        return "penalties"
    minutes = [int(str(goal["minute"]).split("+")[0]) for goal in match.get("goals1", []) + match.get("goals2", [])]
    return "extra_time" if "et" in match["score"] or max(minutes, default=0) > 90 else "regular"


def essence(system: System, match_id: str) -> object:
    """All that a reader is shown, but the times at which we heard it: the order of telling must not show in it.

    The basketball stream tells a play again, reworded, within the second that is all its times have: its words and
    clocks are left out.
    """
    body = {word: said for word, said in system.score(match_id).items() if word not in WHEN}
    events = [{word: said for word, said in one.items() if word not in WHEN} for one in timeline(system, match_id)]
    if body["sport"] == "basketball":
        events = [{word: one[word] for word in ("id", "type", "team", "player", "voided")} for one in events]
        body = {word: body[word] for word in ("status", "home_score", "away_score")}
    return body, {one["id"]: one for one in events}
