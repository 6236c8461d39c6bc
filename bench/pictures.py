"""What the picture of a match costs.

`python -m bench.pictures [--count 100]`. Cards of several scripts and lengths are drawn in this process. The table has
milliseconds of the processor and bytes for each; then what importing all of it takes, and what a commit pays to see
whether the picture changes.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import psutil  # type: ignore[import-untyped]

from db.domain import Competition, Match, Score, Status, Team
from pictures.card import Card, card_of

CARDS = {
    "short": Card("Argentina", "France", "3–1", "", "Second half", True, "World Cup"),
    "shoot-out": Card("Argentina", "France", "3–3", "4–2", "After penalties", False, "World Cup"),
    "arabic": Card("الهلال", "النصر", "2–1", "", "Half-time", False, "دوري روشن السعودي"),
    "long": Card(
        "Borussia Verein für Leibesübungen 1900 Mönchengladbach",
        "Wolverhampton Wanderers Football Club",
        "10–12",
        "",
        "Extra time, second half",
        True,
        "UEFA Europa Conference League Qualification Play-off Round",
    ),
}
COMPARED = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.pictures", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=100, help="pictures of each card (default 100)")
    count = parser.parse_args().count
    before = psutil.Process().memory_info().rss
    drawing = importlib.import_module("pictures.drawing")
    sizes = {name: len(drawing.png(card)) for name, card in CARDS.items()}
    memory_mb = (psutil.Process().memory_info().rss - before) / 1_000_000
    costs = {}
    for name, card in CARDS.items():
        costs[name] = cost_ms(lambda card=card: drawing.png(card), count)  # type: ignore[misc]
        print(f"{name:12}{costs[name]:>6.1f} ms {sizes[name]:>8,} bytes")
    match = Match(
        "m",
        home=Team("h", "Argentina"),
        away=Team("a", "France"),
        competition=Competition("c", "World Cup"),
        status=Status.SECOND_HALF,
        score=Score(1, 0),
    )
    later = replace(match, minute=2)
    compared_us = cost_ms(lambda: card_of(match) != card_of(later), COMPARED) * 1000
    print(f"{'comparing':12}{compared_us:>6.1f} µs")
    print(f"{'memory':12}{memory_mb:>6.1f} MB")
    print(
        json.dumps(
            {
                "ms": round(statistics.mean(costs.values()), 1),
                "bytes": round(statistics.mean(sizes.values())),
                "memory_mb": round(memory_mb, 1),
                "compared_us": round(compared_us, 1),
            }
        )
    )


def cost_ms(step: Callable[[], object], count: int) -> float:
    """Of the processor, for one."""
    began = time.process_time()
    for _ in range(count):
        step()
    return (time.process_time() - began) * 1000 / count


if __name__ == "__main__":
    main()
