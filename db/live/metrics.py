"""What is counted, in one table. Each process adds its share to Redis once a second; any web process shows the whole.

So one page tells of every process of every dyno, workers too, and outlives their restarts
(docs/decisions/0010-metrics-in-redis.md). `add` and `observe` touch a dict under a lock, about a microsecond.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import redis
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family

logger = logging.getLogger(__name__)

# hash: [name, label values, part] as JSON → number; and [process, name, label values] → "value ms".
TOTALS, GAUGES = "metrics:totals", "metrics:gauges"
REPORT_S = 1.0
# A gauge of a process that has not reported for this long is gone with it.
SILENT_MS = 15_000
# Seconds. From a cache hit on loopback to a poll that ran into its time limit.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Counter:
    """Only grows. Its name ends in `_total`."""

    name: str
    help: str
    labels: tuple[str, ...] = ()

    def add(self, amount: float = 1, **given: str) -> None:
        _local.add((self.name, _values(self.labels, given), ""), amount)


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often a value fell under each bound; in seconds unless the name says otherwise."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = SECONDS

    def observe(self, value: float, **given: str) -> None:
        values = _values(self.labels, given)
        bound = next((str(bound) for bound in self.bounds if value <= bound), "+Inf")
        _local.add((self.name, values, bound), 1)
        _local.add((self.name, values, "sum"), value)


@dataclass(frozen=True, slots=True)
class Gauge:
    """What is so now in this process; shown as the sum over all processes."""

    name: str
    help: str
    labels: tuple[str, ...] = ()

    def set(self, value: float, **given: str) -> None:
        _local.set((self.name, _values(self.labels, given)), value)


Metric = Counter | Histogram | Gauge
Key = tuple[str, tuple[str, ...], str]
M = TypeVar("M", Counter, Histogram, Gauge)


def _values(labels: tuple[str, ...], given: Mapping[str, str]) -> tuple[str, ...]:
    """Label values in the order declared. Only words of ours may come here: each value is a row for ever."""
    if set(given) != set(labels):
        raise TypeError(f"labels {sorted(given)} given where {list(labels)} are declared")
    return tuple(given[label] for label in labels)


@dataclass
class _Local:
    """This process's share since it last reported."""

    totals: dict[Key, float] = field(default_factory=dict)
    gauges: dict[tuple[str, tuple[str, ...]], float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, key: Key, amount: float) -> None:
        with self.lock:
            self.totals[key] = self.totals.get(key, 0) + amount

    def set(self, key: tuple[str, tuple[str, ...]], value: float) -> None:
        with self.lock:
            self.gauges[key] = value

    def take(self) -> dict[Key, float]:
        with self.lock:
            taken, self.totals = self.totals, {}
            return taken


_local = _Local()
_table: dict[str, Metric] = {}


def _declared(metric: M) -> M:
    _table[metric.name] = metric
    return metric


# The table. A metric is declared here and nowhere else, so that the page can name what other processes count.

