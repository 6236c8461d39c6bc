"""Nothing known of a match is lost when Redis forgets it and SQL is away: it goes on partial, and is merged beside."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from db.domain import Competition, Event, Match, MatchInfo, Score, Side, Stamp, Status, Team, Update
from db.domain.errors import Unavailable
from db.live import keys
from db.live.commits import Commits
from db.live.partials import Partials
from db.live.store import LiveStore
from db.sql.history import History
from db.sql.models import MatchRow, MatchScoreRow
from db.sql.session import begin
from tests.conftest import Postgres
from tests.support.live import key_of
from workers.boot import WorkerServices
from workers.clock import sweep
from workers.history import drain_pending, write_batch
from workers.ingest import Drain

NOW = 1_700_000_000_000
INFO = MatchInfo(
    home=Team("arg", "Argentina"),
    away=Team("fra", "France"),
    competition=Competition("cup", "World Cup"),
    venue="Lusail",
    start_time=NOW - 7_200_000,
)


def update_of(match_id: str, n: int, **more: Any) -> Update:
    """n: seconds after NOW."""
    return Update(match_id, Stamp(NOW + n * 1_000, source=more.pop("source", "generic")), NOW + n * 1_000, **more)


def goal(match_id: str, n: int, **more: Any) -> Update:
    at = Stamp(NOW + n * 1_000, source=more.get("source", "generic"))
    event = Event(f"g{n}", "goal", at, since=at, team=Side.HOME, minute=n, created_at=NOW)
    return update_of(match_id, n, event=event, **more)


def edit(match_id: str, n: int, of: int) -> Update:
    """A detail of a goal, told later."""
    at = Stamp(NOW + n * 1_000, source="generic")
    return update_of(match_id, n, event=Event(f"g{of}", "goal", at, since=at, detail="header", created_at=NOW))


def play(services: WorkerServices, *updates: Update) -> None:
    services.live.inbox.accept(updates, now_ms=NOW)
    drain = Drain(services.live, services.bells)
    for match_id in dict.fromkeys(update.match_id for update in updates):
        drain.match(match_id)


def play_out(services: WorkerServices, match_id: str) -> Match:
    """A finished 1-0, written."""
    play(services, update_of(match_id, 0, info=INFO, status=Status.FIRST_HALF), goal(match_id, 30))
    play(services, update_of(match_id, 90, status=Status.FINISHED))
    drain_pending(services.live, services.history, services.bells)
    return present(services, match_id)


def forget(services: WorkerServices, match_id: str) -> None:
    names = (keys.state, keys.events, keys.inbox, keys.outbox, keys.push, keys.window)
    services.live.redis.delete(*(key_of(services.live, match_id, name) for name in names))


def present(services: WorkerServices, match_id: str) -> Match:
    match = services.live.matches.timeline(match_id)
    assert match
    return match


def row(services: WorkerServices, match_id: str) -> dict[str, Any]:
    with begin(services.history.engine) as session:
        record = session.execute(sa.select(MatchRow.__table__).where(MatchRow.id == match_id)).mappings().one()
        return dict(record)


def facts_waiting(services: WorkerServices, match_id: str) -> list[str]:
    entries = services.live.redis.xrange(key_of(services.live, match_id, keys.push))
    return [fields[b"facts"].decode() for _, fields in entries]


@pytest.fixture
def away(make_services: Callable[..., WorkerServices], postgresql_url: str) -> WorkerServices:
    """On a PostgreSQL that a test may stop."""
    return make_services(postgresql_url)


@pytest.fixture
def either(make_services: Callable[..., WorkerServices], database_url: str) -> WorkerServices:
    return make_services(database_url)


def no_sql(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> Any:
        raise Unavailable("SQL is away")

    for name in ("stored", "versions", "write", "write_scores", "recent"):
        monkeypatch.setattr(History, name, refuse)


KEPT = ("home_team", "away_team", "competition", "venue", "start_time", "phase", "status", "home_team_id")


def test_an_edit_of_a_match_that_redis_lost_while_sql_is_away_replaces_nothing_known(
    away: WorkerServices, postgres: Postgres
) -> None:
    before = play_out(away, "a")
    earlier = row(away, "a")
    away.live.redis.flushall()
    postgres.stop()
    try:
        play(away, edit("a", 100, of=30))
        drain_pending(away.live, away.history, away.bells)
        assert present(away, "a").events["g30"].detail == "header", "it is applied"
    finally:
        postgres.start()
    drain_pending(away.live, away.history, away.bells)
    after, written = present(away, "a"), row(away, "a")
    assert (after.score, after.status, after.home, after.start_time) == (
        before.score,
        Status.FINISHED,
        before.home,
        before.start_time,
    )
    assert {name: written[name] for name in KEPT} == {name: earlier[name] for name in KEPT}
    assert written["version"] == after.version > earlier["version"]
    [event] = after.timeline
    assert (event.id, event.team, event.minute, event.detail) == ("g30", Side.HOME, 30, "header")
    assert away.history.match("a") == after


def test_what_it_was_told_meanwhile_counts_too(either: WorkerServices) -> None:
    play_out(either, "a")
    forget(either, "a")
    play(either, goal("a", 60), update_of("a", 61, score=Score(2, 0)))
    drain_pending(either.live, either.history, either.bells)
    after = present(either, "a")
    assert (after.score, [event.id for event in after.timeline]) == (Score(2, 0), ["g30", "g60"])
    assert either.history.match("a") == after


def test_no_commit_waits_for_sql(services: WorkerServices, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kick-offs of a whole minute, none of which Redis knows."""
    monkeypatch.setattr(History, "stored", lambda *_: pytest.fail("SQL was asked"))
    ids = [f"m{n}" for n in range(109)]
    play(services, *(update_of(match_id, 0, info=INFO, status=Status.FIRST_HALF) for match_id in ids))
    assert {match.id for match in services.live.board.read().matches} == set(ids)
    assert Partials(services.live.sharded).count() == 109
    assert services.live.inbox.parked() == 0
    write_batch(services.live, services.history)
    while write_batch(services.live, services.history):
        pass
    assert Partials(services.live.sharded).count() == 0
    assert services.live.outbox.waiting_since() is None


