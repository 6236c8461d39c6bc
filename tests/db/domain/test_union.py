"""Two halves of a story, told to two stores, come to the whole of it."""

from __future__ import annotations

import random

import pytest

from db.domain import Match, Update, reduce, united
from db.domain.derive import derive
from tests.support.stories.generator import story
from tests.support.stories.play import event, shown, updates_of

SEEDS = 60


def match_of(updates: list[Update]) -> Match:
    match: Match | None = None
    for update in updates:
        match, _ = reduce(match, update)
    assert match is not None
    return match


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_union_of_two_halves_is_the_whole(seed: int) -> None:
    rng = random.Random(seed)
    updates = [update for message in story(seed) for update in updates_of(message)]
    first, second = ([update for update in updates if rng.random() < 0.7] or updates for _ in range(2))
    missing = [update for update in updates if update not in first and update not in second]
    left, right = match_of(first), match_of([*second, *missing])
    whole = match_of(updates)
    assert shown(derive(united(left, right))) == shown(whole)
    assert shown(derive(united(right, left))) == shown(whole)


def test_a_record_with_nothing_told_learns_all_of_the_other() -> None:
    updates = [update for message in story(1) for update in updates_of(message)]
    whole = match_of(updates)
    assert shown(derive(united(Match(whole.id), whole))) == shown(whole)


def test_a_card_that_one_record_knows_as_a_goal() -> None:
    """Each was told one of the two: both keep when it was first told, and the score beside it."""
    updates = [
        update
        for message in (
            event("yellow_card", 600, "1-0", event_id="e", minute=10),
            event("goal", 660, "1-0", event_id="e", team="home", minute=10),
            event("corner", 630, event_id="c", minute=10),
        )
        for update in updates_of(message)
    ]
    whole, left, right = match_of(updates), match_of(updates[:1]), match_of(updates[1:])
    assert shown(derive(united(left, right))) == shown(whole)
    assert shown(derive(united(right, left))) == shown(whole)
