"""Keeps what a bench measured for the planner: `make bench-hold | python -m dev.record`.

Reads the last line of a bench, its JSON object, and puts the figures that the planner uses into
`workers/plan/figures.json`, with the date and this machine.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workers.plan.figures import FILE

# What a figure is of a bench's object, and the fields it takes.
TAKEN: dict[str, tuple[tuple[str, ...], Callable[..., float]]] = {
    "held_per_process": (("held",), float),
    "release_us": (("ours_last_ms", "held"), lambda last_ms, held: round(last_ms * 1000 / held, 1)),
    "reader_kb": (("kb_per_client",), float),
    "reads_per_process_s": (("ours_rps",), float),
    "events_per_worker_s": (("flood_per_s",), float),
    "pushes_per_worker_s": (("end_to_end_per_s",), float),
}


def recorded(rows: Mapping[str, Any], measured: Mapping[str, Any], *, date: str, machine: str) -> dict[str, Any]:
    """The file's rows with those figures that were measured."""
    changed = dict(rows)
    for name, (fields, figure) in TAKEN.items():
        if all(field in measured for field in fields):
            value = figure(*(measured[field] for field in fields))
            changed[name] = dict(rows[name]) | {"value": value, "date": date, "machine": machine}
    return changed


def main(path: Path = FILE) -> None:
    lines = sys.stdin.read().strip().splitlines()
    try:
        measured = json.loads(lines[-1])
    except (IndexError, ValueError):
        sys.exit("dev.record reads a bench whose last line is a JSON object.")
    machine = f"{platform.machine()}, {platform.processor() or platform.node()}"
    rows = recorded(json.loads(path.read_text()), measured, date=time.strftime("%Y-%m-%d"), machine=machine)
    path.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
