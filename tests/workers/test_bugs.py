"""A bug that one match meets: it is set aside, and the next is worked on."""

from __future__ import annotations

import pytest

from db.bugs import set_aside_on_bug
from db.domain import Match, MatchInfo, Stamp, Status, Update
from db.domain.errors import Unavailable
from db.live import keys
from db.live.matches import Matches
from tests.support.live import key_of
from workers.boot import WorkerServices
from workers.history import write_batch
from workers.ingest import Drain
from workers.push.job import push_of
from workers.push.live_activities import LiveActivities
from workers.push.prematch import REMIND_MS, Prematch

NOW = 1_700_000_000_000


def test_a_bug_is_told_and_the_block_is_left(caplog: pytest.LogCaptureFixture) -> None:
    aside: list[str] = []
    with set_aside_on_bug("match_parked match=%s", "a", aside=lambda: aside.append("a")):
        raise KeyError("x")
    assert aside == ["a"]
    assert [record.getMessage() for record in caplog.records] == ["match_parked match=a"]


def test_a_service_that_is_away_is_no_bug(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Unavailable), set_aside_on_bug("match_parked match=%s", "a"):
        raise Unavailable("away")
    assert not caplog.records


def test_a_lock_screen_that_cannot_be_written_stops_no_other(
    services: WorkerServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[str] = []

    def timeline(_self: Matches, match_id: str) -> None:
        if match_id == "bad":
            raise KeyError(match_id)
        published.append(match_id)

    monkeypatch.setattr(LiveActivities, "_watched", lambda _self, match_ids, _now_ms: match_ids)
    monkeypatch.setattr(Matches, "timeline", timeline)
    for n, match_id in enumerate(("bad", "good")):
        services.live.redis.zadd(key_of(services.live, match_id, keys.PUSH_BROADCASTS), {match_id: n})
    push = push_of(services)
    while push.activities.turn(now_ms=NOW):
        pass
    assert published == ["good"]


def test_a_reminder_that_cannot_be_told_stops_no_other(
    services: WorkerServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    reminded: list[str] = []

    def remind(_self: Prematch, match: Match, _now_ms: int) -> None:
        if match.id == "bad":
            raise KeyError(match.id)
        reminded.append(match.id)

    monkeypatch.setattr(Prematch, "_remind", remind)
    drain = Drain(services.live, services.bells)
    for place, match_id in enumerate(("bad", "good")):
        info = MatchInfo(start_time=NOW + REMIND_MS // 2 + place)
        services.live.inbox.accept([Update(match_id, Stamp(NOW), NOW, info=info, status=Status.SCHEDULED)], now_ms=NOW)
        drain.match(match_id)
    write_batch(services.live, services.history)
    parts = services.alerts, services.plans, services.audience, services.history, services.transports
    ahead = Prematch(*parts, push_of(services))
    ahead.look(now_ms=NOW)
    assert reminded == ["good"]
