"""The board on a real Redis: which matches it has, and what changed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from db.domain import Fact, FactKind, Match, Score, ScorelineEntry, Status, Team
from db.domain.record import replace
from db.live import keys
from db.live.client import connect
from db.live.pubsub import ChangeFeed, MatchChanged
from db.live.store import LiveStore
from tests.support.live import NOW, board


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    """One shard, whose versions and log these tests look at; the last of them has several."""
    with connect(redis_url) as client_:
        yield client_


@pytest.fixture
def live(client: Any) -> LiveStore:
    return LiveStore(client, 1)


GOAL = (Fact(FactKind.SCORE),)
INFO = (Fact(FactKind.INFO),)
CARD = (Fact(FactKind.ADDED, "c1"),)
WHISTLE = (Fact(FactKind.STATUS),)


def commit(live: LiveStore, match_id: str, facts: tuple[Fact, ...], **changes: Any) -> int:
    """The board's version after it."""
    held = live.matches.load(match_id, ())
    after = replace(held.match or Match(match_id, status=Status.FIRST_HALF, minute=1, minute_at=NOW), **changes)
    assert live.commits.commit(held, after, facts, (), visible=True).done
    return live.board.read().version


def goal(live: LiveStore, match_id: str) -> int:
    held = live.matches.load(match_id, ())
    score = held.match and held.match.score
    return commit(live, match_id, GOAL, score=Score(score.home + 1 if score else 1, 0))


def minute(live: LiveStore, match_id: str, minute_: int, passed_s: float) -> int:
    return commit(live, match_id, (), minute=minute_, minute_at=NOW + round(passed_s * 1_000))


def log(live: LiveStore) -> list[tuple[str, int, bool]]:
    return [(change.match_id, change.version, change.on_board) for change in live.board.read().changes]


def test_live_matches_come_by_their_start(live: LiveStore) -> None:
    for match_id, start in (("later", 2_000), ("sooner", 1_000)):
        commit(live, match_id, WHISTLE, start_time=start)
    assert board(live) == ["sooner", "later"]


def test_each_match_is_logged_by_its_last_change_and_when_it_has_left(live: LiveStore) -> None:
    commit(live, "a", WHISTLE)
    second = commit(live, "b", WHISTLE)
    third = commit(live, "a", GOAL, score=Score(1, 0))
    assert log(live) == [("b", second, True), ("a", third, True)]
    last = commit(live, "b", WHISTLE, status=Status.FINISHED)
    assert log(live) == [("a", third, True), ("b", last, False)]
    assert live.board.read().changes[-1].match == live.matches.read(["b"])[0]
    (a,) = live.board.read().matches
    assert live.board.drop(a)
    assert log(live) == [("b", last, False), ("a", live.board.read().version, False)]


def test_a_minute_or_a_card_is_a_version_of_the_board_but_is_not_told(live: LiveStore) -> None:
    commit(live, "z", WHISTLE)
    first = commit(live, "a", WHISTLE)
    minute(live, "a", 2, 60)
    second = commit(live, "a", CARD)
    now = live.board.read()
    assert (now.version, now.told, log(live)) == (second, first, [("a", first, True)])
    assert second > first


@pytest.mark.parametrize("fields", [{"cards": (ScorelineEntry("red_card"),)}, {"scorers": (ScorelineEntry("goal"),)}])
def test_a_red_card_or_a_scorer_is_told(live: LiveStore, fields: dict[str, Any]) -> None:
    commit(live, "a", WHISTLE)
    told = commit(live, "a", CARD, **fields)
    assert (live.board.read().told, log(live)) == (told, [("a", told, True)])


@pytest.mark.parametrize(
    ("minutes", "is_told"),
    [([(2, 61)], False), ([(2, 10)], False), ([(3, 10)], True), ([(2, 1), (3, 2), (4, 3)], True), ([(9, 60)], True)],
    ids=["as counted", "early", "two early", "a clock that runs too fast", "a leap"],
)
def test_a_minute_is_told_where_a_display_that_counts_on_would_be_wrong(
    live: LiveStore, minutes: list[tuple[int, float]], is_told: bool
) -> None:
    first = commit(live, "a", WHISTLE)
    for minute_, passed_s in minutes:
        minute(live, "a", minute_, passed_s)
    assert (live.board.read().told > first) == is_told


def test_a_clock_that_is_no_minute_is_told(live: LiveStore) -> None:
    first = commit(live, "a", WHISTLE, sport="baseball")
    commit(live, "a", (), clock="Top 3", period=3)
    assert live.board.read().told > first


