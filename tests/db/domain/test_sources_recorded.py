"""Two tellings of one recorded match, interleaved at random, of which one is cut off in the middle."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from db.domain import Match, Score, Stamp, Update, reduce
from db.domain.sources import SILENCE_MS
from notify.content.news import news_of
from tests.support.stories.count import STORIES
from tests.support.stories.play import BASE_MS, MATCH_ID, Message, updates_of
from tests.support.stories.teller import STYLES, tell
from tests.support.stories.truth import DATA, recorded

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="no recorded data beside the repository: shared/data")

# Told so often; by `make faults` 200 times.
RUNS = STORIES // 25
# The clock looks every second; five are enough to see when a source takes over.
TICK_S = 5
# What a telling may be late by at worst: entered late, delivered late, its board behind.
LATE_S = 120
TOLD = [style for style in STYLES if style.scores != "none" and style.has_ids]


def of_source(update: Update, source: str) -> Update:
    event = update.event
    if event is not None:
        event = replace(event, stamp=replace(event.stamp, source=source), since=replace(event.since, source=source))
    return replace(update, stamp=replace(update.stamp, source=source), event=event)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(RUNS))
def test_no_score_falls_and_no_goal_is_told_twice(seed: int) -> None:
    rng = random.Random(seed)
    truth = rng.choice([match for match in recorded() if match.shootout is None])
    tellings = {source: tell(truth, rng.choice(TOLD), rng) for source in ("a", "b")}
    end = max(message.received for message in tellings["b"])
    cut_at = rng.uniform(0, end)
    timed: list[tuple[float, Update]] = []
    for source, messages in tellings.items():
        for message in messages:
            if source == "b" or message.received < cut_at:
                timed += [(message.received, of_source(update, source)) for update in updates(message)]
    timed += [(at, tick(at)) for at in range(0, int(end) + 600, TICK_S)]
    match: Match | None = None
    rung, scores = 0, [Score(0, 0)]
    for at, update in sorted(timed, key=lambda pair: pair[0]):
        match, facts = reduce(match, update)
        rung += sum(item.kind == "goal" for item in news_of(match, facts))
        scores.append(match.score or scores[-1])
        if at > cut_at + LATE_S + SILENCE_MS / 1000 + 2 * TICK_S:
            home, away = truth.score_at(min(at, end) - 2 * LATE_S - SILENCE_MS / 1000)
            assert scores[-1].home + scores[-1].away >= home + away, f"nobody has taken over at {at}"
    assert match is not None
    falls = [pair for pair in pairwise(scores) if pair[1].home < pair[0].home or pair[1].away < pair[0].away]
    home, away = truth.score_at(float("inf"))
    assert (match.score, match.status, falls) == (Score(home, away), "finished", [])
    assert rung == home + away


def updates(message: Message) -> list[Update]:
    return [replace(update, received_at=BASE_MS + round(message.received * 1000)) for update in updates_of(message)]


def tick(at: float) -> Update:
    return Update(MATCH_ID, Stamp(0), BASE_MS + round(at * 1000))
