"""From outbox to SQL: batches, a database that is away, one bad outbox among good ones."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import text

from db.domain import Event, Match, Score, Side, Stamp, Team, Update
from db.domain.errors import Unavailable
from db.live import keys
from db.refusal import RefusedPayload
from db.sql.history import MatchFilter
from db.sql.models import MatchRow
from db.sql.session import begin
from tests.conftest import Postgres
from tests.support.live import key_of
from workers import history
from workers.boot import WorkerServices
from workers.history import drain_pending, write_batch
from workers.ingest import Drain

NOW = 1_700_000_000_000


def goal(match_id: str, n: int) -> Update:
    stamp = Stamp(NOW + n * 1_000, source="generic")
    event = Event(f"g{n}", "goal", stamp, since=stamp, team=Side.HOME, minute=n, created_at=NOW)
    return Update(match_id, stamp, NOW, event=event)


def play(services: WorkerServices, *updates: Update) -> None:
    """Each update a version of its own."""
    worker = Drain(services.live, services.bells)
    for update in updates:
        services.live.inbox.accept([update], now_ms=NOW)
        worker.match(update.match_id)


def drain(services: WorkerServices) -> None:
    drain_pending(services.live, services.history, services.bells)


def written(services: WorkerServices, match_id: str) -> Match:
    match = services.history.match(match_id)
    assert match
    return match


def scores(services: WorkerServices) -> int:
    with begin(services.history.engine) as session:
        return int(session.execute(text("SELECT count(*) FROM match_scores")).scalar() or 0)


@pytest.fixture
def either(make_services: Callable[..., WorkerServices], database_url: str) -> WorkerServices:
    return make_services(database_url)


def test_what_is_written_is_what_is_live(either: WorkerServices) -> None:
    play(either, *(goal("a", n) for n in range(1, 6)), goal("b", 1))
    drain(either)
    for match_id in ("a", "b"):
        assert written(either, match_id) == either.live.matches.timeline(match_id)
    assert scores(either) == 6
    assert either.live.outbox.waiting_since() is None
    assert not either.live.redis.exists(key_of(either.live, "a", keys.HISTORY_BELL))


def test_a_batch_written_and_not_acknowledged_is_written_again_harmlessly(
    services: WorkerServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(services, goal("a", 1), goal("a", 2))

    def away(*_args: object) -> int:
        raise Unavailable("gone between writing and acknowledging")

    with monkeypatch.context() as patch:
        patch.setattr(services.live.outbox, "ack", away)
        with pytest.raises(Unavailable):
            write_batch(services.live, services.history)
    play(services, goal("a", 3))
    assert write_batch(services.live, services.history) == 3
    assert (written(services, "a").score, scores(services)) == (Score(3, 0), 3)


@pytest.mark.everywhere
def test_a_long_outbox_is_written_in_order_over_several_batches(
    services: WorkerServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "ENTRIES", 2)
    play(services, *(goal("a", n) for n in range(5)))
    assert [write_batch(services.live, services.history) for _ in range(4)] == [2, 2, 1, 0]
    assert written(services, "a").score == Score(5, 0)


def test_a_batch_ends_after_so_many_events(services: WorkerServices, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an outage an outbox has many, and other jobs wait while they are written."""
    monkeypatch.setattr(history, "EVENTS", 3)
    play(services, *(goal(match_id, n) for match_id in ("a", "b", "c") for n in range(2)))
    assert [write_batch(services.live, services.history) for _ in range(4)] == [2, 2, 2, 0]
    assert all(written(services, match_id).score == Score(2, 0) for match_id in ("a", "b", "c"))


