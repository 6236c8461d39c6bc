"""Two releases on one Redis and one database, side by side and one after the other, and back."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import text

from dev.system import ROOT
from tests.support.system import System, event

# The release before this one; `make release` moves it on.
BEFORE = "9082f581e24f8f4d65d2142e949bd95159efa592"
PROCESSES = ("web", "worker-0", "clock")


class Deployment(System):
    """Each process may be of either release. before: the code of the one before; running: the code of each process."""

    def __init__(self, folder: Path, before: Path) -> None:
        super().__init__(folder, WORKER_PROCESSES=1)
        self.before = before
        self.running: dict[str, Path] = {}

    def run(self, **releases: str) -> None:
        """Start anew what is of another release. releases: `before` or `now`, by kind of process."""
        roots = {name: self.before if releases[name.split("-")[0]] == "before" else ROOT for name in PROCESSES}
        changed = [name for name in PROCESSES if self.running.get(name) != roots[name]]
        for name in changed:
            self.stop(name)
        for name in changed:
            self.root = self.running[name] = roots[name]
            self._begin(name)
        self._until(self._serves, *PROCESSES)
        self._until(self._all_listen, *PROCESSES)


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    archive = subprocess.run(["git", "archive", BEFORE], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip("The release before is not in this clone: git fetch --unshallow")
    before, var = tmp_path / "before", tmp_path / "var"
    var.mkdir()
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        files.extractall(before, filter="data")
    deployment = Deployment(var, before)
    try:
        deployment.restart("redis")
        yield deployment
    finally:
        deployment.end()


def test_releases_run_side_by_side_and_each_goes_on_where_the_other_was(deployment: Deployment) -> None:
    deployment.migrate()
    sides = [
        {"web": "before", "worker": "before", "clock": "before"},
        {"web": "now", "worker": "before", "clock": "before"},
        {"web": "now", "worker": "now", "clock": "now"},
        {"web": "before", "worker": "now", "clock": "now"},
        {"web": "before", "worker": "before", "clock": "before"},
    ]
    version = 0
    for goals, side in enumerate(sides, 1):
        deployment.run(**side)
        deployment.post_events(event("m", "goal", goals, 0, goals, team="home", event_id=f"goal-{goals}"))
        score = deployment.wait_for("m", f"{goals}-0")
        assert score["version"] > version, side
        version = score["version"]
        deployment.wait_settled()
        timeline = deployment.get("/api/matches/m/events").json()["events"]
        assert [entry["home_score"] for entry in timeline] == [*range(1, goals + 1)], side
        with deployment.sql.connect() as connection:
            written = connection.scalars(text("SELECT id FROM match_events ORDER BY id")).all()
        assert written == [f"goal-{n}" for n in range(1, goals + 1)], side
