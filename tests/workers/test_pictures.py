"""The mailbox of pictures and who empties it, on a real Redis: one picture of the newest state, whatever happens."""

from __future__ import annotations

import pytest

from db.domain import Match, MatchInfo, Stamp, Status, Team, Update
from db.live import keys, room
from db.live import pictures as store
from db.live.pictures import CLAIM_MS, SKEW_MS
from pictures import drawing
from pictures.card import card_of
from tests.support.live import goal, key_of, whistle
from workers import pictures
from workers.boot import WorkerServices
from workers.clock import OVERDUE_MS, sweep
from workers.ingest import Drain
from workers.pictures import Draughtsman, draw_pending
from workers.queues import INGEST

# Beyond what Redis calls now.
LATER = 2**50


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The scores of the pictures that were drawn."""
    scores: list[str] = []
    draw = drawing.png
    monkeypatch.setattr(drawing, "png", lambda card: scores.append(card.score) or draw(card))
    return scores


def tell(services: WorkerServices, *updates: Update) -> None:
    services.live.inbox.accept(updates, now_ms=1)
    drain = Drain(services.live, services.bells)
    for match_id in dict.fromkeys(update.match_id for update in updates):
        drain.match(match_id)


def work(services: WorkerServices, now_ms: int = LATER) -> int:
    """How many were looked at."""
    draughtsman, count = Draughtsman(services.live.matches, services.pictures), 0
    while draughtsman.next(now_ms):
        count += 1
    return count


def match_of(services: WorkerServices, match_id: str) -> Match:
    match = services.live.matches.load(match_id).match
    assert match
    return match


def is_current(services: WorkerServices, match_id: str) -> bool:
    card = card_of(match_of(services, match_id))
    assert card
    return services.pictures.kept(match_id) == (card.digest, drawing.png(card))


@pytest.mark.everywhere
def test_a_change_of_score_makes_the_picture(services: WorkerServices) -> None:
    tell(services, goal("a", 1))
    assert [job.func_name for job in services.bells.queues["pictures"].jobs] == ["workers.pictures.draw"]
    assert services.pictures.waiting() == 1
    services.bells.queues["history"].empty()
    draw_pending(Draughtsman(services.live.matches, services.pictures), services.bells)
    assert is_current(services, "a")
    assert services.pictures.waiting() == 0
    key = key_of(services.live, "a", keys.picture)
    assert 0 < services.live.sharded.of("a").redis.ttl(key) <= store.KEEP_S


def test_a_redis_that_fills_up_takes_no_more_pictures(
    services: WorkerServices, drawn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left of its memory is for scores."""
    monkeypatch.setattr(room, "LOOK_S", 0.0)
    tell(services, goal("a", 1))
    services.bells.queues["history"].empty()
    monkeypatch.setattr(pictures, "services", lambda: services)
    for filled, waiting in ((0.8, 1), (0.6, 0)):
        monkeypatch.setattr(services.live.room, "filled", lambda filled=filled: filled)
        pictures.draw()
        assert (services.pictures.waiting(), len(drawn)) == (waiting, 1 - waiting)


def test_many_changes_in_a_row_make_one_picture_of_the_newest(services: WorkerServices, drawn: list[str]) -> None:
    for n in range(1, 6):
        tell(services, goal("a", n))
    tell(services, goal("b", 1))
    assert work(services) == 2
    assert sorted(drawn) == ["1–0", "5–0"]


def test_what_the_picture_does_not_show_draws_none(services: WorkerServices) -> None:
    tell(services, goal("a", 1))
    work(services)
    stamp = Stamp(1_700_000_060_000, source="generic")
    tell(services, Update("a", stamp, 1_700_000_060_000, minute=61))
    assert services.pictures.waiting() == 0


def test_a_fixture_has_none_and_one_that_is_taken_back_loses_it(services: WorkerServices) -> None:
    info = MatchInfo(home=Team("h", "Home"), away=Team("a", "Away"))
    tell(services, Update("a", Stamp(1, source="generic"), 1, info=info))
    assert services.pictures.waiting() == 0
    tell(services, goal("a", 1))
    work(services)
    assert services.pictures.digest("a")
    tell(services, whistle("a", Status.REMOVED))
    assert work(services) == 1
    assert services.pictures.kept("a") == ("", b"")


