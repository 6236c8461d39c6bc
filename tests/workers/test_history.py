"""From outbox to SQL: batches, a database that is away, one bad outbox among good ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from db.domain import Event, Match, Score, Side, Stamp, Team, Update
from db.domain.errors import Unavailable
from db.live import keys
from db.refusal import RefusedPayload
from db.sql.history import MatchFilter
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


def test_a_long_outbox_is_written_in_order_over_several_batches(
    services: WorkerServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "ENTRIES", 2)
    play(services, *(goal("a", n) for n in range(5)))
    assert [write_batch(services.live, services.history) for _ in range(4)] == [2, 2, 1, 0]
    assert written(services, "a").score == Score(5, 0)


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
    """A name with a NUL never passes a door; one that did must hold up nobody else in PostgreSQL."""
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
