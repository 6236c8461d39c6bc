"""What a cache server takes to release its readers, from a run of `make bench-edge`; and how well it predicts another.

A release is a line: the first reader after `base_s`, each further one `release_s` later. Varnish wakes its readers in a
tree, so the true curve is steeper at its end, which shows as an error at the median.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """readers: held at one Varnish. p50, p99, last: seconds from the webhook to their release."""

    readers: int
    p50: float
    p99: float
    last: float


# python -m bench.edge --part held --clients 2000 --rounds 5, medians of the warm rounds, 2026-11-30.
SMALL = Run(2_000, 0.111, 0.162, 0.162)
# make bench-edge, 2026-11-25 (docs/edge.md, "How much it takes"). Not used to calibrate.
LARGE = Run(15_000, 0.564, 0.836, 0.836)


@dataclass(frozen=True, slots=True)
class Line:
    """base_s, release_s: as in World."""

    base_s: float
    release_s: float

    def at(self, readers: int) -> Run:
        """What it predicts for so many."""
        last = self.base_s + readers * self.release_s
        return Run(
            readers, self.base_s + 0.5 * readers * self.release_s, self.base_s + 0.99 * readers * self.release_s, last
        )


def line(run: Run) -> Line:
    """Through the median and the last."""
    release_s = 2 * (run.last - run.p50) / run.readers
    return Line(run.last - run.readers * release_s, release_s)


def errors(predicted: Run, measured: Run) -> dict[str, float]:
    """Relative: above 0 where the prediction is too slow."""
    return {name: getattr(predicted, name) / getattr(measured, name) - 1 for name in ("p50", "p99", "last")}