def test_another_name_draws_anew(services: WorkerServices) -> None:
    tell(services, goal("a", 1))
    work(services)
    stamp = Stamp(1_700_000_060_000, source="generic")
    tell(services, Update("a", stamp, 1_700_000_060_000, info=MatchInfo(home=Team("h", "Argentina"))))
    assert work(services) == 1
    assert is_current(services, "a")


@pytest.mark.everywhere
def test_a_worker_that_dies_over_one_leaves_it_for_the_next(services: WorkerServices) -> None:
    tell(services, goal("a", 1))
    claimed = services.pictures.claim(now_ms=LATER)
    assert claimed
    # Nobody else draws it meanwhile, and nobody rings for it.
    assert services.pictures.claim(now_ms=LATER) is None
    assert services.pictures.claim(now_ms=LATER + CLAIM_MS - SKEW_MS - 1) is None
    assert services.pictures.waiting() == 1
    ended = LATER + CLAIM_MS + OVERDUE_MS + 1
    services.bells.queues["pictures"].empty()
    sweep(services, now_ms=ended)
    assert services.bells.queues["pictures"].count == 1
    assert work(services, ended) == 1
    assert is_current(services, "a")


@pytest.mark.everywhere
def test_a_change_while_it_is_drawn_is_drawn_as_well(services: WorkerServices) -> None:
    tell(services, goal("a", 1))
    slow = services.pictures.claim(now_ms=LATER)
    assert slow
    tell(services, goal("a", 2))
    assert work(services) == 1
    assert is_current(services, "a")
    # Whoever was slow has drawn what was.
    assert not services.pictures.put(slow, "0123456789ab", b"old")
    assert is_current(services, "a")


def test_a_bug_is_tried_again_and_stops_no_other(
    services: WorkerServices, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tell(services, goal("a", 1))
    tell(services, goal("b", 2))
    draw = drawing.png

    def fail_on_one(card):  # type: ignore[no-untyped-def]
        return draw(card) if card.score == "2–0" else 1 / 0

    with monkeypatch.context() as patch:
        patch.setattr(drawing, "png", fail_on_one)
        assert work(services) == 2
    assert "picture_failed match=a" in caplog.text
    assert is_current(services, "b")
    assert services.pictures.digest("a") == ""
    assert work(services, LATER + CLAIM_MS) == 1
    assert is_current(services, "a")


def test_a_name_that_the_font_cannot_write_takes_the_picture_away(services: WorkerServices) -> None:
    tell(services, goal("a", 1))
    work(services)
    stamp = Stamp(1_700_000_060_000, source="generic")
    tell(services, Update("a", stamp, 1_700_000_060_000, info=MatchInfo(home=Team("h", "日本"))))
    work(services)
    assert services.pictures.kept("a") == ("", b"")
    assert services.pictures.waiting() == 0


def test_it_gives_way_to_other_jobs_and_rings_for_the_rest(services: WorkerServices) -> None:
    tell(services, goal("a", 1))
    services.bells.queues["pictures"].empty()
    assert services.bells.queues[INGEST].count == 0
    services.bells.ingest(0)
    draw_pending(Draughtsman(services.live.matches, services.pictures), services.bells)
    assert services.pictures.waiting() == 1
    assert services.bells.queues["pictures"].count == 1


@pytest.mark.everywhere
def test_the_oldest_go_where_there_are_too_many(services: WorkerServices, monkeypatch: pytest.MonkeyPatch) -> None:
    shards = len(services.live.sharded.shards)
    monkeypatch.setattr(store, "KEPT_MAX", 2 * shards)
    names = [f"m{n}" for n in range(400) if services.live.sharded.of(f"m{n}") == services.live.sharded.of("m0")][:3]
    for number, name in enumerate(names):
        tell(services, goal(name, 1))
        work(services)
        shard = services.live.sharded.of(name)
        shard.redis.zadd(shard.key(keys.PICTURES_KEPT), {name: 1_000 + number})
    assert services.pictures.trim(now_ms=2_000) == 1
    assert [bool(services.pictures.digest(name)) for name in names] == [False, True, True]
    # Those that Redis has dropped by itself are not counted.
    assert services.pictures.trim(now_ms=2_000 + store.KEEP_S * 1_000) == 0
    assert services.live.sharded.total(keys.PICTURES_KEPT) == 0


def test_a_match_that_has_left_redis_waits_no_more(services: WorkerServices) -> None:
    tell(services, goal("a", 1))
    services.live.sharded.of("a").redis.delete(key_of(services.live, "a", keys.state))
    assert work(services) == 1
    assert services.pictures.waiting() == 0
