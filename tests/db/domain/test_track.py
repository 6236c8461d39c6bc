"""What a track keeps of many scores of one moment."""

import random

import pytest

from db.domain import Score, Stamp, Update, reduce
from db.domain.track import SPAN_MS

AT = 1_795_600_000_000 // SPAN_MS * SPAN_MS
# Enough that a cap which sorts scores as text drops 120-0, between 12-0 and 13-0.
SCORES = 120


def score_update(points: int, at: int = AT) -> Update:
    return Update("a", Stamp(at, source="generic"), received_at=AT + SPAN_MS, score=Score(points, 0))


@pytest.mark.parametrize("seed", range(5))
def test_of_many_scores_of_one_stamp_the_highest_is_shown(seed: int) -> None:
    """A cap on the scores of a span would have to know which of them is the highest."""
    updates = [score_update(points) for points in range(1, SCORES + 1)]
    random.Random(seed).shuffle(updates)
    match, _ = reduce(None, *updates)
    assert match.score == Score(SCORES, 0)


@pytest.mark.parametrize("seed", range(5))
def test_of_many_scores_of_one_span_the_last_is_shown(seed: int) -> None:
    updates = [score_update(points, AT + points) for points in range(1, SCORES + 1)]
    random.Random(seed).shuffle(updates)
    match = None
    for update in updates:
        match, _ = reduce(match, update)
    assert match is not None
    assert match.score == Score(SCORES, 0)
