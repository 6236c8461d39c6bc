"""Devices a second from a chunk in Redis to its counted outcomes, on one core: the second half of `make bench-push`.

Everything a push worker does: claim the chunk, read its devices from PostgreSQL, make the messages, send them over
HTTP/2 with TLS, count what became of each, and close the chunk. Redis, PostgreSQL and nghttpd have the other core.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from sqlalchemy import Engine, create_engine, text

from bench import postgres
from config import Settings
from db.domain import DEFAULT_KINDS, Competition, Kind, Match, Score, Team, mask_of
from db.live.alerts import Alerts, Draft, Mailbox
from db.live.chunks import Chunks
from db.live.plans import Plans
from db.live.sharding import ShardedRedis
from db.sql.audience import Audience
from dev.local import redis_binary
from dev.system import ROOT, free_port
from notify.content.alert import Alert, encode_alert
from notify.content.news import News
from notify.transports.base import Transport
from workers.push.planner import CHUNK, Planner
from workers.push.sender import ChunkSender
from workers.push.transports import Transports
from workers.queues import Doorbells

MATCH = Match(
    "final", 1, 1, home=Team("arg", "Argentina"), away=Team("fra", "France"), competition=Competition("cup", "Cup"),
    score=Score(1, 0),
)  # fmt: skip
# Half iPhones, half Androids, in three languages, a tenth without scores. nghttpd knows `tokens` of them.
LOAD = """
INSERT INTO users (id, token_digest, time_zone, spoiler_free, locale, created_at, active_at)
SELECT 'u-' || left(md5(n::text), 16), NULL, 'UTC', n % 10 = 0, (ARRAY['en', 'de', 'pt-BR'])[1 + n % 3], now(),
       date_trunc('ms', now())
FROM generate_series(1, :devices) n;
INSERT INTO devices (user_id, digest, platform, token, kind, environment, registered_at, active_at)
SELECT 'u-' || left(md5(n::text), 16), md5(n::text), CASE WHEN n % 2 = 0 THEN 'ios' ELSE 'android' END,
       lpad(to_hex(n % :tokens), 64, '0'), 'token', 'production', now(), date_trunc('ms', now())
FROM generate_series(1, :devices) n;
INSERT INTO user_subscriptions (user_id, match_id, notification_prefs, kinds)
SELECT 'u-' || left(md5(n::text), 16), 'final', '{}', :kinds FROM generate_series(1, :devices) n;
"""


@contextmanager
def stores() -> Iterator[tuple[redis.Redis, Engine]]:
    """An empty Redis and an empty, migrated PostgreSQL."""
    port = free_port()
    with postgres.running() as sql_url, tempfile.TemporaryDirectory() as folder:
        command = [redis_binary(), "--port", str(port), "--save", "", "--dir", folder, "--bind", "127.0.0.1"]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        engine = create_engine(sql_url)
        try:
            env = os.environ | {"DATABASE_URL": sql_url.replace("postgresql+psycopg", "postgresql")}
            subprocess.run([sys.executable, "-m", "alembic", "upgrade", "head"], cwd=ROOT, env=env, check=True)
            yield redis.Redis.from_url(f"redis://127.0.0.1:{port}/0"), engine
        finally:
            engine.dispose()
            server.terminate()
            server.wait()


def load(engine: Engine, devices: int, tokens: int) -> None:
    values = {"devices": devices, "tokens": tokens, "kinds": mask_of(DEFAULT_KINDS)}
    with engine.begin() as connection:
        for statement in filter(str.strip, LOAD.split(";\n")):
            connection.execute(text(statement), values)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


class Worker:
    """A push worker with transports of its own."""

    def __init__(self, client: redis.Redis, engine: Engine, ios: Transport, android: Transport) -> None:
        sharded = ShardedRedis(client, 1)
        self.alerts, chunks, audience = Alerts(sharded), Chunks(sharded), Audience(engine)
        transports = Transports(Settings())
        transports.apns = {"production": ios}
        vars(transports).update(android=android)
        self.planner = Planner(Plans(sharded), chunks, audience, transports, Doorbells(client))
        self.sender = ChunkSender(chunks, audience, transports)

    def goal(self, number: int) -> None:
        """An alert of its own, planned into chunks."""
        now_ms = time.time_ns() // 1_000_000
        alert = Alert(f"final-{number}", MATCH, (News(Kind.GOAL, f"g{number}"),), now_ms)
        drafts = [Draft(alert.id, encode_alert(alert), alert.match.version)]
        mailbox = self.alerts.mailbox("final", 1) if number > 1 else Mailbox(None, "0", ())
        self.alerts.commit("final", mailbox, b"{}", None, drafts, broadcast=False, newest={}, now_ms=now_ms)
        while self.planner.turn(now_ms=now_ms) or self.planner.turn_slice(now_ms=now_ms):
            pass

    def send(self) -> None:
        while self.sender.turn(now_ms=time.time_ns() // 1_000_000):
            pass

    def sent(self) -> int:
        ((_, counts),) = self.alerts.recent(1)
        return int(counts.get("sent", 0))


def measure(
    ios: Transport, android: Transport, *, devices: int, tokens: int, rounds: int, cores: tuple[int, int]
) -> dict[str, float]:
    """Medians of some goals, each to all devices. cores: that of the worker, and that of everything else."""
    os.sched_setaffinity(0, {cores[1]})
    with stores() as (client, engine):
        load(engine, devices, tokens)
        os.sched_setaffinity(0, {cores[0]})
        worker = Worker(client, engine, ios, android)
        per_s, per_cpu_s = [], []
        for number in range(1, rounds + 1):
            worker.goal(number)
            wall, cpu = time.perf_counter(), time.process_time()
            worker.send()
            per_s.append(devices / (time.perf_counter() - wall))
            per_cpu_s.append(devices / (time.process_time() - cpu))
            if worker.sent() != devices:
                raise SystemExit(f"{worker.sent()} of {devices} devices were sent to")
    return {
        "end_to_end_per_s": statistics.median(per_s),
        "end_to_end_per_cpu_s": statistics.median(per_cpu_s),
        "chunk": CHUNK,
    }
