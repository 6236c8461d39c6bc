"""A goal in a match that a million follow: from the alert to chunks in Redis, over PostgreSQL.

`make bench-plan`. A third follow the match, half its home team, a fifth the competition, some of them more than one;
half as many people again follow other things. Everybody has one device; a seventh follow a player. It is planned by one
worker, then by several at once: until the first chunk, and until the last. Progress goes to stderr, the last line is
JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import Engine, create_engine, text

from bench import postgres
from config import Settings
from db.domain import BITS, DEFAULT_KINDS, Competition, Kind, Match, Score, Team, mask_of
from db.live import keys
from db.live.alerts import Alerts, Draft, Mailbox
from db.live.chunk import unpack
from db.live.chunks import Chunks
from db.live.plans import Plans
from db.live.sharding import ShardedRedis
from db.sql.audience import FOR_MANY, Audience
from db.sql.followers import NOBODY, Players, followers_of
from dev.local import redis_binary
from dev.system import free_port
from notify.content.alert import Alert, encode_alert
from notify.content.news import News
from workers.push.planner import CHUNK, SLICES_MAX, Planner
from workers.push.transports import Transports
from workers.queues import Doorbells

ROOT = Path(__file__).resolve().parents[1]
MATCH = Match(
    "final", 1, 1, home=Team("arg", "Argentina"), away=Team("fra", "France"), competition=Competition("cup", "Cup"),
    score=Score(1, 0),
)  # fmt: skip
# One of the five hundred teams that the others follow.
SMALL = Match("derby", 1, 1, home=Team("other-7", "Others"))

# A fan is a row of generate_series; the number decides what they follow.
LOAD = """
INSERT INTO users (id, token_digest, time_zone, spoiler_free, locale, created_at, active_at, quiet_since, quiet_until)
SELECT 'u-' || left(md5(n::text), 16), NULL,
       (ARRAY['UTC', 'Europe/Berlin', 'America/Sao_Paulo', 'Asia/Tokyo'])[1 + n % 4],
       n % 10 = 0, (ARRAY['en', 'de', 'pt-BR'])[1 + n % 3], now(), date_trunc('ms', now()),
       CASE WHEN n % 5 = 0 THEN 1380 END, CASE WHEN n % 5 = 0 THEN 420 END
FROM generate_series(1, :everybody) n;
INSERT INTO devices (user_id, digest, platform, token, kind, environment, registered_at, active_at)
SELECT 'u-' || left(md5(n::text), 16), md5(n::text), CASE WHEN n % 2 = 0 THEN 'ios' ELSE 'android' END,
       md5(n::text) || md5((-n)::text), 'token', 'production', now(),
       date_trunc('ms', now()) - (hashint4(n) & 1023) * interval '1 hour'
FROM generate_series(1, :everybody) n;
INSERT INTO user_subscriptions (user_id, match_id, notification_prefs, kinds)
SELECT 'u-' || left(md5(n::text), 16), 'final', '{}', :kinds FROM generate_series(1, :fans) n WHERE n % 3 = 0;
INSERT INTO follows (user_id, subject, subject_id, notification_prefs, kinds)
SELECT 'u-' || left(md5(n::text), 16), 'teams', 'arg', '{}', :kinds
FROM generate_series(1, :fans) n WHERE n % 2 = 0 OR n % 3 = 1;
INSERT INTO follows (user_id, subject, subject_id, notification_prefs, kinds)
SELECT 'u-' || left(md5(n::text), 16), 'competitions', 'cup', '{}', :kinds
FROM generate_series(1, :fans) n WHERE n % 5 = 0 OR n % 6 = 5;
INSERT INTO follows (user_id, subject, subject_id, notification_prefs, kinds)
SELECT 'u-' || left(md5(n::text), 16), 'teams', 'other-' || n % 500, '{}', :kinds FROM generate_series(1, :everybody) n;
INSERT INTO player_follows (user_id, player_id, notification_prefs, kinds)
SELECT 'u-' || left(md5(n::text), 16), 'p10', '{}', :kinds FROM generate_series(1, :everybody) n WHERE n % 7 = 0;
"""


def load(engine: Engine, fans: int) -> None:
    values = {"everybody": fans * 3 // 2, "fans": fans, "kinds": mask_of(DEFAULT_KINDS)}
    with engine.begin() as connection:
        # Foreign keys hold by construction.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in filter(str.strip, LOAD.split(";\n")):
            connection.execute(text(statement), values)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def indexes(engine: Engine, match: Match, players: Players = NOBODY) -> tuple[list[str], int]:
    """Which indexes PostgreSQL uses for the planner's query, and its own time (ms)."""
    followers = followers_of(match, BITS[Kind.GOAL], players=players)
    query = followers.compile(engine, compile_kwargs={"literal_binds": True})
    with engine.begin() as connection:
        for setting in FOR_MANY:
            connection.execute(text(setting))
        lines = [row[0] for row in connection.execute(text(f"EXPLAIN (ANALYZE, BUFFERS) {query}".replace(":", "\\:")))]
    print("\n".join(lines), file=sys.stderr)
    used = {name[1] for line in lines if (name := re.search(r"Index.* (?:using|Scan on) (\w+)", line))}
    return sorted(used), round(float(lines[-1].split()[-2]))


