"""The short way of a fold comes to the same as the long one."""

import random

import pytest

from db.domain import Score
from db.domain.fold import Fold, Item, Read, folded
from db.domain.stamp import Mark

BASES = [None, Score(0, 0), Score(2, 1)]


def boards(rng: random.Random, *, falls: float) -> list[Item]:
    """Of two sides, a second apart; some fall, of any channel, and now and then one is an event's, told anew."""
    home = away = 0
    items: list[Item] = []
    for n in range(rng.randrange(12)):
        fall = rng.random() < falls
        home, away = (max(0, count + (-1 if fall else rng.choice((0, 0, 1, 2)))) for count in (home, away))
        key = (float(n), -1.0, 0)
        first = (0.0, -1.0, 0) if rng.random() < falls / 2 else None
        items.append(Read(key, Mark(1_000 * n), rng.choice("bed"), Score(home, away), first))
    return items


@pytest.mark.parametrize("falls", [0.0, 0.2])
@pytest.mark.parametrize("base", BASES)
def test_boards_that_only_rise_come_to_what_every_step_of_them_does(base: Score | None, falls: float) -> None:
    rng = random.Random(7)
    for _ in range(500):
        items = boards(rng, falls=falls)
        assert folded(items, base) == Fold(base).run(items)