def test_a_match_that_changes_all_the_time_does_not_hold_up_the_others(
    services: WorkerServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MATCHES", 1)
    write, goals = services.history.write, count(2)

    def write_while_it_changes(*args: Any) -> None:
        write(*args)
        play(services, goal("busy", next(goals)))

    monkeypatch.setattr(services.history, "write", write_while_it_changes)
    play(services, goal("busy", 1), goal("quiet", 1))
    for _ in range(3):
        write_batch(services.live, services.history)
    assert services.history.match("quiet")


def test_a_database_away_and_back_loses_nothing(
    make_services: Callable[..., WorkerServices], postgres: Postgres, postgresql_url: str
) -> None:
    services = make_services(postgresql_url)
    play(services, goal("a", 1))
    drain(services)
    postgres.stop()
    try:
        play(services, goal("a", 2), goal("a", 3), goal("new", 1))
        drain(services)
        assert services.live.outbox.waiting_since() is not None
        assert not services.live.redis.exists(key_of(services.live, "a", keys.HISTORY_BELL))
        score = services.live.matches.read(["a"])[0]
        assert score
        assert score.score == Score(3, 0)
    finally:
        postgres.start()
    drain(services)
    assert (written(services, "a").score, written(services, "new").score, scores(services)) == (
        Score(3, 0),
        Score(1, 0),
        4,
    )
    assert services.live.outbox.waiting_since() is None


def test_an_outbox_that_cannot_be_written_is_set_aside_and_the_others_go_on(either: WorkerServices) -> None:
    play(either, goal("good", 1), goal("bad", 1), goal("fine", 1))
    outbox = key_of(either.live, "bad", keys.outbox)
    either.live.redis.xadd(outbox, {"version": "x", "updated_at": 1, "match": "{}", "facts": "", "events": ""})
    drain(either)
    assert {match.id for match in either.history.matches(MatchFilter(), 10)[0]} == {"fine", "good"}
    assert (either.live.outbox.pending(10), either.live.outbox.parked()) == ([], 1)
    either.live.redis.xdel(outbox, either.live.redis.xrevrange(outbox, count=1)[0][0])
    either.live.outbox.unpark(before_ms=2**53)
    drain(either)
    assert written(either, "bad").score == Score(1, 0)


def test_a_row_that_the_database_refuses_stops_no_other_match(either: WorkerServices) -> None:
    """A name with a NUL never passes an endpoint; one that did must hold up nobody else in PostgreSQL."""
    held = either.live.matches.load("bad")
    either.live.commits.commit(held, Match("bad", home=Team("t", "N\0L")), (), (), visible=True)
    play(either, goal("good", 1))
    drain(either)
    assert written(either, "good").score == Score(1, 0)
    assert either.live.outbox.pending(10) == []


def test_refused_payloads_are_brought_to_history(either: WorkerServices) -> None:
    payload = RefusedPayload("id1", "generic", NOW, "not_json", "The body is not JSON.", b"\x00\xff")
    either.live.refusals.keep(payload)
    drain(either)
    assert either.history.refused_payloads.newest(10) == [payload]
    assert either.live.refusals.waiting() == 0


def test_a_refused_payload_that_the_database_refuses_too_stops_nothing(either: WorkerServices) -> None:
    good = RefusedPayload("id1", "generic", NOW, "not_json", "a NUL \0 in it", b"x")
    either.live.refusals.keep(RefusedPayload("id0", "generic", 10**17, "not_json", "after the year 9999", b"x"))
    either.live.refusals.keep(good)
    play(either, goal("a", 1))
    drain(either)
    assert [(payload.id, payload.reason) for payload in either.history.refused_payloads.newest(10)] == [
        ("id1", "a NUL \ufffd in it")
    ]
    assert either.live.refusals.waiting() == 0
    assert written(either, "a").score == Score(1, 0)


def test_a_match_that_sql_does_not_write_in_time_holds_up_no_other(
    make_services: Callable[..., WorkerServices], postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another session keeps its row locked. Tried for ever, it would be the end of all history."""
    monkeypatch.setattr("db.sql.postgres.STATEMENT_S", 1)
    services = make_services(postgresql_url)
    play(services, goal("locked", 1), goal("b", 1))
    drain(services)
    play(services, goal("locked", 2), goal("b", 2))
    with begin(services.history.engine) as session:
        session.execute(sa.select(MatchRow).where(MatchRow.id == "locked").with_for_update())
        write_batch(services.live, services.history)
        assert (services.live.outbox.pending(10), services.live.outbox.parked()) == ([], 1)
        assert written(services, "b").score == Score(2, 0)
    services.live.outbox.unpark(before_ms=2**53)
    drain(services)
    assert written(services, "locked").score == Score(2, 0)


def minute(match_id: str, n: int) -> Update:
    """Nothing but the clock."""
    return Update(match_id, Stamp(NOW + 200_000 + n * 1_000, source="generic"), NOW, minute=n)


def touch(match_id: str, n: int) -> Update:
    stamp = Stamp(NOW + 200_000 + n * 1_000, source="generic")
    return Update(match_id, stamp, NOW, event=Event(f"t{n}", "corner", stamp, since=stamp, minute=n, created_at=NOW))


def test_an_outbox_holds_no_more_than_history_needs(either: WorkerServices) -> None:
    """While SQL is away: the newest of the match and of each event, and each score. Versions of the minute are 96 in a
    hundred."""
    play(
        either,
        goal("a", 1),
        *(minute("a", n) for n in range(2, 40)),
        goal("a", 40),
        *(minute("a", n) for n in range(41, 60)),
    )
    assert len(either.live.outbox.entries("a", 1_000)) == 4 - 1
    play(either, *(touch("a", n) for n in range(60, 180)))
    entries = either.live.outbox.entries("a", 1_000)
    assert len(entries) == 2 + 3
    assert max(len(entry.events) for entry in entries) <= 50
    drain(either)
    assert written(either, "a") == either.live.matches.timeline("a")
    assert scores(either) == 2


def test_an_entry_that_was_taken_up_while_it_was_written_is_written_again(
    services: WorkerServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(services, goal("a", 1))
    drain(services)
    play(services, touch("a", 1))
    write = services.history.write

    def meanwhile(*args: Any) -> None:
        write(*args)
        monkeypatch.undo()
        play(services, touch("a", 2))

    monkeypatch.setattr(services.history, "write", meanwhile)
    write_batch(services.live, services.history)
    (entry,) = services.live.outbox.entries("a", 10)
    assert {event.id for event in entry.events} == {"t1", "t2"}
    drain(services)
    assert written(services, "a") == services.live.matches.timeline("a")
