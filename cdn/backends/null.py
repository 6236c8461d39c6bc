"""No CDN: nothing is purged and nothing is asked."""

from __future__ import annotations

from collections.abc import Sequence

from cdn.backends.base import DONE, Budget, Outcome


class NullBackend:
    name = "null"
    most = 1_000_000
    soft = True
    floor_s = 0
    rebound = False

    def __init__(self) -> None:
        self.budget = Budget(1e6, 1e6)

    def purge(self, keys: Sequence[str], *, soft: bool) -> Outcome:  # noqa: ARG002 - the protocol's words
        return DONE
