"""Months of history on PostgreSQL: the migration of what is there, the release before, months made and dropped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from config import Settings
from db.codec import encode_event, encode_facts
from db.domain import Fact, FactKind, Match, Score, Status
from db.domain.errors import Unavailable
from db.outbox_entry import OutboxEntry
from db.sql.history import History
from db.sql.months import AHEAD, month_start
from db.sql.session import begin, engine
from tests.conftest import Postgres, migrate, wait_until
from tests.support.live import goal
from workers.boot import WorkerServices
from workers.clock import housekeep, keep_history

DAY = 24 * 60 * 60 * 1000
MONTH = 31 * DAY
MATCHES, ROWS = 20, 25

# What the release before sends, word for word.
EARLIER_MATCH = """
INSERT INTO matches (id, status, phase, listed_at, version, updated_at, document)
VALUES (%(match_id)s, 'live', 'live', now(), %(version)s, now(), %(match)s)
ON CONFLICT (id) DO UPDATE SET version = excluded.version WHERE excluded.version >= matches.version
"""
EARLIER_SCORE = """
INSERT INTO match_scores (match_id, version, home_score, away_score, minute, updated_at, added_minute, home_kicks,
    away_kicks, status)
VALUES (%(match_id)s, %(version)s, 1, 0, 7, now(), NULL, NULL, NULL, 'live') ON CONFLICT (match_id, version) DO NOTHING
"""
EARLIER_EVENT = """
INSERT INTO match_events (match_id, id, event_type, minute, player, team, detail, created_at, voided, version, document)
VALUES (%(match_id)s, %(id)s, 'goal', 7, NULL, 'home', NULL, now(), false, %(version)s, %(document)s)
ON CONFLICT (match_id, id) DO UPDATE SET event_type = excluded.event_type, minute = excluded.minute,
    player = excluded.player, team = excluded.team, detail = excluded.detail, voided = excluded.voided,
    version = excluded.version, document = excluded.document
WHERE excluded.version >= match_events.version
"""
EARLIER_TIMELINE = "SELECT match_events.document FROM match_events WHERE match_events.match_id = %(match_id)s"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def match(id_: str, version: int) -> Match:
    return Match(id_, version=version, updated_at=version, status=Status.FIRST_HALF, score=Score(1, 0))


def entry(id_: str, version: int, detail: str) -> OutboxEntry:
    event = goal(id_, 1).event
    assert event
    facts = encode_facts((Fact(FactKind.SCORE),))
    return OutboxEntry("0-1", match(id_, version), facts, (replace(event, detail=detail),))


class Earlier:
    """The release before, on one connection."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)

    def write(self, match_id: str, event_id: str, version: int, detail: str = "") -> None:
        [event] = entry(match_id, version, detail).events
        values: dict[str, Any] = {"match_id": match_id, "id": event_id, "version": version}
        values |= {"document": encode_event(replace(event, id=event_id)), "match": "{}"}
        with self.connection.transaction():
            for statement in (EARLIER_MATCH, EARLIER_SCORE, EARLIER_EVENT):
                self.connection.execute(statement, values)

    def timeline(self, match_id: str) -> list[str]:
        return [document for (document,) in self.connection.execute(EARLIER_TIMELINE, {"match_id": match_id})]

    def count(self, table: str) -> int:
        row = self.connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(row[0]) if row else 0


@contextmanager
def meanwhile(work: Callable[[int], None]) -> Iterator[list[int]]:
    """Runs it over and over; its error is raised at the end. Yields how often it ran."""
    runs, errors, stop = [0], list[BaseException](), threading.Event()

    def run() -> None:
        try:
            while not stop.is_set():
                work(runs[0])
                runs[0] += 1
        except psycopg.Error as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield runs
    finally:
        stop.set()
        thread.join(30)
    assert errors == []


@pytest.fixture
def database(postgres: Postgres) -> str:
    """An empty database of the test's own; its URL."""
    return postgres.url(postgres.create_database())


