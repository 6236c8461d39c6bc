"""Line-ups and statistics: one document each, with a version of its own, cached and purged like the timeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from db.live.purges import Purges
from tests.api.conftest import Site, error, event, fixture
from tests.support.live import key_of
from workers.history import write_documents
from workers.ingest import Drain

HOME = {"formation": "4-3-3", "coach": "Coach", "players": [{"name": "A", "number": 1, "starter": True}, "B"]}


def tell(site: Site, **fields: Any) -> None:
    site.tell(matches=(fixture("m", **fields),))


def lineups(site: Site) -> dict[str, Any]:
    return dict(site.get("/api/matches/m/lineups").get_json())


def test_nothing_is_told_yet(site: Site) -> None:
    tell(site, status="scheduled")
    assert lineups(site) == {"match_id": "m", "version": 0, "confirmed": False, "home": None, "away": None}
    assert site.get("/api/matches/m/stats").get_json() == {"match_id": "m", "version": 0, "home": {}, "away": {}}
    for path in ("lineups", "stats"):
        assert error(site.get(f"/api/matches/nobody/{path}")) == (404, "unknown_match")


def test_both_documents_as_they_were_told(either: Site) -> None:
    tell(either, status="scheduled", lineups={"home": HOME}, stats={"home": {"shots": 3, "possession": 54.5}})
    body = lineups(either)
    assert (body["confirmed"], body["away"], body["home"]["formation"]) == (True, None, "4-3-3")
    assert body["home"]["players"][0] == {
        "id": None,
        "name": "A",
        "number": 1,
        "position": None,
        "place": None,
        "starter": True,
        "captain": False,
    }
    assert either.get("/api/matches/m/stats").get_json()["home"] == {"possession": 54.5, "shots": 3}
    # Redis forgets them; SQL does not.
    either.services.live.redis.delete("match:{m}:documents")
    assert lineups(either) == body


def test_the_version_grows_with_the_document_alone(site: Site) -> None:
    tell(site, status="scheduled", lineups={"home": HOME})
    first, etag = lineups(site)["version"], site.get("/api/matches/m/lineups").headers["ETag"]
    tell(site, status="scheduled", venue="Elsewhere", lineups={"home": HOME})
    assert lineups(site)["version"] == first
    assert site.get("/api/matches/m/lineups", If_None_Match=etag).status_code == 304
    tell(site, status="scheduled", lineups={"home": HOME | {"formation": "4-4-2"}})
    assert lineups(site)["version"] > first
    assert site.get("/api/matches/m/lineups", If_None_Match=etag).status_code == 200


def test_an_older_document_replaces_nothing(site: Site) -> None:
    tell(site, status="scheduled", lineups={"home": HOME})
    match = site.services.live.matches.timeline("m")
    assert match
    from db.domain import Lineups

    late = site.services.live.documents.put("m", Lineups(), source="generic", at_ms=1)
    assert not late.changed
    assert lineups(site)["home"]


def test_of_two_sources_the_one_that_tells_the_match_is_shown(site: Site) -> None:
    from db.domain import Lineups, TeamLineup

    tell(site, status="scheduled", lineups={"home": HOME})
    site.services.live.documents.put("m", Lineups(TeamLineup("3-5-2")), source="other", at_ms=2**42)
    assert lineups(site)["home"]["formation"] == "4-3-3"


@pytest.mark.parametrize(("status", "purged"), [("scheduled", True), ("first_half", False), ("finished", True)])
def test_statistics_are_purged_except_in_play(site: Site, status: str, purged: bool) -> None:
    tell(site, status=status)
    drain, purges = Drain(site.services.live, site.services.bells, purging=True), Purges(site.services.live.sharded)
    purges.ack(purges.due(2**53, 100), again_at_ms=None)
    answer = site.deliver({"matches": [fixture("m", stats={"home": {"shots": 1}})]})
    assert answer.status_code == 202
    drain.match("m")
    assert ("match-m" in [purge.key for purge in purges.due(2**53, 100)]) is purged


def test_line_ups_are_purged_whenever_they_change(site: Site) -> None:
    tell(site, status="first_half")
    drain, purges = Drain(site.services.live, site.services.bells, purging=True), Purges(site.services.live.sharded)
    purges.ack(purges.due(2**53, 100), again_at_ms=None)
    site.deliver({"matches": [fixture("m", lineups={"home": HOME})]})
    drain.match("m")
    assert "match-m" in [purge.key for purge in purges.due(2**53, 100)]


def test_what_changes_while_it_is_written_is_written_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.deliver({"matches": [fixture("m", lineups={"home": HOME})]})
    live, history = site.services.live, site.services.history
    Drain(live, site.services.bells).match("m")
    waiting = live.documents.pending(10)
    live.redis.zadd(key_of(live, "m", "documents:pending"), {"m": waiting[0].score + 1})
    live.documents.ack(waiting)
    assert len(live.documents.pending(10)) == 1
    write_documents(live, history)
    assert live.documents.pending(10) == []


def test_documents_of_another_name_are_those_of_the_match(site: Site) -> None:
    site.tell(event("m"), matches=(fixture("m", lineups={"home": HOME}),))
    site.app.test_cli_runner().invoke(args=["matches", "link", "g1", "m"])
    answer = site.get("/api/matches/g1/lineups")
    assert (answer.status_code, answer.headers["Location"]) == (308, "/api/matches/m/lineups")


def test_without_sql_a_match_in_redis_has_its_documents_and_without_redis_sql_has(
    make_site: Callable[..., Site], sqlite_url: str
) -> None:
    site = make_site(sqlite_url)
    tell(site, status="scheduled", lineups={"home": HOME})
    told = lineups(site)
    no_sql = make_site("postgresql://u:p@127.0.0.1:1/none")
    assert no_sql.get("/api/matches/m/lineups").get_json() == told
    assert no_sql.get("/api/matches/m/stats").get_json()["version"] == 0
    no_redis = make_site(sqlite_url, redis_url="redis://127.0.0.1:1/0")
    assert no_redis.get("/api/matches/m/lineups").get_json() == told
