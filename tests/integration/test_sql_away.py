"""The bench that stops SQL under a Saturday, for seconds: everything is written, once, and followers hear of it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import postgres_bin
from tests.support.paths import ROOT
from tests.support.stories.count import in_full

SECONDS = 20


@in_full
@pytest.mark.skipif(postgres_bin() is None, reason="no PostgreSQL: apt-get install postgresql")
def test_what_is_told_while_sql_is_away_is_written_once() -> None:
    command = [sys.executable, "-m", "bench.sql_away", "--minutes", str(SECONDS / 60)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    print(figures)
    wrong = ("set_aside", "events_lost", "events_twice", "matches_behind_live", "matches_with_other_scores")
    assert {name: figures[name] for name in wrong} == dict.fromkeys(wrong, 0)
    assert figures["status_away"] == "degraded"
    assert figures["reads"]["away"]["failed"] == 0
    assert (figures["pushes_repeated"], figures["alerts_expired"]) == (0, 0)
    assert figures["phones_right"] == figures["matches_with_goals"]
