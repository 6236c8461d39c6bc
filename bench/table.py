"""What a goal costs the table of a league.

`python -m bench.table [--count 200]`. A season of 20 sides, 380 matches, ten of them in play, in this process: after a
goal in one of them its state is decoded, the table is counted anew, rendered and compressed. The table of figures has
microseconds of the processor for each step.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import time
from collections.abc import Callable
from dataclasses import replace

from api.delivery import render_competition
from api.delivery.answer import RenderedAnswer
from api.delivery.render import dumps
from db.codec import decode_match, encode_match
from db.domain import Competition, Match, Score, Status, Team
from db.domain.standings import standings
from db.rulebook import rules_of

SIDES, IN_PLAY, DAY_MS = 20, 10, 24 * 60 * 60 * 1000
CUP = Competition("english-premier-league", "League")
RULES = rules_of(CUP.id)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.table", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=200, help="goals (default 200)")
    count = parser.parse_args().count
    matches = season()
    text = encode_match(matches[-1])
    groups = standings(matches, RULES, "2023-24")
    body = render_competition.table(CUP, "2023-24", 1, groups, [])
    steps: dict[str, Callable[[], object]] = {
        "decode the match": lambda: decode_match(text, 1, 1),
        "count the table": lambda: standings(matches, RULES, "2023-24"),
        "render": lambda: dumps(render_competition.table(CUP, "2023-24", 1, groups, [])),
        "compress": lambda: RenderedAnswer(dumps(body), {}).compressed,
    }
    costs = {name: cost_us(step, count) for name, step in steps.items()}
    for name, cost in costs.items():
        print(f"{name:20}{cost:>8.0f} µs")
    print(json.dumps({"matches": len(matches), "goal_us": round(sum(costs.values())), "bytes": len(dumps(body))}))


def season() -> list[Match]:
    """Of random results."""
    chance = random.Random(1)
    pairs = list(itertools.permutations(range(SIDES), 2))
    chance.shuffle(pairs)
    matches = [_match(number, *pair, chance) for number, pair in enumerate(pairs)]
    return matches[:-IN_PLAY] + [replace(match, status=Status.SECOND_HALF) for match in matches[-IN_PLAY:]]


def _match(number: int, home: int, away: int, chance: random.Random) -> Match:
    return Match(
        f"m{number}",
        number,
        home=Team(f"team-{home}", f"Team {home}"),
        away=Team(f"team-{away}", f"Team {away}"),
        competition=CUP,
        start_time=number // IN_PLAY * DAY_MS,
        round=f"{number // IN_PLAY}",
        status=Status.FINISHED,
        score=Score(chance.randint(0, 3), chance.randint(0, 2)),
    )


def cost_us(step: Callable[[], object], count: int) -> float:
    """The median, as others share the machine."""
    costs = []
    for _ in range(count):
        began = time.process_time_ns()
        step()
        costs.append(time.process_time_ns() - began)
    return sorted(costs)[len(costs) // 2] / 1_000


if __name__ == "__main__":
    main()
