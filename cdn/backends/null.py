"""No CDN: a purge does nothing and succeeds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cdn.backends.base import DONE, Budget, Outcome


class NullBackend:
    name = "null"
    max_keys = 1_000_000
    soft = True
    floor_s = 0
    rebound_above_s = math.inf

    def __init__(self) -> None:
        self.budget = Budget(1e6, 1e6)

    def purge(self, keys: Sequence[str], *, soft: bool) -> Outcome:  # noqa: ARG002 - the protocol's signature
        return DONE
