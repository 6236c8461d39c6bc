"""How connections and answers go wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Faults:
    """How connections and answers go wrong, changeable while running (PUT /faults). 0 is never.

    latency_ms: before each answer. The rest count requests of one connection: after so many it gets a GOAWAY, is reset
    (every n), answers nothing more, or has one stream reset (every n, after the push was taken). status_every: one
    answer in n is `status` with `reason` instead.
    """

    latency_ms: int = 0
    goaway_after: int = 0
    cut_every: int = 0
    stall_after: int = 0
    reset_every: int = 0
    status_every: int = 0
    status: int = 503
    reason: str = "ServiceUnavailable"
    retry_after_s: int = 0


def is_turn(every: int, n: int) -> bool:
    """Whether the n-th is one of those that come every so many."""
    return bool(every) and n % every == 0
