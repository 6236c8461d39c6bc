"""After the last message: wait until the service has applied everything, and compare the results.

A match may show its final result while messages are still to be applied (--twice). `/readyz` shows how many are
waiting. Where it does not answer, or others send too, a match counts as applied once its version has not changed for a
while.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dev.recordings.recording import Expected
from dev.replay.ingest_client import IngestClient

# Between two rounds of requests; settled matches are not requested again.
ROUND_S = 0.5
# The clock finds a lost doorbell within two seconds (docs/architecture.md).
QUIET_S = 3.0
# Maximum age of a live score in an edge cache that was not purged (docs/architecture.md).
EDGE_S = 3.0
NOT_THERE = "not there"
NOT_SETTLED = "more to apply"


@dataclass(frozen=True, slots=True)
class _Look:
    """shown: the result last read.
    version: its version.
    since: monotonic time of the first reading of that version.
    cached: read from an edge cache.
    """

    shown: str
    version: int | None
    since: float
    cached: bool


def settle(client: IngestClient, expected: Mapping[str, Expected], at_most_s: float) -> dict[str, str]:
    """Results by match, once everything is applied and as expected, or the time is up.

    A correct match that may have more to apply when the time is up is marked.
    """
    deadline = time.monotonic() + at_most_s
    looks: dict[str, _Look] = {}
    waiting, applied_at = list(expected), None
    while waiting:
        if applied_at is None and client.waiting() == 0:
            applied_at = time.monotonic()
        for match_id in waiting:
            looks[match_id] = _look(client, match_id, looks.get(match_id))
        waiting = [
            match_id
            for match_id in waiting
            if looks[match_id].shown != str(expected[match_id]) or not _is_settled(looks[match_id], applied_at)
        ]
        if time.monotonic() > deadline:
            break
        if waiting:
            time.sleep(ROUND_S)
    return {match_id: _ending(look, str(expected[match_id]), match_id in waiting) for match_id, look in looks.items()}


def _look(client: IngestClient, match_id: str, before: _Look | None) -> _Look:
    answer = client.score(match_id)
    version = answer.body.get("version") if answer else None
    shown = _shown(answer.body if answer else None)
    stands = before is not None and (before.version, before.shown) == (version, shown)
    since = before.since if before and stands else time.monotonic()
    return _Look(shown, version, since, answer is not None and answer.cached)


def _is_settled(look: _Look, applied_at: float | None) -> bool:
    now = time.monotonic()
    if applied_at is None:
        return now - look.since >= QUIET_S
    return not look.cached or now - applied_at >= EDGE_S


def _ending(look: _Look, expected: str, is_waiting: bool) -> str:
    return f"{look.shown}, {NOT_SETTLED}" if is_waiting and look.shown == expected else look.shown


def _shown(score: dict[str, Any] | None) -> str:
    if score is None:
        return NOT_THERE
    kicks = score.get("shootout")
    shootout = (kicks["home"], kicks["away"]) if kicks else None
    return str(Expected(score["home_score"], score["away_score"], score["status"], shootout))


def table(expected: Mapping[str, Expected], got: Mapping[str, str]) -> str:
    """One row a match in columns, and a last line with the total."""
    rows = [("match", "expected", "got", "")]
    for match_id, end in expected.items():
        rows.append((match_id, str(end), got[match_id], "ok" if str(end) == got[match_id] else "differs"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        " | ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
    ]
    right = sum(row[3] == "ok" for row in rows)
    return "\n".join([*lines, f"{right} of {len(expected)} as recorded"])