@pytest.fixture
def open_history() -> Iterator[Callable[[str], History]]:
    opened: list[History] = []

    def open_(url: str) -> History:
        opened.append(History(engine(Settings.from_env({"DATABASE_URL": url}).sql_url)))
        return opened[-1]

    yield open_
    for history in opened:
        history.engine.dispose()


def partitions(history: History, parent: str) -> list[str]:
    with begin(history.engine) as session:
        query = text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:parent AS regclass)")
        return sorted(session.scalars(query, {"parent": parent}))


def test_history_is_divided_beside_the_release_before(database: str, open_history: Callable[[str], History]) -> None:
    migrate(database, "0010")
    earlier, reader = Earlier(database), Earlier(database)
    for m in range(MATCHES):
        for n in range(ROWS):
            earlier.write(f"m{m}", f"g{n}", 1_000_000 + n)

    def write(n: int) -> None:
        earlier.write(f"m{n % MATCHES}", f"later{n}", now_ms(), "written beside the migration")

    def read(n: int) -> None:
        assert len(reader.timeline(f"m{n % MATCHES}")) >= ROWS

    with meanwhile(write) as written, meanwhile(read) as been_read:
        wait_until(lambda: written[0] > 20 and been_read[0] > 20, "the release before to be at work")
        migrate(database)
        done = written[0], been_read[0]
        wait_until(lambda: written[0] > done[0] + 20 and been_read[0] > done[1] + 20, "it to go on")
    for table in ("match_scores", "match_events", "match_event_versions"):
        assert earlier.count(table) >= MATCHES * ROWS, table
    assert earlier.count("match_events") == MATCHES * ROWS + written[0], "each event once"
    history = open_history(database)
    history.write([entry("m0", now_ms(), "now")])
    earlier.write("m0", "g0", now_ms() + 1, "the release before again")
    assert len(earlier.timeline("m0")) == earlier.count("match_events WHERE match_id = 'm0'")
    assert any("the release before again" in document for document in earlier.timeline("m0"))
    for side in (earlier, reader):
        side.connection.close()


def test_the_release_before_may_be_rolled_back_to_until_the_first_month(
    database: str, open_history: Callable[[str], History]
) -> None:
    migrate(database)
    history, earlier, now = open_history(database), Earlier(database), now_ms()
    for n, detail in enumerate(("first", "second", "third")):
        history.write([entry("m", now + n, detail)])
    history.write([entry("m", now + 1, "second")])
    [document] = earlier.timeline("m")
    assert '"third"' in document, "one row an event, its newest"
    earlier.write("m", "g1", now + 3, "fourth")
    earlier.write("m", "g1", now + 2, "too late")
    stored = history.match("m") or pytest.fail("the match is gone")
    assert [event.detail for event in stored.events.values()] == ["fourth"]
    # It may even write in a month that it does not read.
    history.months.make(now_ms=now + 2 * MONTH)
    for detail in ("fifth", "fifth again"):
        earlier.write("m", "g1", now + 3 * MONTH, detail)
    assert earlier.count("match_event_versions") == 2
    stored = history.match("m") or pytest.fail("the match is gone")
    assert [event.detail for event in stored.events.values()] == ["fifth again"]
    earlier.connection.close()


def test_months_are_made_ahead_and_the_old_ones_dropped(database: str, open_history: Callable[[str], History]) -> None:
    migrate(database)
    history = open_history(database)
    # The first month begins some weeks ahead: from then on it is as it will be for years.
    begin_ms = month_start(now_ms(), 3)
    made = history.months.make(now_ms=begin_ms)
    assert history.months.make(now_ms=begin_ms) == []
    assert history.months.ahead(now_ms=begin_ms) == AHEAD
    assert f"match_scores_{datetime.fromtimestamp(begin_ms / 1000, UTC):%Y_%m}" in made
    past = now_ms()
    for at in (past, begin_ms, begin_ms + MONTH, begin_ms + 2 * MONTH):
        history.write([entry("m", at, f"told at {at}")])
    assert count(history, "match_event_versions") == 4
    before = partitions(history, "match_scores")
    while names := history.months.drop(before_ms=month_start(begin_ms, 1)):
        assert len(names) == 2, "one month of each table at a time"
    assert len(partitions(history, "match_scores")) < len(before)
    assert history.months.drop(before_ms=month_start(begin_ms, 1)) == []
    assert [count(history, table) for table in ("match_scores", "match_event_versions", "matches")] == [2, 2, 1]
    # What comes so late is taken, of before the months or of one that was dropped.
    history.write([entry("m", past, "late"), entry("m", begin_ms, "of a month that is gone")])
    assert count(history, "match_events") == 1
    stored = history.match("m") or pytest.fail("the match is gone")
    assert [event.detail for event in stored.events.values()] == [f"told at {begin_ms + 2 * MONTH}"]