def test_nothing_of_a_partial_match_is_written_before_it_is_merged(
    either: WorkerServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    play_out(either, "a")
    earlier = row(either, "a")
    forget(either, "a")
    play(either, edit("a", 100, of=30))
    with monkeypatch.context() as patch:
        patch.setattr("workers.merge.MATCHES", 0)
        patch.setattr(Partials, "due", lambda *_: [])
        assert write_batch(either.live, either.history) == 0
    assert row(either, "a") == earlier
    assert either.live.outbox.pending(10) == ["a"]


def test_the_scores_that_were_shown_meanwhile_stay_in_history(either: WorkerServices) -> None:
    play_out(either, "a")
    forget(either, "a")
    play(either, update_of("a", 200, score=Score(0, 1)))
    shown = present(either, "a")
    drain_pending(either.live, either.history, either.bells)
    with begin(either.history.engine) as session:
        scores = session.scalars(sa.select(MatchScoreRow).where(MatchScoreRow.version == shown.version)).all()
        assert [(score.home_score, score.away_score) for score in scores] == [(0, 1)]


def test_a_version_grows_beyond_that_of_sql_though_the_clock_of_redis_is_behind(either: WorkerServices) -> None:
    before = play_out(either, "a")
    ahead = before.version + 1_000_000_000
    with begin(either.history.engine) as session:
        session.execute(sa.update(MatchRow).where(MatchRow.id == "a").values(version=ahead))
    forget(either, "a")
    play(either, edit("a", 100, of=30))
    drain_pending(either.live, either.history, either.bells)
    assert present(either, "a").version > ahead
    assert row(either, "a")["version"] == present(either, "a").version


def test_what_comes_back_from_sql_is_no_news_and_what_came_since_is(services: WorkerServices) -> None:
    play_out(services, "a")
    services.live.redis.flushall()
    play(services, edit("a", 100, of=30))
    assert facts_waiting(services, "a") == [], "SQL may know the goal"
    drain_pending(services.live, services.history, services.bells)
    assert facts_waiting(services, "a") == ['[{"kind":"edited","event_id":"g30","was":"goal"}]']
    forget(services, "a")
    play(services, goal("a", 200), update_of("a", 201, score=Score(2, 0)))
    drain_pending(services.live, services.history, services.bells)
    [facts] = facts_waiting(services, "a")
    assert '"added","event_id":"g200"' in facts
    assert '"g30"' not in facts


def test_a_match_that_nobody_knew_is_told_once_sql_was_asked(services: WorkerServices) -> None:
    play(services, goal("new", 1))
    play(services, goal("new", 2))
    assert facts_waiting(services, "new") == []
    write_batch(services.live, services.history)
    [facts] = facts_waiting(services, "new")
    assert '"g1"' in facts
    assert '"g2"' in facts
    play(services, goal("new", 3))
    assert len(facts_waiting(services, "new")) == 2, "from then on at once"


def test_a_commit_amid_a_merge_is_merged_too(services: WorkerServices, monkeypatch: pytest.MonkeyPatch) -> None:
    play_out(services, "a")
    forget(services, "a")
    play(services, goal("a", 60))
    merge = Commits.merge

    def overtaken(self: LiveStore, *args: Any, **options: Any) -> Any:
        monkeypatch.setattr(Commits, "merge", merge)
        play(services, goal("a", 61))
        return merge(self, *args, **options)

    monkeypatch.setattr(Commits, "merge", overtaken)
    drain_pending(services.live, services.history, services.bells)
    assert [event.id for event in present(services, "a").timeline] == ["g30", "g60", "g61"]
    assert services.history.match("a") == present(services, "a")


def test_merges_and_commits_at_once_lose_nothing(services: WorkerServices) -> None:
    play_out(services, "a")
    forget(services, "a")
    play(services, goal("a", 100))
    threads = [
        threading.Thread(target=lambda: [play(services, goal("a", n)) for n in range(101, 151)]),
        threading.Thread(target=lambda: [write_batch(services.live, services.history) for _ in range(30)]),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    drain_pending(services.live, services.history, services.bells)
    assert len(present(services, "a").events) == 52
    assert services.history.match("a") == present(services, "a")


def test_the_source_that_told_the_match_still_does(either: WorkerServices) -> None:
    play_out(either, "a")
    forget(either, "a")
    play(either, goal("a", 70, source="other"))
    assert present(either, "a").source == "other"
    drain_pending(either.live, either.history, either.bells)
    after = either.live.matches.load("a").match
    assert after
    assert (after.source, after.score, sorted(after.ledgers)) == ("generic", Score(1, 0), ["generic", "other"])
    assert (sorted(after.events), sorted(after.elsewhere["other"])) == (["g30"], ["g70"])
    stored = either.history.stored("a")
    assert stored
    assert (sorted(stored.events), sorted(stored.elsewhere["other"])) == (["g30"], ["g70"])


def test_a_match_of_a_release_without_ledgers_is_merged_as_well(either: WorkerServices) -> None:
    play_out(either, "a")
    with begin(either.history.engine) as session:
        session.execute(sa.update(MatchRow).where(MatchRow.id == "a").values(ledgers=None))
    forget(either, "a")
    play(either, edit("a", 100, of=30))
    drain_pending(either.live, either.history, either.bells)
    after = present(either, "a")
    assert (after.score, after.status, after.venue) == (Score(1, 0), Status.FINISHED, "Lusail")
    assert after.events["g30"].detail == "header"


def test_a_match_that_expires_before_it_is_merged_is_waited_for_no_longer(services: WorkerServices) -> None:
    play(services, goal("a", 1))
    forget(services, "a")
    write_batch(services.live, services.history)
    assert Partials(services.live.sharded).count() == 0


def test_a_row_that_cannot_be_read_keeps_its_match_waiting_and_no_other(services: WorkerServices) -> None:
    play_out(services, "bad")
    with begin(services.history.engine) as session:
        session.execute(sa.update(MatchRow).where(MatchRow.id == "bad").values(document='{"id":"bad","status":"?"}'))
    forget(services, "bad")
    play(services, goal("bad", 60), goal("good", 1))
    drain_pending(services.live, services.history, services.bells)
    assert (services.live.outbox.parked(), Partials(services.live.sharded).count()) == (1, 1)
    assert services.history.match("good")
    assert row(services, "bad")["document"] == '{"id":"bad","status":"?"}'


def test_sql_that_is_back_is_rung_for(services: WorkerServices, monkeypatch: pytest.MonkeyPatch) -> None:
    play(services, goal("a", 1))
    with monkeypatch.context() as patch:
        no_sql(patch)
        drain_pending(services.live, services.history, services.bells)
    assert Partials(services.live.sharded).count() == 1
    for queue in services.bells.queues.values():
        queue.empty()
    sweep(services, now_ms=2**53)
    assert [job.func_name for job in services.bells.queues["history"].jobs] == ["workers.history.drain"]
