"""Scales nothing: what is wanted is in `/metrics`, for a scaler that reads it (KEDA, or anything else)."""

from __future__ import annotations

from collections.abc import Mapping


class NullScaler:
    name = "null"

    def apply(self, processes: Mapping[str, int]) -> dict[str, int]:
        return dict(processes)
