"""How connections and answers go wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Faults:
    """Changeable while running (PUT /faults). 0 is never. All but latency_ms count the requests of one connection.

    latency_ms: before each answer.
    goaway_after: a GOAWAY after so many.
    goaway_steps: 1 names the last stream at once. 2 warns first, as RFC 9113, 6.8 advises, and names it later.
    cut_every: the connection is reset after every n-th, which was accepted and gets no answer.
    close_every: the same, but closed in order.
    idle_death_s: after so long without a request it answers nothing more, and does not say so.
    stall_after: no answer after so many.
    reset_every: every n-th stream is reset after its push was accepted.
    status_every: one answer in n is `status` with `reason` instead.
    status: of status_every.
    reason: of status_every.
    retry_after_s: of status_every; 0 leaves the header out.
    """

    latency_ms: int = 0
    goaway_after: int = 0
    goaway_steps: int = 1
    cut_every: int = 0
    close_every: int = 0
    idle_death_s: float = 0.0
    stall_after: int = 0
    reset_every: int = 0
    status_every: int = 0
    status: int = 503
    reason: str = "ServiceUnavailable"
    retry_after_s: int = 0


def is_turn(every: int, n: int) -> bool:
    """Whether the n-th is one of those that come every so many."""
    return bool(every) and n % every == 0
