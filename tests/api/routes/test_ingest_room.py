"""A Redis that fills up, for SQL is away: what empties it needs room as well."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from db.domain.errors import Unavailable
from db.live import room
from tests.api.conftest import Site, error, event
from tests.conftest import RedisServer
from workers.history import write_batch
from workers.ingest import Drain
from workers.merge import Merger

MEGABYTE = 1_000_000


@pytest.fixture
def small(
    make_site: Callable[..., Site],
    run_redis: Callable[[], RedisServer],
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Site:
    """Whose Redis has room for some megabytes."""
    monkeypatch.setattr(room, "LOOK_S", 0.0)
    site = make_site(sqlite_url, redis_url=run_redis().url, rq_redis_url="", redis_cluster=False, live_shards=1)
    site.tell(event("before"))
    redis = site.services.live.redis
    redis.config_set("maxmemory", redis.info("memory")["used_memory"] + 3 * MEGABYTE)
    return site


def fill(site: Site) -> int:
    """Deliver until nothing is taken any more; how many were."""
    taken = 0
    while site.deliver({"events": [long_event(f"m{n}", taken) for n in range(20)]}).status_code == 202:
        taken += 1
    return taken


def long_event(match_id: str, number: int) -> dict[str, Any]:
    return event(match_id, event_id=f"e{number}", detail="x" * 900)


def empty(site: Site) -> None:
    """Apply and write what waits, as far as there is room, by turns."""
    live, history, bells = site.services.live, site.services.history, site.services.bells
    drain, merger = Drain(live, bells), Merger(live, history, bells)
    progress = 1
    while progress:
        with suppress(Unavailable):
            for match_id in live.inbox.pending(0):
                drain.match(match_id)
        progress = write_batch(live, history, merger)


def test_what_fills_redis_is_refused_while_there_is_room_to_empty_it(small: Site) -> None:
    assert fill(small) > 0
    refused = small.deliver({"events": [event()]})
    assert error(refused) == (503, "unavailable")
    assert "nearly full" in refused.get_json()["error"]["message"]
    assert int(refused.headers["Retry-After"]) > 0
    small.services.bells.history()
    assert small.services.bells.waiting("history") == 1
    empty(small)
    assert small.services.live.outbox.waiting_since() is None
    small.services.live.redis.config_set("maxmemory", 0)
    empty(small)
    assert small.waiting() == 0
    assert small.deliver({"events": [event()]}).status_code == 202


def test_a_body_that_is_not_understood_is_not_kept_in_a_redis_that_is_nearly_full(small: Site) -> None:
    fill(small)
    assert error(small.deliver(b"{")) == (503, "unavailable")
    assert small.refused() == []


def test_how_full_redis_is_can_be_seen(small: Site) -> None:
    live = small.services.live
    live.redis.config_set("maxmemory", live.redis.info("memory")["used_memory"] * 2)
    filled = small.services.live.room.filled()
    assert filled is not None
    assert 0.3 < filled < 0.7
    live.redis.config_set("maxmemory", 0)
    assert live.room.filled() is None
    live.room.check()
