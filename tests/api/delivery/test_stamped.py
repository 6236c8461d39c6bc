"""Values that are kept as long as what they were made from is the same."""

from __future__ import annotations

from api.delivery.stamped import FRESH_S, StampedCache


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_value_is_made_anew_with_another_stamp_or_after_a_while() -> None:
    clock, made = Clock(), list[int]()
    cache = StampedCache(clock=clock)

    def get(stamp: object, name: str = "table") -> int:
        return cache.get(name, stamp, lambda: made.append(len(made)) or made[-1])

    assert [get((1,)), get((1,)), get((2,)), get((1,))] == [0, 0, 1, 2]
    clock.now = FRESH_S / 2
    assert get((1,)) == 2
    clock.now = FRESH_S
    assert get((1,)) == 3


def test_the_oldest_is_forgotten() -> None:
    cache = StampedCache(limit=2)
    for name in ("a", "b", "c"):
        cache.get(name, 1, lambda: name)  # noqa: B023 - called at once
    assert list(cache.kept) == ["b", "c"]
