"""List prices, from a dated file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("prices.toml")
MONTH_HOURS = 730.0

# Up to so many units a month, and the price of one.
Tiers = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class CdnPrice:
    """per_gb: of what is delivered. per_10k: of ten thousand requests. monthly: of the plan. US dollars."""

    per_gb: Tiers = ()
    per_10k: Tiers = ()
    monthly: float = 0.0

    def cost(self, *, gb: float, requests: float) -> float:
        return self.monthly + _tiered(gb, self.per_gb) + _tiered(requests / 10_000, self.per_10k)


@dataclass(frozen=True, slots=True)
class Prices:
    """date: of the lists. cdn: by name. dyno_size, dyno_monthly: of what the plan counts in."""

    date: str
    cdn: Mapping[str, CdnPrice] = field(default_factory=dict)
    dyno_size: str = ""
    dyno_monthly: float = 0.0

    @classmethod
    def load(cls, path: Path = FILE) -> Prices:
        document: dict[str, Any] = tomllib.loads(path.read_text())
        cdn = {name: _cdn(row) for name, row in document["cdn"].items()}
        return cls(document["date"], cdn, document["dyno"]["size"], float(document["dyno"]["monthly"]))

    def dynos(self, count: int, hours: float) -> float:
        return self.dyno_monthly * count * hours / MONTH_HOURS


def _cdn(row: Mapping[str, Any]) -> CdnPrice:
    tiers = {name: tuple((float(most), float(price)) for most, price in row.get(name, ())) for name in _TIERED}
    return CdnPrice(**tiers, monthly=float(row.get("monthly", 0.0)))


_TIERED = ("per_gb", "per_10k")


def _tiered(units: float, tiers: Tiers) -> float:
    total, below = 0.0, 0.0
    for most, price in tiers:
        total += max(0.0, min(units, most) - below) * price
        below = most
    return total