def test_what_only_ticks_is_marked_for_listeners(live: LiveStore, redis_url: str) -> None:
    feed = ChangeFeed(redis_url)
    feed.subscribe()
    commit(live, "a", WHISTLE)
    commit(live, "a", CARD, venue="Wembley")
    commit(live, "a", INFO, home=Team("r", "Reds"))
    minute(live, "a", 2, 60)
    changes: list[MatchChanged] = []
    while len(changes) < 4:
        changes += [change for change in feed.next(1.0) if isinstance(change, MatchChanged)]
    feed.close()
    assert [(change.urgent, change.told) for change in changes] == [
        (True, True),
        (False, False),
        (False, True),
        (False, False),
    ]


def quiet(client: Any, ms: int) -> None:
    """The versions of so long ago, as if nothing had happened since."""
    for match_id, version in client.zrange(keys.BOARD_CHANGES, 0, -1, withscores=True):
        client.zadd(keys.BOARD_CHANGES, {match_id: version - ms})
    bounds = {field: int(client.hget(keys.BOARD_BOUNDS, field)) - ms for field in ("since", "told", "through")}
    client.hset(keys.BOARD_BOUNDS, mapping=bounds)
    client.set(keys.BOARD, bounds["through"])


def test_the_log_is_of_ten_minutes_but_reaches_back_to_those_who_wait(live: LiveStore, client: Any) -> None:
    commit(live, "a", WHISTLE)
    told = commit(live, "b", WHISTLE) - 660_000
    quiet(client, 660_000)
    goal(live, "a")
    assert live.board.read().since == told
    goal(live, "a")
    assert live.board.read().since > told
    assert [match_id for match_id, _, _ in log(live)] == ["a"]


def test_a_clock_that_runs_on_is_confirmed_after_ten_minutes_and_releases_nobody(live: LiveStore, client: Any) -> None:
    told = commit(live, "a", WHISTLE) - 660_000
    quiet(client, 660_000)
    confirmed = minute(live, "a", 12, 660)
    now = live.board.read()
    assert (now.told, log(live)) == (told, [("a", confirmed, True)])
    minute(live, "a", 13, 720)
    assert log(live) == [("a", confirmed, True)]


def test_a_match_that_comes_back_from_history_is_logged(live: LiveStore) -> None:
    assert live.commits.restore(Match("a", 5, 5, status=Status.FIRST_HALF, score=Score(1, 0)))
    first = live.board.read()
    assert first.since == first.told == first.version > 0
    assert live.commits.restore(Match("b", 5, 5, status=Status.FIRST_HALF))
    assert log(live) == [("b", live.board.read().version, True)]


def test_a_redis_that_may_have_lost_something_tells_nobody_a_difference_once(live: LiveStore) -> None:
    version = commit(live, "a", WHISTLE)
    [shard] = live.sharded.shards
    live.board.renew(shard, "another")
    renewed = live.board.read()
    assert renewed.since == renewed.told == renewed.version > version
    live.board.renew(shard, "another")
    assert live.board.read() == renewed
    goal(live, "a")
    assert live.board.read().since == renewed.since


def test_what_the_release_before_changed_is_not_logged_and_breaks_the_log(live: LiveStore, client: Any) -> None:
    commit(live, "a", WHISTLE)
    its = commit(live, "b", WHISTLE) + 1
    client.set(keys.BOARD, its)
    now = live.board.read()
    assert (now.told, now.since, now.changes) == (its, its, ())
    goal(live, "a")
    assert (live.board.read().since, [match_id for match_id, _, _ in log(live)]) == (its, ["a"])


@pytest.mark.parametrize("shards", [1, 4, 16])
def test_any_difference_leads_to_the_board_as_it_is(redis_url: str, shards: int) -> None:
    """Whichever board a reader has. Of several shards he may be told again of what he knows."""
    with connect(redis_url) as client:
        live, rng = LiveStore(client, shards), random.Random(7)
        boards: dict[int, dict[str, int]] = {}
        told_again = differences = 0
        for _ in range(300):
            match_id = f"m{rng.randrange(30)}"
            if rng.random() < 0.1:
                commit(live, match_id, WHISTLE, status=Status.FINISHED)
            else:
                goal(live, match_id)
            now = live.board.read()
            if now.told in boards:
                continue
            shown = {match.id: match.version for match in now.matches}
            assert now.told > max(boards, default=0)
            for version, before in list(boards.items())[-10:]:
                if version >= now.since:
                    differences += 1
                    later = [change for change in now.changes if change.version > version]
                    after = dict(before)
                    for change in later:
                        if change.on_board and change.match:
                            after[change.match_id] = change.match.version
                        else:
                            after.pop(change.match_id, None)
                    assert after == shown
                    known = [change for change in later if change.on_board]
                    told_again += sum(before.get(change.match_id) == shown[change.match_id] for change in known)
            boards[now.told] = shown
        assert differences > 30
        assert (told_again == 0) is (shards == 1)
