"""Bodies worked out once a version, by one of all who ask."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import pytest

from api.delivery.details import Details
from tests.conftest import wait_until


class CountedGets(OrderedDict[Any, Any]):
    gets = 0

    def get(self, key: Any, default: Any = None) -> Any:
        self.gets += 1
        return super().get(key, default)


@dataclass
class Value:
    version: int


def test_a_version_is_worked_out_once_and_a_newer_one_serves_older_questions() -> None:
    details = Details()
    worked: list[int] = []

    def at(version: int) -> Value:
        worked.append(version)
        return Value(version)

    assert details.get("m", 2, lambda: at(2)).version == 2
    assert details.get("m", 1, lambda: at(1)).version == 2
    assert details.get("m", 3, lambda: at(3)).version == 3
    assert worked == [2, 3]


def test_an_unknown_version_is_worked_out_each_time() -> None:
    details = Details()
    kept = [details.get("m", None, lambda: Value(1)) for _ in range(2)]
    assert kept[0] is not kept[1]


@pytest.mark.parametrize("version", [5, None])
def test_many_at_once_wait_for_one(version: int | None) -> None:
    """Of an unknown version too: while Redis is away each value costs a query."""
    details, gate, worked = Details(), threading.Event(), []
    details.kept = CountedGets()
    results: list[Value] = []

    def slow() -> Value:
        worked.append(1)
        gate.wait(60)
        return Value(5)

    threads = [threading.Thread(target=lambda: results.append(details.get("m", version, slow))) for _ in range(8)]
    for thread in threads:
        thread.start()
    # Each asks once before it waits, and the one that works it out once more.
    wait_until(lambda: details.kept.gets > len(threads), "all to ask")
    gate.set()
    for thread in threads:
        thread.join(60)
    assert len(worked) == 1
    assert all(value is results[0] for value in results)


def test_a_failure_is_not_kept() -> None:
    details = Details()
    for _ in range(2):
        try:
            details.get("m", 1, lambda: 1 / 0)  # type: ignore[arg-type,return-value]
        except ZeroDivisionError:
            continue
    assert details.get("m", 1, lambda: Value(1)).version == 1
    assert not details.locks


def test_the_oldest_is_forgotten_at_the_limit() -> None:
    details = Details(limit=2)
    for name in "abc":
        details.get(name, 1, lambda: Value(1))
    assert list(details.kept) == ["b", "c"]
