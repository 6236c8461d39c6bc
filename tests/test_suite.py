"""What the suite itself relies on to be quick."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.mark.xdist_group("grouped")
def test_a_group_of_tests_runs_in_one_worker(request: pytest.FixtureRequest) -> None:
    """A worker of xdist names the group behind the test, and the tests are shared out by that. Without it each worker
    starts every system that the tests of a module share."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("without --dist loadgroup")
    assert request.node.nodeid.endswith("@grouped")


def test_quick_leaves_out_what_starts_a_process(tmp_path: Path) -> None:
    path = tmp_path / "test_two.py"
    path.write_text("import os\n\ndef test_starts(): os.system('true')\n\ndef test_does_not(): pass\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.quick", "--quick", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "1 passed, 1 skipped" in done.stdout, done.stdout + done.stderr
