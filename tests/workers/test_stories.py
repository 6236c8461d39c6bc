"""A story told to the workers, message by message, is shown as the domain alone would have it, in history too."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from db.domain import Match
from tests.support.stories.generator import story
from tests.support.stories.orders import random_order
from tests.support.stories.play import MATCH_ID, Message, play, shown, updates_of
from workers.boot import WorkerServices
from workers.history import write_batch
from workers.ingest import Drain

SEEDS = range(12)


def work_through(services: WorkerServices, messages: list[Message], *, every: int) -> None:
    """every: a worker that has never seen the match takes over after so many messages."""
    worker = Drain(services.live, services.bells)
    for n, message in enumerate(messages):
        if n % every == 0:
            worker = Drain(services.live, services.bells)
        for update in updates_of(message):
            services.live.inbox.accept([update], now_ms=update.received_at)
        worker.match(MATCH_ID)


def present(services: WorkerServices) -> Match:
    match = services.live.matches.timeline(MATCH_ID)
    assert match
    return match


@pytest.mark.parametrize("every", [1, 5])
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_shown_is_what_was_told(services: WorkerServices, seed: int, every: int) -> None:
    messages = random_order(story(seed), random.Random(seed), doubled=0.2)
    work_through(services, messages, every=every)
    assert shown(present(services)) == shown(play(messages))


@pytest.mark.parametrize("seed", range(4))
def test_history_shows_the_same_and_live_state_goes_on_from_it(
    make_services: Callable[..., WorkerServices], database_url: str, seed: int
) -> None:
    services = make_services(database_url)
    messages = random_order(story(seed), random.Random(seed))
    half = len(messages) // 2
    work_through(services, messages[:half] or messages, every=3)
    while write_batch(services.live, services.history):
        pass
    written = services.history.match(MATCH_ID)
    assert written
    assert shown(written) == shown(present(services))
    services.live.redis.flushall()
    work_through(services, messages[half:], every=3)
    while write_batch(services.live, services.history):
        pass
    written = services.history.match(MATCH_ID)
    assert written
    assert shown(written) == shown(present(services)) == shown(play(messages))
