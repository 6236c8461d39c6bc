"""After the last message: until when the service has worked it all in, and whether it came to what was recorded."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from workers.recordings.door import Door
from workers.recordings.recording import Expected

# Between two rounds of questions; matches that are right are not asked for again.
ROUND_S = 0.5
NOT_THERE = "not there"


def settle(door: Door, expected: Mapping[str, Expected], at_most_s: float) -> dict[str, str]:
    """What the service says of each match, once it is what was expected or the time is up."""
    deadline = time.monotonic() + at_most_s
    got: dict[str, str] = {}
    waiting = list(expected)
    while waiting:
        got |= {match_id: _shown(door.score(match_id)) for match_id in waiting}
        waiting = [match_id for match_id in waiting if got[match_id] != str(expected[match_id])]
        if time.monotonic() > deadline:
            break
        if waiting:
            time.sleep(ROUND_S)
    return got


def _shown(score: dict[str, Any] | None) -> str:
    if score is None:
        return NOT_THERE
    kicks = score.get("shootout")
    shootout = (kicks["home"], kicks["away"]) if kicks else None
    return str(Expected(score["home_score"], score["away_score"], score["status"], shootout))


def table(expected: Mapping[str, Expected], got: Mapping[str, str]) -> str:
    """One line a match, in columns, and a last one with the sum."""
    rows = [("match", "expected", "got", "")]
    for match_id, end in expected.items():
        rows.append((match_id, str(end), got[match_id], "ok" if str(end) == got[match_id] else "differs"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        " | ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
    ]
    right = sum(row[3] == "ok" for row in rows)
    return "\n".join([*lines, f"{right} of {len(expected)} as recorded"])
