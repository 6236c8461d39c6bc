"""Recorded matches, told as providers tell them and fully shuffled, end as they truly did."""

from __future__ import annotations

import random

import pytest

from tests.support.stories.count import STORIES
from tests.support.stories.interim import judge
from tests.support.stories.oracle import Case, case, words, wrongs
from tests.support.stories.orders import random_order
from tests.support.stories.play import play
from tests.support.stories.teller import STYLES, Style
from tests.support.stories.truth import DATA

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="no recorded data beside the repository: shared/data")

# A style is told so often; by `make faults` 200 times.
RUNS = STORIES // 25


@pytest.mark.faults
@pytest.mark.parametrize("style", STYLES, ids=str)
def test_a_match_told_in_any_order_ends_as_it_truly_did(style: Style) -> None:
    failed = {seed: faults for seed in range(RUNS) if (faults := _wrongs(case(style, seed)))}
    if failed:
        lines = "\n".join(f"  {seed}: {'; '.join(faults)}" for seed, faults in failed.items())
        first = case(style, next(iter(failed)))
        summary = f"{len(failed)} of {RUNS} matches end otherwise:\n{lines}\nthe first, {first.truth.name}:"
        pytest.fail(f"{summary}\n{words(first)}", pytrace=False)


def _wrongs(case: Case) -> list[str]:
    rng = random.Random(case.seed)
    return wrongs(play(random_order(case.messages, rng, doubled=0.1)), case)


@pytest.mark.faults
@pytest.mark.parametrize("style", STYLES, ids=str)
def test_nothing_false_is_shown_or_told_on_the_way(style: Style) -> None:
    """In the order of arrival, late and doubled messages included; `python -m tests.support.stories.interim` counts."""
    faulty = {seed: verdict for seed in range(RUNS // 2) if (verdict := judge(case(style, seed))).faults}
    assert not faulty