PURGE_REQUESTS = _declared(
    Counter("purge_requests_total", "Calls to the CDN's purge API by how they ended", ("cdn", "result"))
)
PURGE_KEYS = _declared(Counter("purge_keys_total", "Cache keys purged", ("cdn",)))
PURGE_SECONDS = _declared(Histogram("purge_seconds", "From a commit to the CDN's yes to its purge", ("cdn",)))
PURGE_THROTTLED = _declared(Counter("purge_throttled_total", "Purges that waited for the CDN's budget", ("cdn",)))
ACCOUNTS_EXPIRED = _declared(Counter("accounts_expired_total", "Accounts deleted because no app used them for long"))
PURGE_MOOT = _declared(Counter("purge_moot_total", "Keys given up because their answers had expired", ("cdn",)))
EDGE_VISIBLE = _declared(Histogram("edge_visible_seconds", "From a commit to its version read through PUBLIC_URL"))
ACCEPTED_UNREPLICATED = _declared(
    Counter("accepted_unreplicated_total", "Updates accepted that no replica of Redis had within REPLICA_WAIT_MS")
)
OUTLET_PUBLISHED = _declared(Counter("outlet_published_total", "Versions of matches that Kafka has taken (KAFKA_OUT)"))
OUTLET_DROPPED = _declared(
    Counter("outlet_dropped_total", "Versions not published: newer ones of their match had come while Kafka was away")
)
MATCHES_MERGED = _declared(Counter("matches_merged_total", "Matches of which SQL knew and Redis had lost something"))
SOURCES_TAKEN_OVER = _declared(Counter("sources_taken_over_total", "Matches that another source tells from then on"))
STAMPS_CLAMPED = _declared(
    Counter("stamps_clamped_total", "Messages from more than five minutes ahead of our clock", ("source",))
)
FEED_MESSAGES = _declared(Counter("feed_messages_total", "Messages read from connected feeds", ("feed",)))
FEED_UPDATES = _declared(Counter("feed_updates_total", "Updates accepted from connected feeds", ("feed",)))
FEED_REFUSED = _declared(Counter("feed_refused_total", "Messages of connected feeds that were refused", ("feed",)))
FEED_RECONNECTS = _declared(Counter("feed_reconnects_total", "Lost connections and failed requests", ("feed",)))
FEED_GAPS = _declared(Counter("feed_gaps_total", "Times that a feed had to ask for what it may have missed", ("feed",)))
FEED_LAG = _declared(Histogram("feed_lag_seconds", "From an event's time, by its sender, to its commit", ("source",)))
FEED_DIFFERENCES = _declared(
    Counter("feed_differences_total", "Differences between documents and the live state, by field", ("feed", "field"))
)
FEED_DIFFERING = _declared(
    Gauge("feed_differing", "Matches that differ although their documents were applied", ("feed",))
)
PICTURES = _declared(Counter("pictures_total", "Pictures of matches by how drawing them ended", ("result",)))
PICTURE_SECONDS = _declared(Histogram("picture_seconds", "What drawing a picture took"))
PUSHES = _declared(Counter("pushes_total", "Pushes by what became of them", ("service", "result", "reason")))
PUSH_RINGS = _declared(
    Counter("push_rings_total", "Pushes accepted: those that ring, and silent updates", ("service", "effect"))
)
PUSH_CHECKS = _declared(
    Counter("push_checks_total", "Checks of idle connections to push services: well or away", ("service", "result"))
)
PUSH_STALE = _declared(Counter("push_stale_total", "News too old to send when first received, by kind", ("kind",)))
PUSH_SECONDS = _declared(Histogram("push_seconds", "From an alert to its service's yes", ("service",)))
HELD_READERS = _declared(Gauge("held_readers", "Readers and streams that wait now"))
HELD_LIMIT = _declared(Gauge("held_limit", "Readers and streams that may wait now"))
HELD_ENDED = _declared(Counter("held_ended_total", "Held requests and streams by how they ended", ("held",)))
HELD_LAG = _declared(Histogram("held_lag_seconds", "From a commit to the release of those who waited for it"))
BOARD_TOLD = _declared(
    Counter("board_told_total", "Bodies of the board made for those who want what changed, each for many", ("form",))
)
CONNECTIONS = _declared(Gauge("connections", "Connections of readers, by whether they have a place", ("place",)))
CONNECTIONS_PLACELESS = _declared(
    Counter("connections_placeless_total", "Connections that came when all places were taken")
)
CONNECTIONS_SLOW = _declared(
    Counter("connections_slow_total", "Connections ended because the client did not take its answer in time")
)
REQUESTS = _declared(
    Counter("requests_total", "Requests answered or held from the event loop (hot), or handled by the app", ("way",))
)
STREAM_REPLACED = _declared(
    Counter("stream_replaced_total", "States that a slow reader was spared, newer ones having come", ("kind",))
)
SOCKET_PAUSES = _declared(
    Counter("socket_pauses_total", "Times that a WebSocket was not listened to for a moment, having said too much")
)
EDGE_WARMED = _declared(Counter("edge_warmed_total", "Reads that warmed the edge before kick-off", ("result",)))
SCALINGS = _declared(Counter("scalings_total", "Changes of the number of processes by how they ended", ("result",)))
EDGE_UNSEEN = _declared(Counter("edge_unseen_total", "Versions the probe did not come to see"))


