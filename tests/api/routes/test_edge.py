"""What the edge is told by the app itself: keys on each answer, the canary and its check, the figures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from api import create_app
from cdn import keys
from cdn.headers import DIALECTS
from config import Settings
from db.domain import Fact, FactKind, Match, Phase, Score
from db.domain.errors import Refused
from dev.system import free_port
from tests.api.conftest import Site
from tests.support.edge import SECRET, Varnish, varnish

MATCH = {
    "id": "Sr:match:1",
    "home_team": {"id": "h", "name": "Home"},
    "away_team": {"id": "a", "name": "Away"},
    "competition": {"id": "Cup", "name": "Cup"},
    "start_time": "2026-11-25T15:00:00Z",
}
VARNISH = {"cdn": "varnish", "edge_purge_secret": SECRET}


@pytest.fixture
def site(make_site: Callable[..., Site], sqlite_url: str) -> Site:
    return make_site(sqlite_url, **VARNISH)


def goal_event(match_id: str, home: int, **more: object) -> dict[str, object]:
    event = {"match_id": match_id, "event_type": "goal", "home_score": home, "away_score": 0, "minute": 10 + home}
    return event | {"timestamp": f"2026-11-25T15:{10 + home}:00Z", "team": "home"} | more


def carried(site: Site, path: str) -> set[str]:
    answer = site.get(path)
    return set(answer.headers.get("Surrogate-Key", "").split())


READS = {
    "/api/score/Sr:match:1": {keys.match("Sr:match:1")},
    "/api/live": {"live"},
    "/api/live?competition=Cup": {"live"},
    "/api/matches/Sr:match:1": {keys.match("Sr:match:1")},
    "/api/matches/Sr:match:1/events": {keys.match("Sr:match:1")},
    "/api/matches?date=2026-11-25": {"day-2026-11-25"},
    "/api/matches?date=2026-11-25&tz=Asia/Tokyo": {"day-2026-11-24", "day-2026-11-25"},
    "/api/matches?competition=Cup": {keys.competition("Cup")},
    "/api/matches?date=2026-11-25&competition=Cup": {"day-2026-11-25", keys.competition("Cup")},
    "/api/matches/Sr:match:1/head-to-head": {keys.meeting("h", "a")},
    "/api/competitions/Cup/table": {keys.table("Cup")},
    "/api/competitions/Cup/scorers": {keys.table("Cup")},
    "/api/teams/h": {"team-h"},
}


@pytest.mark.parametrize("path", READS)
def test_a_goal_purges_every_answer_that_shows_it(site: Site, path: str) -> None:
    """The table of what is purged and the keys on the answers are two places: this holds them together."""
    site.tell(goal_event("Sr:match:1", 1), matches=(MATCH,))
    assert carried(site, path) == READS[path]
    before = site.services.live.matches.load("Sr:match:1").match
    assert before
    after = replace(before, score=Score(2, 0))
    purged = {purge.key for purge in keys.purges(before, after, [Fact(FactKind.ADDED), Fact(FactKind.SCORE)])}
    assert carried(site, path) & purged


def test_the_404_of_a_match_is_purged_by_its_creation(site: Site) -> None:
    for path in ("/api/score/new", "/api/matches/new", "/api/matches/new/events", "/api/matches/new/head-to-head"):
        assert site.get(path).status_code == 404
        assert carried(site, path) == {"match-new"}
    assert "match-new" in {purge.key for purge in keys.purges(None, Match("new"), [Fact(FactKind.INFO)])}


def test_no_answer_bears_more_keys_than_a_cdn_takes(site: Site) -> None:
    site.tell(goal_event("Sr:match:1", 1), matches=(MATCH,))
    for path in READS:
        assert len(carried(site, path)) <= 10


def test_the_same_lifetimes_and_keys_with_and_without_a_condition(site: Site) -> None:
    site.tell(goal_event("Sr:match:1", 1), matches=(MATCH,))
    for path in ("/api/score/Sr:match:1", "/api/live"):
        fast, plain = site.get(path), site.get(path, If_None_Match='"other"')
        for name in ("Surrogate-Control", "Surrogate-Key", "Cache-Control"):
            assert fast.headers[name] == plain.headers[name], path


def test_a_match_of_each_phase_has_its_lifetime(site: Site) -> None:
    site.tell(goal_event("live", 1), matches=({**MATCH, "id": "soon"},))
    site.tell(goal_event("over", 1), goal_event("over", 1, event_type="full_time", minute=90))
    lives = {"soon": "max-age=30", "live": "max-age=2", "over": "max-age=600"}
    for match_id, life in lives.items():
        assert life in site.get(f"/api/score/{match_id}").headers["Surrogate-Control"]
        assert site.get(f"/api/score/{match_id}").get_json()["phase"] in set(Phase)


def test_readers_who_poll_are_paced_by_what_can_happen(site: Site) -> None:
    assert site.get("/api/live").get_json()["poll_after_ms"] == 60_000
    site.tell(goal_event("live", 1), matches=({**MATCH, "id": "soon"}, {**MATCH, "id": "off", "status": "postponed"}))
    site.tell(goal_event("break", 1), goal_event("break", 1, event_type="half_time", minute=45))
    site.tell(goal_event("over", 1), goal_event("over", 1, event_type="full_time", minute=90))
    paces = {"live": 2_000, "break": 15_000, "soon": 60_000, "over": 60_000, "off": 300_000}
    for match_id, pace in paces.items():
        assert site.get(f"/api/score/{match_id}").get_json()["poll_after_ms"] == pace, match_id
    assert site.get("/api/live").get_json()["poll_after_ms"] == 2_000


@pytest.mark.parametrize("cdn", DIALECTS)
def test_an_answer_speaks_the_dialect_of_the_cdn(make_site: Callable[..., Site], sqlite_url: str, cdn: str) -> None:
    names = ("varnish", "fastly", "cloudflare", "cloudfront", "bunny")
    given = {
        "edge_purge_secret": SECRET,
        "fastly_service_id": "s",
        "fastly_api_token": "t",
        "cloudflare_zone_id": "z",
        "cloudflare_api_token": "t",
        "cloudfront_distribution_id": "d",
        "bunny_pull_zone_id": "1",
        "bunny_api_key": "k",
    }
    site = make_site(sqlite_url, cdn=cdn, **given)
    field = DIALECTS[cdn].key_field
    answer = site.get("/api/live")
    assert (field in answer.headers) == (cdn in names)


def test_a_cdn_without_its_credentials_stops_the_start() -> None:
    with pytest.raises(Refused, match="EDGE_PURGE_SECRET"):
        create_app(Settings(cdn="varnish"))


class TestMetrics:
    def test_they_are_closed_unless_they_are_opened(self, site: Site) -> None:
        assert site.get("/metrics").status_code == 401
        assert site.get("/metrics", Authorization="Bearer ").status_code == 401

    def test_an_embedded_run_opens_them(self, make_site: Callable[..., Site], sqlite_url: str) -> None:
        page = make_site(sqlite_url, metrics_open=True).get("/metrics")
        assert page.status_code == 200
        assert page.headers["Cache-Control"] == "private, no-store"
        assert "purge_waiting 0.0" in page.get_data(as_text=True)

    def test_a_token_is_asked_for_where_there_is_one(self, make_site: Callable[..., Site], sqlite_url: str) -> None:
        site = make_site(sqlite_url, metrics_token="figures", metrics_open=True)
        assert site.get("/metrics").status_code == 401
        assert site.get("/metrics", Authorization="Bearer figure").status_code == 401
        assert site.get("/metrics", Authorization="Bearer figures").status_code == 200

    def test_without_redis_they_are_unavailable(self, make_site: Callable[..., Site], sqlite_url: str) -> None:
        site = make_site(sqlite_url, redis_url=f"redis://127.0.0.1:{free_port()}/0", metrics_open=True)
        assert site.get("/metrics").status_code == 503


class Served:
    """The app over HTTP."""

    def __init__(self, settings: Settings) -> None:
        self.app = create_app(settings)
        self.server = make_server("127.0.0.1", free_port(), self.app, threaded=True)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"


class TestChecking:
    @pytest.fixture
    def settings(self, redis_url: str, sqlite_url: str) -> Settings:
        return Settings(redis_url=redis_url, database_url=sqlite_url, **VARNISH)

    @pytest.fixture
    def served(self, settings: Settings) -> Iterator[Served]:
        served = Served(settings)
        yield served
        served.server.shutdown()
        served.server.server_close()

    @pytest.fixture
    def edge(self, served: Served, tmp_path: Path) -> Iterator[Varnish]:
        with varnish(tmp_path, served.server.port) as edge:
            yield edge

    def check(self, settings: Settings, *args: str) -> tuple[int, str]:
        done = create_app(settings).test_cli_runner().invoke(args=["edge", "check", "--quick", *args])
        return done.exit_code, done.output

    def test_a_sound_edge_passes(self, settings: Settings, edge: Varnish, served: Served) -> None:
        sound = settings.with_(varnish_urls=edge.admin, public_url=edge.url)
        code, output = self.check(sound, "--origin", served.url)
        assert (code, output.count("ok  ")) == (0, 3), output
        assert "Surrogate-Key: canary" in output

    def test_a_wrong_secret_is_named(self, settings: Settings, edge: Varnish) -> None:
        code, output = self.check(settings.with_(varnish_urls=edge.admin, public_url=edge.url, edge_purge_secret="no"))
        assert code == 1
        assert "credentials are wrong" in output
        assert "EDGE_PURGE_SECRET" in output

    def test_a_purge_of_another_edge_is_noticed(
        self, settings: Settings, edge: Varnish, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cdn.check.EFFECT_S", 1.0)
        with varnish(tmp_path / "other", served.server.port) as other:
            code, output = self.check(settings.with_(varnish_urls=other.admin, public_url=edge.url))
        assert code == 1
        assert "had no effect" in output
        assert "VARNISH_URLS" in output

    def test_no_cache_in_front_is_noticed(self, settings: Settings, served: Served) -> None:
        code, output = self.check(settings.with_(public_url=served.url))
        assert code == 1
        assert "nothing is cached" in output

    def test_a_service_that_runs_with_another_cdn_is_noticed(
        self, settings: Settings, edge: Varnish, redis_url: str, sqlite_url: str
    ) -> None:
        other = Served(Settings(redis_url=redis_url, database_url=sqlite_url))
        code, output = self.check(settings.with_(public_url=edge.url), "--origin", other.url)
        other.server.shutdown()
        other.server.server_close()
        assert code == 1
        assert "Surrogate-Key" in output

    def test_nobody_there_and_nothing_asked_are_told_apart(self, settings: Settings) -> None:
        code, output = self.check(settings.with_(public_url=f"http://127.0.0.1:{free_port()}"))
        assert code == 1
        assert "PUBLIC_URL does not answer" in output
        assert "Set PUBLIC_URL" in self.check(settings)[1]


def test_the_canary_is_never_the_same_twice_at_the_origin(site: Site) -> None:
    first, second = (site.get("/api/edge/canary").get_json()["nonce"] for _ in range(2))
    assert first != second
