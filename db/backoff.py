"""A pause that doubles with each failure in a row."""

from __future__ import annotations

# Each pause has reached its most by then. After a thousand failures, three hours of them, the power alone is more than
# a float holds.
DOUBLINGS_MAX = 32


def doubled(first: float, failures: int, most: float) -> float:
    """`first` doubled with each failure, at most `most`; in the unit of both."""
    return min(most, first * 2.0 ** min(failures, DOUBLINGS_MAX))
