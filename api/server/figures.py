"""What a worker counts of its connections. It knows no metrics: the app is given these once a second."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Figures:
    """Since the process began, but for the first three.

    places: connections that may stay.
    taken: those of them that are there.
    extra: connections without a place that are there.
    hot: requests answered or held from the event loop.
    handled: requests, and broken heads, that a handler was started for.
    placeless: connections that came when all places were taken.
    slow: connections ended because the client did not take its answer in time.
    """

    places: int
    taken: int = 0
    extra: int = 0
    hot: int = 0
    handled: int = 0
    placeless: int = 0
    slow: int = 0