def plan_all(sql_url: str, redis_url: str, go: Event, result: SimpleQueue[int]) -> None:
    """One planner: works until nothing is left to plan; reports by how much its memory grew (KB)."""
    client, bind = redis.Redis.from_url(redis_url), create_engine(sql_url)
    sharded = ShardedRedis(client, 1)
    planner = Planner(
        Plans(sharded), Chunks(sharded), Audience(bind), Transports(Settings(push="null")), Doorbells(client)
    )
    bind.connect().close()
    before_kb = _peak_kb()
    result.put(0)
    go.wait()
    while client.zcard(keys.PUSH_UNPLANNED) or client.zcard(keys.PUSH_SLICED):
        now_ms = time.time_ns() // 1_000_000
        if not (planner.turn(now_ms=now_ms) or planner.turn_slice(now_ms=now_ms)):
            time.sleep(0.05)
    result.put(_peak_kb() - before_kb)
    bind.dispose()


def measure(sql_url: str, url: str, planners: int) -> dict[str, Any]:
    client, context = redis.Redis.from_url(url), get_context("spawn")
    client.flushdb()
    sharded = ShardedRedis(client, 1)
    alerts, chunks = Alerts(sharded), Chunks(sharded)
    go, results = context.Event(), context.SimpleQueue()
    children = [context.Process(target=plan_all, args=(sql_url, url, go, results)) for _ in range(planners)]
    for child in children:
        child.start()
    for _ in children:
        results.get()
    before, started, now_ms = _used(client), time.monotonic(), time.time_ns() // 1_000_000
    alert = Alert("final-1", MATCH, (News(Kind.GOAL, "g1"),), now_ms)
    drafts = [Draft(alert.id, encode_alert(alert), alert.match.version)]
    alerts.commit("final", Mailbox(None, "0", ()), b"{}", None, drafts, broadcast=False, newest={}, now_ms=now_ms)
    go.set()
    while not chunks.sending()[0]:
        time.sleep(0.005)
    first_s = time.monotonic() - started
    for child in children:
        child.join()
    lasted = time.monotonic() - started
    grown_kb = [results.get() for _ in children]
    ((_, counts),) = alerts.recent(1)
    return {
        "planners": planners,
        "plan_s": round(lasted, 2),
        "first_chunk_s": round(first_s, 2),
        "devices": int(counts["devices"]),
        "distinct": len(set(_planned(client))),
        "chunks": chunks.sending()[0],
        "worker_mb_more": round(max(grown_kb) / 1024, 1),
        "redis_mb_more": round((_used(client) - before) / 1024 / 1024, 1),
    }


def _planned(client: redis.Redis) -> Iterator[int]:
    for name in client.scan_iter("push:chunk:*", count=1_000):
        yield from unpack(client.get(name))  # type: ignore[arg-type]


def _peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _used(client: redis.Redis) -> int:
    memory: Any = client.info("memory")
    return int(memory["used_memory"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.plan", description=__doc__)
    parser.add_argument("--fans", type=int, default=1_000_000, help="followers of the match (default 1,000,000)")
    parser.add_argument("--planners", type=int, default=2, help="workers that plan at once (default 2)")
    args = parser.parse_args()
    port = free_port()
    with postgres.running() as sql_url, tempfile.TemporaryDirectory() as folder:
        command = [redis_binary(), "--port", str(port), "--save", "", "--dir", folder, "--bind", "127.0.0.1"]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            env = os.environ | {"DATABASE_URL": sql_url.replace("postgresql+psycopg", "postgresql")}
            subprocess.run([sys.executable, "-m", "alembic", "upgrade", "head"], cwd=ROOT, env=env, check=True)
            engine = create_engine(sql_url)
            print(f"Loading {args.fans * 3 // 2} users…", file=sys.stderr)
            load(engine, args.fans)
            url = f"redis://127.0.0.1:{port}/0"
            runs = [measure(sql_url, url, planners) for planners in dict.fromkeys((1, args.planners))]
            queries: dict[str, Any] = {}
            queries["indexes"], queries["sql_ms"] = indexes(engine, MATCH)
            queries["indexes_player"], queries["sql_player_ms"] = indexes(engine, MATCH, {"p10": BITS[Kind.GOAL]})
            queries["indexes_small"], queries["sql_small_ms"] = indexes(engine, SMALL)
            engine.dispose()
        finally:
            server.terminate()
            server.wait()
    for name in runs[0]:
        print(f"{name:16}" + "".join(f"{run[name]!s:>14}" for run in runs))
    for name, value in queries.items():
        print(f"{name:16}{value}")
    print(json.dumps({"runs": runs, **queries, "fans": args.fans, "chunk": CHUNK, "slices_max": SLICES_MAX}))


if __name__ == "__main__":
    main()
