"""Live state on a cluster whose masters die, hang and give up slots: other shards go on, and nothing is half served."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis.crc import key_slot

from db.domain.errors import Unavailable
from db.live import keys, news
from db.live.cluster import Cluster
from db.live.news import ClusterFeed
from db.live.pubsub import Gap, MatchChanged
from db.live.store import LiveStore
from dev.redis_cluster import RedisCluster, RedisNode
from dev.system import free_port
from tests.conftest import wait_until
from tests.support.live import NOW, apply, board, goal

SHARDS = 16
pytestmark = pytest.mark.xdist_group("cluster")


@pytest.fixture
def live(redis_cluster: RedisCluster) -> Iterator[LiveStore]:
    redis_cluster.flush()
    connection = Cluster(redis_cluster.url, answer_s=0.5, retries=1)
    yield LiveStore(connection, SHARDS)
    connection.close()
    redis_cluster.mend()


@pytest.fixture
def feed(live: LiveStore, redis_cluster: RedisCluster) -> Iterator[ClusterFeed]:
    feed = ClusterFeed(redis_cluster.url, SHARDS)
    feed.subscribe()
    wait_until(lambda: feed.next(0.1) is not None and not feed.deaf, "all shards to be heard")
    yield feed
    feed.close()


def matches_by_master(live: LiveStore, cluster: RedisCluster) -> dict[int, list[str]]:
    """Ids of matches, some of each master, by its port."""
    found: dict[int, list[str]] = {}
    for n in range(60):
        shard = live.sharded.of(f"m{n}")
        found.setdefault(cluster.master_of(shard.key("x")).port, []).append(f"m{n}")
    return found


def is_away(live: LiveStore, match_id: str) -> bool:
    try:
        live.inbox.accept([goal(match_id, 1)], now_ms=NOW)
    except Unavailable:
        return True
    return False


def victim(live: LiveStore, cluster: RedisCluster) -> tuple[RedisNode, str, str]:
    """A master, a match that it has, and one that another has."""
    by_master = matches_by_master(live, cluster)
    first, second, *_ = by_master
    node = next(node for node in cluster.nodes if node.port == first)
    return node, by_master[first][0], by_master[second][0]


def test_a_killed_master_takes_no_other_shard_with_it_and_loses_nothing(
    live: LiveStore, redis_cluster: RedisCluster
) -> None:
    node, lost, other = victim(live, redis_cluster)
    apply(live, goal(lost, 1))
    apply(live, goal(other, 1))
    assert board(live) == sorted([lost, other]) or set(board(live)) == {lost, other}
    version = live.board.read().version
    node.redis.execute_command("WAIT", 1, 1_000)
    node.kill()
    wait_until(lambda: is_away(live, lost), "its shard to be out of reach")
    assert live.inbox.accept([goal(other, 2)], now_ms=NOW)[0]
    assert other in live.outbox.pending(10), "what is within reach is worked on"
    assert 0 < live.ping() < SHARDS
    with pytest.raises(Unavailable):
        live.board.read()
    wait_until(lambda: not is_away(live, lost), "the replica to be promoted")
    assert set(board(live)) == {lost, other}
    assert live.board.read().version >= version
    assert live.ping() == 0


def test_a_hung_master_is_unavailable_and_the_others_answer(live: LiveStore, redis_cluster: RedisCluster) -> None:
    node, lost, other = victim(live, redis_cluster)
    apply(live, goal(lost, 1))
    node.pause()
    with pytest.raises(Unavailable):
        live.matches.load(lost)
    for n in range(3):
        assert live.inbox.accept([goal(other, n)], now_ms=NOW)[0]
    wait_until(lambda: not is_away(live, lost), "the replica to be promoted")
    node.resume()
    wait_until(redis_cluster.is_whole, "the old master to follow")
    assert not is_away(live, lost)


def test_a_slot_on_its_way_is_unavailable_and_found_where_it_went(live: LiveStore, redis_cluster: RedisCluster) -> None:
    old, moving, other = victim(live, redis_cluster)
    new = redis_cluster.master_of(live.sharded.of(other).key("x"))
    for match_id in (moving, other):
        live.inbox.accept([goal(match_id, 1)], now_ms=NOW)
        apply(live, goal(match_id, 1))
    slot = key_slot(live.sharded.of(moving).key("x").encode())
    redis_cluster.begin_move(slot, old, new)
    redis_cluster.move_keys(slot, old, new, count=3)
    with pytest.raises(Unavailable, match=r"TRYAGAIN|ASK"):
        live.inbox.accept([goal(moving, 2)], now_ms=NOW)
    redis_cluster.move_keys(slot, old, new)
    redis_cluster.end_move(slot, new)
    assert live.inbox.accept([goal(moving, 2)], now_ms=NOW)[0]
    # Commands of both shards were grouped for the old master.
    assert set(board(live)) == {moving, other}
    assert [match.id for match in live.matches.read([moving, other]) if match] == [moving, other]
    redis_cluster.move(slot, new, old)
    assert set(board(live)) == {moving, other}


def test_a_process_starts_while_no_node_answers() -> None:
    away = LiveStore(Cluster(f"redis://127.0.0.1:{free_port()}/0", retries=0), SHARDS)
    with pytest.raises(Unavailable):
        away.board.read()
    with pytest.raises(Unavailable):
        away.ping()
    with pytest.raises(Unavailable):
        away.inbox.accept([goal("a", 1)], now_ms=NOW)


def test_the_news_of_every_shard_are_heard(live: LiveStore, feed: ClusterFeed) -> None:
    told = {f"m{n}": apply(live, goal(f"m{n}", 1)).version for n in range(60)}
    heard: dict[str, int] = {}

    def all_heard() -> bool:
        heard.update((item.match_id, item.version) for item in feed.next(0.1) if isinstance(item, MatchChanged))
        return heard == told

    wait_until(all_heard, "all news")


@pytest.mark.parametrize("trouble", ["failover", "kill", "move"])
def test_news_go_on_after_a_gap_wherever_a_shard_goes(
    live: LiveStore, feed: ClusterFeed, redis_cluster: RedisCluster, trouble: str
) -> None:
    """Of a planned failover and of a slot that moves only a `sunsubscribe` tells; the connection stays."""
    node, match_id, other = victim(live, redis_cluster)
    shard = live.sharded.of(match_id)
    slot, new = key_slot(shard.key("x").encode()), redis_cluster.master_of(live.sharded.of(other).key("x"))
    if trouble == "failover":
        redis_cluster.fail_over(node)
    elif trouble == "kill":
        node.kill()
    else:
        redis_cluster.move(slot, node, new)
    items: list[object] = []

    def has_gap() -> bool:
        items.extend(feed.next(0.1))
        return Gap(shard.number) in items

    wait_until(has_gap, "the gap")
    version = apply(live, goal(match_id, 1)).version

    def is_heard() -> bool:
        return any(isinstance(item, MatchChanged) and item.version == version for item in feed.next(0.1))

    wait_until(is_heard, "the news")
    if trouble == "move":
        redis_cluster.move(slot, new, node)


def test_a_feed_whose_listener_has_gone_ends(feed: ClusterFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "SILENT_S", 0.1)
    ears = list(feed.ears)
    assert {number for ear in ears for number in ear.channels} == set(range(SHARDS))
    feed.close()
    wait_until(lambda: not any(ear.is_alive() for ear in ears), "the threads to end")


def test_a_key_that_belongs_to_no_match_is_in_the_first_shard(live: LiveStore) -> None:
    assert live.sharded.home.key(keys.REFUSED).startswith(live.sharded.shards[0].tag)
