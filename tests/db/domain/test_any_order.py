"""Whatever the order of arrival and however often each message comes, a story ends in the same match."""

from __future__ import annotations

import pytest

from tests.support.stories.count import STORIES
from tests.support.stories.generator import story
from tests.support.stories.orders import Story, failing_order, report, shrunk

BLOCKS = 10
ORDERS = 4
# Shrinking looks harder: a part of a story may fail in few orders.
SHRINKING_ORDERS = 24


@pytest.mark.faults
@pytest.mark.parametrize("block", range(BLOCKS))
def test_a_story_ends_the_same_in_every_order(block: int) -> None:
    failed = [seed for seed in range(block, STORIES, BLOCKS) if failing_order(story(seed), seed, ORDERS)]
    if failed:
        pytest.fail(f"{len(failed)} of {STORIES // BLOCKS} stories: {failed}\n{_smallest(failed[0])}", pytrace=False)


def _smallest(seed: int) -> str:
    def fails(part: Story) -> bool:
        return failing_order(part, seed, SHRINKING_ORDERS) is not None

    part = shrunk(story(seed), fails)
    order = failing_order(part, seed, SHRINKING_ORDERS)
    assert order is not None
    return f"seed {seed}, shrunk:\n{report(part, order)}"
