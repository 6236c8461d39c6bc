"""What the benches measure reaches the planner."""

from __future__ import annotations

import json
from pathlib import Path

from dev.record import TAKEN, recorded
from workers.plan.figures import FILE, BenchFigures


def test_a_bench_replaces_its_figures_and_no_others(tmp_path: Path) -> None:
    rows = json.loads(FILE.read_text())
    held = {"held": 12_000, "ours_last_ms": 180.0, "kb_per_client": 2.5, "ratio": 0.7}
    after = recorded(rows, held, date="2027-01-01", machine="another")
    (tmp_path / "figures.json").write_text(json.dumps(after))
    figures, before = BenchFigures.load(tmp_path / "figures.json"), BenchFigures.load()
    assert (figures.held_per_process, figures.release_us, figures.reader_kb) == (12_000, 15.0, 2.5)
    assert figures.pushes_per_worker_s == before.pushes_per_worker_s
    assert after["held_per_process"]["machine"] == "another"
    assert after["reads_per_process_s"] == rows["reads_per_process_s"]


def test_every_figure_names_its_command_and_machine() -> None:
    rows = json.loads(FILE.read_text())
    assert rows.keys() == TAKEN.keys()
    assert all(row.keys() == {"value", "unit", "date", "command", "machine"} for row in rows.values())