def report(client: Any) -> None:
    """Add this process's share to Redis. What Redis could not take is kept for the next time."""
    taken = _local.take()
    if not taken and not _local.gauges:
        return
    try:
        _send(client, taken)
    except redis.RedisError as error:
        for key, amount in taken.items():
            _local.add(key, amount)
        logger.debug("metrics_kept reason=%r", type(error).__name__)


def _send(client: Any, taken: Mapping[Key, float]) -> None:
    process, now_ms = f"{socket.gethostname()}:{os.getpid()}", time.time_ns() // 1_000_000
    with client.pipeline(transaction=False) as pipe:
        for (name, values, part), amount in taken.items():
            pipe.hincrbyfloat(TOTALS, json.dumps([name, values, part]), amount)
        for (name, values), value in list(_local.gauges.items()):
            pipe.hset(GAUGES, json.dumps([process, name, values]), f"{value} {now_ms}")
        pipe.execute()


class Reporter(threading.Thread):
    """Reports once a second until told to stop, and once more then."""

    def __init__(self, client: Any) -> None:
        super().__init__(name="metrics", daemon=True)
        self.client = client
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.wait(REPORT_S):
            report(self.client)
        report(self.client)

    def stop(self) -> None:
        self.stopping.set()
        self.join(timeout=REPORT_S)


@dataclass(frozen=True, slots=True)
class Collector:
    """All processes' figures as prometheus_client wants them (its `Collector` protocol).

    measured: gauges that are worked out when asked, name → (help, value). Raises RedisError.
    """

    client: Any
    measured: Callable[[], Mapping[str, tuple[str, float]]] = dict

    def collect(self) -> Iterator[Family]:
        totals = _totals(self.client.hgetall(TOTALS))
        gauges = self._gauges()
        for metric in _table.values():
            if isinstance(metric, Counter):
                yield _counter(metric, totals.get(metric.name, {}))
            elif isinstance(metric, Histogram):
                yield _histogram(metric, totals.get(metric.name, {}))
            else:
                yield _gauge(metric, gauges)
        for name, (help_, value) in self.measured().items():
            yield GaugeMetricFamily(name, help_, value=value)

    def total(self, name: str) -> float:
        """Of one gauge, over all processes and labels. Raises RedisError."""
        return sum(value for (gauge, _), value in self._gauges().items() if gauge == name)

    def _gauges(self) -> dict[tuple[str, tuple[str, ...]], float]:
        """Summed over the processes; those of processes long silent are dropped."""
        now_ms, sums, gone = time.time_ns() // 1_000_000, dict[tuple[str, tuple[str, ...]], float](), []
        for row, fields in self.client.hgetall(GAUGES).items():
            value, at_ms = fields.split()
            if int(at_ms) < now_ms - SILENT_MS:
                gone.append(row)
                continue
            _, name, values = json.loads(row)
            sums[name, tuple(values)] = sums.get((name, tuple(values)), 0) + float(value)
        if gone:
            self.client.hdel(GAUGES, *gone)
        return sums


Totals = dict[tuple[str, ...], dict[str, float]]


def _totals(rows: Mapping[bytes, bytes]) -> dict[str, Totals]:
    totals: dict[str, Totals] = {}
    for row, amount in rows.items():
        name, values, part = json.loads(row)
        totals.setdefault(name, {}).setdefault(tuple(values), {})[part] = float(amount)
    return totals


def _counter(metric: Counter, totals: Totals) -> CounterMetricFamily:
    family = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
    for values, parts in totals.items():
        family.add_metric(values, parts[""])
    if not metric.labels and not totals:
        family.add_metric((), 0)
    return family


def _histogram(metric: Histogram, totals: Totals) -> HistogramMetricFamily:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    for values, parts in totals.items():
        buckets, below = [], 0.0
        for bound in (*map(str, metric.bounds), "+Inf"):
            below += parts.get(bound, 0)
            buckets.append((bound, below))
        family.add_metric(values, buckets, parts.get("sum", 0))
    return family


def _gauge(metric: Gauge, sums: Mapping[tuple[str, tuple[str, ...]], float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for (name, values), value in sums.items():
        if name == metric.name:
            family.add_metric(values, value)
    return family