def test_a_goal_told_again_in_a_later_month_counts_as_it_is_then(
    database: str, open_history: Callable[[str], History]
) -> None:
    migrate(database)
    history = open_history(database)
    history.months.make(now_ms=now_ms())
    later, before = month_start(now_ms(), AHEAD), entry("m", now_ms(), "")
    [first] = before.events
    events = {id_: replace(first, id=id_) for id_ in ("kept", "edited", "void")}
    history.write([replace(before, events=tuple(events.values()))])
    edited, void = replace(events["edited"], detail="header"), replace(events["void"], void_at=events["void"].since)
    history.write([OutboxEntry("0-2", match("m", later), before.facts, (edited, void))])
    (goals,) = history.index.goals(["m"]).values()
    assert {goal.id: goal.detail or "" for goal in goals} == {"kept": "", "edited": "header"}


def test_the_clock_makes_and_drops_them(database: str, make_services: Callable[..., WorkerServices]) -> None:
    migrate(database)
    services, now = make_services(database, history_keep_days=30), month_start(now_ms(), 3)
    history = services.history
    keep_history(services, now_ms=now)
    assert history.months.ahead(now_ms=now) == AHEAD
    history.write([entry("m", now, "told")])
    # A month is dropped when all of it is old, and one of each table in a turn.
    turns = len(partitions(history, "match_scores"))
    for _ in range(turns):
        keep_history(services, now_ms=month_start(now, 1) + 29 * DAY)
    assert count(history, "match_event_versions") == 1
    for _ in range(turns):
        keep_history(services, now_ms=month_start(now, 1) + 31 * DAY)
    assert [count(history, table) for table in ("match_scores", "match_event_versions", "matches")] == [0, 0, 1]


@pytest.mark.parametrize("chore", ["accounts.expire", "history.names.count", "history.refused_payloads.forget"])
def test_months_are_made_although_another_chore_of_the_clock_cannot_be_done(
    database: str, make_services: Callable[..., WorkerServices], monkeypatch: pytest.MonkeyPatch, chore: str
) -> None:
    migrate(database)
    services, now = make_services(database), month_start(now_ms(), 3)
    owner, _, method = chore.rpartition(".")

    def give_up(*_: object, **__: object) -> None:
        raise Unavailable("it took too long")

    monkeypatch.setattr(attrgetter(owner)(services), method, give_up)
    with pytest.raises(Unavailable):
        housekeep(services, now_ms=now)
    assert services.history.months.ahead(now_ms=now) == AHEAD


def test_who_reads_for_long_holds_up_nobody_but_the_dropping(
    database: str, open_history: Callable[[str], History]
) -> None:
    migrate(database)
    history, now = open_history(database), month_start(now_ms(), 3)
    history.months.make(now_ms=now)
    with psycopg.connect(database) as reading:
        reading.execute("SELECT count(*) FROM match_scores")
        with pytest.raises(Unavailable):
            history.months.drop(before_ms=month_start(now, 1))
        assert history.months.make(now_ms=month_start(now, 1)), "months are made beside it"
    assert history.months.drop(before_ms=month_start(now, 1))


def count(history: History, table: str) -> int:
    with begin(history.engine) as session:
        return int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)
