"""The story end to end: a signed event becomes the score, and history; a dead worker is replaced."""

from __future__ import annotations

from collections.abc import Callable

import psutil
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.sql.models import MatchEventRow, MatchRow, MatchScoreRow
from tests.support.stories.count import some
from tests.support.system import System, event

# Other tests start systems on SQLite.
DATABASES = some(("postgresql", "sqlite"), 1)


@pytest.mark.faults
@pytest.mark.parametrize("database_url", DATABASES, indirect=True)
def test_a_signed_goal_becomes_the_score_and_history(run_system: Callable[..., System], database_url: str) -> None:
    system = run_system(DATABASE_URL=database_url)
    system.post_match("final", "Argentina", "France", competition="World Cup", venue="Lusail", sport="football")
    system.post_events(event("final", "kickoff", 0, 0, 1, event_id="k"))
    before = system.wait_for("final", "0-0")

    goal = event("final", "goal", 1, 0, 90, added_minute=6, event_id="g", team="home", player={"name": "Messi"})
    answer = system.post({"events": [goal]})
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})

    after = system.wait_for("final", "1-0")
    assert after["version"] > before["version"]
    assert (after["minute"], after["added_minute"], after["phase"]) == (90, 6, "live")
    assert [match["match_id"] for match in system.get("/api/live").json()["matches"]] == ["final"]
    assert [entry["id"] for entry in system.get("/api/matches/final/events").json()["events"]] == ["k", "g"]

    system.wait_settled()
    with Session(system.sql) as session:
        match = session.get(MatchRow, "final")
        assert match
        assert (match.home_team, match.away_team) == ("Argentina", "France")
        assert (match.competition, match.venue, match.status) == ("World Cup", "Lusail", "first_half")
        assert match.version == after["version"]
        scores = session.scalars(select(MatchScoreRow).order_by(MatchScoreRow.version)).all()
        assert [(row.home_score, row.away_score, row.minute) for row in scores][-1] == (1, 0, 90)
        events = session.scalars(select(MatchEventRow).order_by(MatchEventRow.created_at)).all()
        assert [(row.id, row.event_type, row.minute, row.player, row.team, row.voided) for row in events] == [
            ("k", "kickoff", 1, None, None, False),
            ("g", "goal", 90, "Messi", "home", False),
        ]
    kill_its_child(system, "worker-0")
    system.post_events(event("final", "goal", 2, 0, 91, event_id="g2", team="home"))
    system.wait_for("final", "2-0")
    assert "worker_died index=0" in system.log("worker-0").read_text()
    # gevent warns of what was imported before it patched.
    assert "Warning" not in system.log("web").read_text()


def kill_its_child(system: System, worker: str) -> None:
    """The process that works; the one that watches over it stays."""
    children = psutil.Process(system.processes[worker].pid).children()
    [child] = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
    child.kill()
