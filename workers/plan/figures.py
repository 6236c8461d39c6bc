"""What one process can do, from a file that the benches fill (`python -m dev.record`)."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path

FILE = Path(__file__).with_name("figures.json")


@dataclass(frozen=True, slots=True)
class BenchFigures:
    """held_per_process: readers that one web process holds and releases at once.
    release_us: of the loop, to release one of them.
    reader_kb: memory of each.
    reads_per_process_s: plain reads a second of one web process.
    events_per_worker_s: events a second that one worker process applies.
    pushes_per_worker_s: pushes a second that one worker process sends.
    """

    held_per_process: float
    release_us: float
    reader_kb: float
    reads_per_process_s: float
    events_per_worker_s: float
    pushes_per_worker_s: float

    @classmethod
    def load(cls, path: Path = FILE) -> BenchFigures:
        rows = json.loads(path.read_text())
        return cls(**{field.name: float(rows[field.name]["value"]) for field in fields(cls)})
