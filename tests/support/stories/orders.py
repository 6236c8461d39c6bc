"""Other orders of arrival of one story, and the smallest part of a story that ends otherwise in one of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import permutations

from tests.support.stories.play import Message, difference, play, shown

Story = list[Message]

# As many are few enough for all their orders: 120.
ALL_ORDERS_OF = 5


def random_order(story: Story, rng: random.Random, doubled: float = 0.2) -> Story:
    """A permutation of the story with some of its messages twice.

    Undated messages keep their order: their arrival is the only time they have. A repeat of one comes after it.
    """
    order = _with_undated_in_order(rng.sample(story, len(story)), story)
    for message in story:
        if rng.random() < doubled:
            first = next(n for n, earlier in enumerate(order) if earlier is message) + 1 if message.at is None else 0
            order.insert(rng.randint(first, len(order)), message)
    return order


def _with_undated_in_order(order: Story, story: Story) -> Story:
    undated = iter([message for message in story if message.at is None])
    return [next(undated) if message.at is None else message for message in order]


def other_orders(story: Story, seed: int, count: int) -> Iterator[Story]:
    """All orders of a short story, each also with one message twice; of a long one `count` by chance."""
    rng = random.Random(seed)
    if len(story) > ALL_ORDERS_OF:
        yield from (random_order(story, rng) for _ in range(count))
        return
    for places in permutations(range(len(story))):
        order = [story[place] for place in places]
        if order == _with_undated_in_order(order, story):
            yield order
            repeated = rng.choice(order)
            yield [*order, repeated]


def failing_order(story: Story, seed: int, count: int) -> Story | None:
    """An order in which the story does not end as in its own."""
    if not story:
        return None
    expected = shown(play(story))
    return next((order for order in other_orders(story, seed, count) if shown(play(order)) != expected), None)


def shrunk(story: Story, fails: Callable[[Story], bool]) -> Story:
    """The story without the messages, and then without the fields, that the failure does not need."""
    size = len(story) // 2
    while size:
        size = size if _drop(story, size, fails) else size // 2
    for place in range(len(story)):
        _drop_fields(story, place, fails)
    return story


def _drop(story: Story, size: int, fails: Callable[[Story], bool]) -> bool:
    """Take out each run of `size` messages that is not needed; whether there was one."""
    place, dropped = 0, False
    while place < len(story):
        rest = story[:place] + story[place + size :]
        if fails(rest):
            story[:], dropped = rest, True
        else:
            place += size
    return dropped


def _drop_fields(story: Story, place: int, fails: Callable[[Story], bool]) -> None:
    for name in [name for name in story[place].fields if name != "event_type"]:
        message = story[place]
        fields = {other: value for other, value in message.fields.items() if other != name}
        simpler = [*story[:place], replace(message, fields=fields, updates=[]), *story[place + 1 :]]
        if fails(simpler):
            story[:] = simpler


def report(story: Story, order: Story) -> str:
    """Both tellings, line by line, and where they end apart."""
    first = "\n".join(map(str, story))
    second = "\n".join(map(str, order))
    apart = difference(shown(play(story)), shown(play(order)))
    return f"told so:\n{first}\nand in this order:\n{second}\nit ends otherwise (-/+ of the timeline):\n{apart}"
