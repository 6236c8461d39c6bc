"""Figures of many processes, summed in Redis."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator

import pytest
import redis
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from db.live import metrics
from db.live.metrics import Collector, Counter, Gauge, Histogram

GOALS = Counter("goals_total", "Goals", ("side",))
LAG = Histogram("lag_seconds", "Lag", bounds=(0.1, 1.0))
HELD = Gauge("held", "Held")


@pytest.fixture
def client(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    monkeypatch.setattr(metrics, "_table", {metric.name: metric for metric in (GOALS, LAG, HELD)})
    monkeypatch.setattr(metrics, "_local", metrics._Local())
    client = redis.Redis.from_url(redis_url)
    yield client
    client.close()


def shown(client: redis.Redis, **measured: tuple[str, float]) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """As a Prometheus server reads the page."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector(client, lambda: measured))
    text = generate_latest(registry).decode()
    families = text_string_to_metric_families(text)
    return {
        (s.name, tuple(sorted(s.labels.items()))): s.value
        for family in families
        for s in family.samples
        if not s.name.endswith("_created")
    }


def count_in_another_process(url: str) -> None:
    GOALS.add(2, side="home")
    HELD.set(4)
    with redis.Redis.from_url(url) as client:
        metrics.report(client)


def test_counts_of_two_processes_are_one_sum(client: redis.Redis, redis_url: str) -> None:
    GOALS.add(side="home")
    GOALS.add(side="away")
    HELD.set(3)
    metrics.report(client)
    other = multiprocessing.get_context("spawn").Process(target=count_in_another_process, args=(redis_url,))
    other.start()
    other.join(timeout=30)
    assert other.exitcode == 0
    page = shown(client)
    assert page["goals_total", (("side", "home"),)] == 3
    assert page["goals_total", (("side", "away"),)] == 1
    assert page["held", ()] == 7


def test_a_second_report_adds_nothing_twice(client: redis.Redis) -> None:
    GOALS.add(side="home")
    metrics.report(client)
    metrics.report(client)
    assert shown(client)["goals_total", (("side", "home"),)] == 1


def test_a_histogram_is_cumulative_and_a_value_on_a_bound_is_under_it(client: redis.Redis) -> None:
    for value in (0.05, 0.1, 0.5, 7.0):
        LAG.observe(value)
    metrics.report(client)
    page = shown(client)
    buckets = [page["lag_seconds_bucket", (("le", bound),)] for bound in ("0.1", "1.0", "+Inf")]
    assert buckets == [2, 3, 4]
    assert page["lag_seconds_count", ()] == 4
    assert page["lag_seconds_sum", ()] == pytest.approx(7.65)


def test_what_redis_could_not_take_is_reported_later(client: redis.Redis) -> None:
    GOALS.add(side="home")
    with redis.Redis(port=1, socket_connect_timeout=0.2) as nobody:
        metrics.report(nobody)
    GOALS.add(side="home")
    metrics.report(client)
    assert shown(client)["goals_total", (("side", "home"),)] == 2


def test_a_gauge_of_a_process_that_fell_silent_is_no_longer_shown(client: redis.Redis) -> None:
    HELD.set(5)
    metrics.report(client)
    row = client.hkeys(metrics.GAUGES)[0]
    client.hset(metrics.GAUGES, row, f"5 {time.time_ns() // 1_000_000 - metrics.SILENT_MS - 1}")
    assert ("held", ()) not in shown(client)
    assert client.hlen(metrics.GAUGES) == 0


def test_a_label_that_was_not_declared_is_a_bug() -> None:
    with pytest.raises(TypeError, match="side"):
        GOALS.add(team="home")


def test_gauges_worked_out_when_asked_are_on_the_page(client: redis.Redis) -> None:
    assert shown(client, waiting=("Waiting", 2.0))["waiting", ()] == 2
