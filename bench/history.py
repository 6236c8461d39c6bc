"""Years of history on PostgreSQL: events in 36 months, what the product's queries cost, and a month dropped.

`make bench-history ROWS=20000000` (2,000,000 unless set). The rows are spread over 36 months, 50 events and 10 scores
to a match. A month is dropped as the clock does it, and beside that the next one is deleted row by row, which is what
it would cost without months; then as many rows in tables that are not divided are migrated, while the release before
writes and reads. Progress goes to stderr, the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url

from bench import postgres
from db.codec import encode_event, encode_match
from db.domain import Event, Match, Person, Score, Side, Stamp, Status
from db.sql.history import History, MatchFilter
from db.sql.moments import moment
from db.sql.months import PAST, month_start
from dev.system import ROOT

MONTHS, EVENTS, SCORES = 36, 50, 10
# Readings of each query; the median counts.
TIMES = 50
# Letters of a line of a plan.
WIDTH = 110

# In a document, the id of its match or event.
ID = "ID"

MATCHES = """
INSERT INTO matches (id, home_team, away_team, start_time, competition, status, home_team_id, away_team_id,
    competition_id, phase, listed_at, version, updated_at, document)
SELECT 'm' || n, 'Home', 'Away', at, 'Cup', 'finished', 't' || mod(n, 500), 't' || mod(n + 7, 500), 'c' || mod(n, 20),
    'finished', at, (extract(epoch FROM at) * 1000)::bigint, at, replace(:document, 'ID', 'm' || n)
FROM (SELECT n, to_timestamp((:since + n::bigint * :step) / 1000.0) AS at FROM generate_series(0, :last) AS n) AS m
"""
SCORES_OF_EACH = """
INSERT INTO match_scores (match_id, version, home_score, away_score, minute, updated_at, status)
SELECT id, version + k * 60000, k, 0, k, updated_at, 'live' FROM matches, generate_series(1, :each) AS k
"""
EVENTS_OF_EACH = """
INSERT INTO {table} (match_id, id, event_type, minute, player, team, created_at, voided, version, document)
SELECT id, 'e' || k, 'pass', k, 'A player', 'home', updated_at, false, version + k * 1000,
    replace(:document, 'ID', 'e' || k)
FROM matches, generate_series(1, :each) AS k
"""


def migrate(sql_url: str, revision: str) -> None:
    env = os.environ | {"DATABASE_URL": sql_url.replace("postgresql+psycopg", "postgresql")}
    subprocess.run([sys.executable, "-m", "alembic", "upgrade", revision], cwd=ROOT, env=env, check=True)


def fill(engine: Engine, since: int, now_ms: int, rows: int, table: str) -> int:
    """How many matches."""
    count = max(rows // EVENTS, MONTHS)
    played = {"since": since, "step": (now_ms - since) // count, "last": count - 1}
    stamp = Stamp(since, source="generic")
    touch = Event(ID, "pass", stamp, since=stamp, team=Side.HOME, minute=7, player=Person("A player"), created_at=since)
    match = Match(ID, version=1, updated_at=1, status=Status.FINISHED, score=Score(1, 0))
    with engine.begin() as connection:
        # No look at the match for each row: filling is not what is measured.
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.execute(text(MATCHES), played | {"document": encode_match(match)})
        connection.execute(text(SCORES_OF_EACH), {"each": SCORES})
        connection.execute(text(EVENTS_OF_EACH.format(table=table)), {"each": EVENTS, "document": encode_event(touch)})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    return count


def begin_months(engine: Engine, history: History, since: int, now_ms: int) -> None:
    """As if the first month had been so long ago: nothing is stored yet."""
    with engine.begin() as connection:
        for parent, past in PAST.items():
            connection.exec_driver_sql(f"ALTER TABLE {parent} DETACH PARTITION {past}")
            bounds = f"FROM (MINVALUE) TO ({since})"
            connection.exec_driver_sql(f"ALTER TABLE {parent} ATTACH PARTITION {past} FOR VALUES {bounds}")
    history.months.make(now_ms=now_ms)


def queries(history: History, count: int) -> dict[str, Callable[[int], Any]]:
    """The product's own, each of a match or a day of its own."""
    return {
        "a match with its timeline": lambda n: history.match(f"m{n * 7919 % count}"),
        "50 matches of a team": lambda n: history.matches(MatchFilter(team=f"t{n % 500}"), 50),
        "50 matches of a status": lambda _: history.matches(MatchFilter(status="abandoned"), 50),
        "versions of 50 matches": lambda n: history.versions([f"m{(n + k * 101) % count}" for k in range(50)]),
    }


def timed(work: Callable[[int], Any]) -> float:
    """ms, the median."""
    lasted = []
    for n in range(TIMES):
        began = time.perf_counter()
        work(n)
        lasted.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(lasted), 2)


