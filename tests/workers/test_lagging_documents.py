"""Documents that lag behind what is pushed take nothing back that stands; what was taken back is gone in time."""

from __future__ import annotations

import random
from functools import cache
from itertools import pairwise

import pytest

from db.domain import Kind, Match, Side
from db.domain.lag import ABSENT_MS
from tests.support.stories.count import some
from tests.support.stories.documents import Caches, Moment, Phone, Truth, steps, truth

Played = list[tuple[float, Match]]

# A poll may come a second after the truth, and another a second after those in which an event has to be absent.
IN_TIME_S = ABSENT_MS / 1000 + 2
MATCHES = some(range(10), 1)
BEHIND = (0.0, 1.0, 7.0, 30.0, 60.0)
CACHES = (
    Caches((0.0, 20.0, 60.0)),
    Caches((0.0, 20.0, 60.0), errors=(3.0, -2.0, 4.0)),
    Caches((60.0,), errors=(5.0,)),
    Caches((5.0,), is_dated_on_arrival=True),
    Caches((58.0,), is_dated_on_arrival=True),
)


@cache
def told_by(caches: Caches, seed: int) -> tuple[Truth, Played, Phone]:
    rng, phone = random.Random(seed), Phone()
    played_truth = truth(rng)
    return played_truth, list(steps(played_truth, caches, rng, phone)), phone


def is_void(match: Match, moment: Moment) -> bool:
    event = match.events.get(str(moment.id))
    return event is not None and event.voided


def assert_nothing_is_void_that_stands(played_truth: Truth, played: Played) -> None:
    """Of the goals of a side: where what is pushed counts one less and does not say which, the last one is void until a
    document says."""
    for second, match in played:
        gone = [moment for moment in played_truth.moments if moment.gone is not None and moment.gone <= second]
        void = [moment for moment in played_truth.moments if is_void(match, moment)]
        assert {moment for moment in void if moment.kind == "red_card"} <= set(gone), second
        for side in Side:
            counts = [
                sum(moment.side == side and moment.kind != "red_card" for moment in some) for some in (void, gone)
            ]
            assert counts[0] <= counts[1], (second, side, void)


def assert_ends_as_it_was(played_truth: Truth, match: Match) -> None:
    state = played_truth.state(float("inf"))
    assert match.score is not None
    assert (match.score.home, match.score.away) == (state["home_score"], state["away_score"])
    assert [moment for moment in played_truth.moments if is_void(match, moment) is not (moment.gone is not None)] == []


def assert_no_goal_is_cancelled_that_stands(played_truth: Truth, phone: Phone) -> None:
    goals = [moment for moment in played_truth.moments if moment.kind == "score_change"]
    assert phone.kinds.count(Kind.GOAL_CANCELLED) <= sum(moment.gone is not None for moment in goals)


@pytest.mark.faults
@pytest.mark.parametrize("seed", MATCHES)
@pytest.mark.parametrize("behind", BEHIND)
def test_what_is_taken_back_in_documents_is_gone_in_time_and_nothing_else_is(behind: float, seed: int) -> None:
    played_truth, played, phone = told_by(Caches((behind,), torn=0), seed)
    assert_nothing_is_void_that_stands(played_truth, played)
    for moment in played_truth.moments:
        if moment.gone is not None:
            later = [match for second, match in played if second >= moment.gone + behind + IN_TIME_S]
            assert all(is_void(match, moment) for match in later), moment
    assert_ends_as_it_was(played_truth, played[-1][1])
    assert_no_goal_is_cancelled_that_stands(played_truth, phone)


@pytest.mark.faults
@pytest.mark.parametrize("seed", MATCHES)
@pytest.mark.parametrize("caches", CACHES, ids=str)
def test_documents_of_several_caches_and_of_wrong_clocks_take_nothing_that_stands(caches: Caches, seed: int) -> None:
    played_truth, played, phone = told_by(caches, seed)
    assert_nothing_is_void_that_stands(played_truth, played)
    assert_ends_as_it_was(played_truth, played[-1][1])
    assert_no_goal_is_cancelled_that_stands(played_truth, phone)


@pytest.mark.parametrize("caches", CACHES, ids=str)
def test_where_all_goals_stand_the_score_never_falls_and_nobody_hears_that_it_did(caches: Caches) -> None:
    rng, phone = random.Random(1), Phone()
    played_truth = Truth(
        tuple(Moment(moment.id, moment.kind, moment.at, moment.side, None) for moment in truth(rng).moments)
    )
    played = list(steps(played_truth, caches, rng, phone))
    totals = [match.score.home + match.score.away if match.score else 0 for _, match in played]
    assert all(before <= after for before, after in pairwise(totals))
    assert Kind.GOAL_CANCELLED not in phone.kinds
