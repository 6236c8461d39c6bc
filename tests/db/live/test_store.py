"""All live state: when Redis is gone, full or killed."""

from __future__ import annotations

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from db.domain import Match
from db.domain.errors import Unavailable
from db.live.store import LiveStore
from tests.conftest import RedisServer
from tests.support.live import NOW, goal, payload


def test_without_redis_every_verb_says_unavailable(redis_url: str) -> None:
    away = LiveStore(redis.Redis(port=1, retry=Retry(NoBackoff(), 0)), shards=1)
    verbs = [
        away.ping,
        away.inbox.backlog,
        away.board.read,
        lambda: away.inbox.accept([goal("a", 1)], now_ms=NOW),
        lambda: away.matches.load("a"),
        lambda: away.matches.read(["a"]),
        lambda: away.commits.restore(Match("a")),
        lambda: away.outbox.entries("a", 1),
        lambda: away.outbox.batch(["a"], 1),
        lambda: away.outbox.ack({"a": ["1-0"]}),
        lambda: away.refusals.keep(payload(1)),
    ]
    for verb in verbs:
        with pytest.raises(Unavailable):
            verb()


def test_a_full_redis_is_unavailable_not_a_bug(live: LiveStore, client: redis.Redis) -> None:
    client.config_set("maxmemory", "1")
    try:
        with pytest.raises(Unavailable, match="full"):
            live.inbox.accept([goal("a", 1)], now_ms=NOW)
    finally:
        client.config_set("maxmemory", "0")


@pytest.mark.faults
def test_what_was_accepted_survives_a_killed_redis(live: LiveStore, redis_server: RedisServer) -> None:
    live.inbox.accept([goal("a", 1)], now_ms=NOW, delivery="generic:1")
    redis_server.kill()
    redis_server.start()
    assert live.inbox.head("a", 10).updates == (goal("a", 1),)
    assert live.inbox.accept([goal("a", 1)], now_ms=NOW, delivery="generic:1")[0] is False