def plan(engine: Engine, work: Callable[[int], Any]) -> list[str]:
    """Of its slowest statement: what EXPLAIN ANALYZE says, in short."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    work(1)
    event.remove(engine, "before_cursor_execute", note)
    lines: list[list[str]] = []
    with engine.connect() as connection:
        for statement, parameters in statements:
            rows = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, COSTS OFF) {statement}", parameters)
            lines.append([row[0][:WIDTH] for row in rows])
    slowest = max(lines, key=lambda of: float(of[-1].removeprefix("Execution Time: ").removesuffix(" ms")))
    return [*slowest[:4], f"… {len(slowest)} lines", *slowest[-2:]]


def drop_a_month(engine: Engine, history: History, since: int) -> dict[str, Any]:
    end = month_start(since, 1)
    with engine.connect() as connection:
        where = f"version >= {since} AND version < {end}"
        rows = connection.exec_driver_sql(f"SELECT count(*) FROM match_event_versions WHERE {where}").scalar()
    began = time.perf_counter()
    names = history.months.drop(before_ms=end)
    dropped_ms = (time.perf_counter() - began) * 1000
    following = f"version >= {end} AND version < {month_start(since, 2)}"
    began = time.perf_counter()
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        deleted = connection.exec_driver_sql(f"DELETE FROM match_event_versions WHERE {following}").rowcount
    deleted_ms = (time.perf_counter() - began) * 1000
    return {
        "dropped": names,
        "dropped_rows": rows,
        "dropped_ms": round(dropped_ms, 1),
        "deleted_rows": deleted,
        "deleted_ms": round(deleted_ms, 1),
    }


@contextmanager
def meanwhile(engine: Engine, statement: str) -> Iterator[list[float]]:
    """Runs it over and over; yields the ms of each."""
    lasted, stop = list[float](), threading.Event()

    def run() -> None:
        n = 0
        while not stop.wait(0.01):
            n += 1
            began = time.perf_counter()
            with engine.begin() as connection:
                connection.execute(text(statement), {"id": f"m{n % MONTHS}", "version": time.time_ns() // 1_000_000})
            lasted.append((time.perf_counter() - began) * 1000)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield lasted
    finally:
        stop.set()
        thread.join()


WRITE = """
INSERT INTO match_events (match_id, id, event_type, created_at, voided, version, document)
VALUES (:id, 'now', 'goal', now(), false, :version, '{}')
ON CONFLICT (match_id, id) DO UPDATE SET version = excluded.version WHERE excluded.version >= match_events.version
"""
READ = "SELECT document FROM match_events WHERE match_id = :id"


def migration(sql_url: str, since: int, now_ms: int, rows: int) -> dict[str, Any]:
    """Of a database that is not divided, beside the release before."""
    url = make_url(sql_url).set(database="flat").render_as_string(hide_password=False)
    with create_engine(sql_url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE flat")
    migrate(url, "0010")
    engine = create_engine(url)
    fill(engine, since, now_ms, rows, "match_events")
    print("Migrating…", file=sys.stderr)
    with meanwhile(engine, WRITE) as written, meanwhile(engine, READ) as been_read:
        began = time.perf_counter()
        migrate(url, "head")
        lasted = time.perf_counter() - began
    engine.dispose()
    return {
        "migrated_s": round(lasted, 1),
        "written": len(written),
        "write_ms_max": round(max(written), 1),
        "been_read": len(been_read),
        "read_ms_max": round(max(been_read), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.history", description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000, help="event rows (default 2,000,000)")
    args = parser.parse_args()
    now_ms = time.time_ns() // 1_000_000
    since = month_start(now_ms, 1 - MONTHS)
    with postgres.running() as sql_url:
        migrate(sql_url, "head")
        engine = create_engine(sql_url)
        history = History(engine)
        begin_months(engine, history, since, now_ms)
        print(f"Loading {args.rows} events since {moment(since):%Y-%m}…", file=sys.stderr)
        count = fill(engine, since, now_ms, args.rows, "match_event_versions")
        report: dict[str, Any] = {"rows": args.rows, "matches": count, "months": MONTHS, "ms": {}, "plans": {}}
        for name, work in queries(history, count).items():
            report["ms"][name], report["plans"][name] = timed(work), plan(engine, work)
            print(f"{name}: {report['ms'][name]} ms", file=sys.stderr)
        report |= drop_a_month(engine, history, since)
        print(f"A month dropped: {report['dropped_ms']} ms", file=sys.stderr)
        with engine.begin() as connection:
            connection.exec_driver_sql("TRUNCATE matches CASCADE")
        engine.dispose()
        report |= migration(sql_url, since, now_ms, args.rows)
    for name, lasted_ms in report["ms"].items():
        print(f"{name:28}{lasted_ms:>10} ms")
        print(*(f"    {line}" for line in report["plans"][name]), sep="\n")
    for name, value in report.items():
        if name not in ("ms", "plans"):
            print(f"{name:28}{value}")
    print(json.dumps(report))


if __name__ == "__main__":
    main()
