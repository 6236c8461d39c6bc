"""What a scaler does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Scaler(Protocol):
    """name: in log and metric."""

    name: str

    def apply(self, processes: Mapping[str, int]) -> dict[str, int]:
        """Have so many processes of each type; returns how many there will be. Doing it twice is doing it once.

        Raises Unavailable to be tried again, Refused where a person has to act."""
