"""What reads and deliveries do when Redis is away, in a crowd, or asked again and again."""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Callable

import pytest

from config import new_secret
from db.live import client
from db.live.client import connect
from tests.api.conftest import Site, error, event, fixture, signature
from tests.conftest import SECRET, SHARED_SECRET, free_port


@pytest.mark.parametrize("path", ["/api/score/m", "/api/matches/m", "/api/matches/m/events"])
def test_without_redis_an_unknown_match_may_exist_and_is_no_404(
    make_site: Callable[..., Site], sqlite_url: str, path: str
) -> None:
    site = make_site(sqlite_url, redis_url=f"redis://127.0.0.1:{free_port()}/0")
    answer = site.get(path)
    assert error(answer) == (503, "unavailable")
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", ["/api/score/m", "/api/matches/m", "/api/matches/m/events"])
def test_without_redis_the_archive_answers_what_it_knows(
    make_site: Callable[..., Site], site: Site, sqlite_url: str, path: str
) -> None:
    site.tell(event())
    away = make_site(sqlite_url, redis_url=f"redis://127.0.0.1:{free_port()}/0")
    assert away.get(path).get_json()["match_id"] == "m"


def test_a_path_with_two_slashes_is_another_path(site: Site) -> None:
    site.tell(event())
    assert error(site.get("/api/score//m")) == (404, "unknown_route")


def test_a_crowd_shares_a_bounded_number_of_connections(redis_url: str) -> None:
    """None is refused for want of a connection."""
    shared, failures = connect(f"{redis_url}?client_name=crowd", connections=3), []

    def ask() -> None:
        try:
            for _ in range(20):
                shared.ping()
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=ask) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert len([peer for peer in shared.client_list() if peer["name"] == "crowd"]) <= 3
    shared.close()


def test_the_web_process_has_one_pool(site: Site) -> None:
    services = site.services
    live = () if services.settings.redis_cluster else (services.live.redis,)
    pools = {id(part.connection_pool) for part in (services.redis, services.bells.client, *live)}
    assert len(pools) == 1
    assert services.redis.connection_pool.max_connections == client.CONNECTIONS_MAX


def test_two_secrets_are_accepted_while_one_is_rotated(make_site: Callable[..., Site], sqlite_url: str) -> None:
    new = new_secret()
    site = make_site(
        sqlite_url,
        ingest_secret_generic=f"{new} {SECRET}",
        ingest_secret_sportradar=f"{SHARED_SECRET},another-shared-secret",
    )
    body = json.dumps({"events": [event()]}).encode()
    for number, secret in enumerate((new, SECRET, new_secret())):
        signed = signature(body, f"msg_{number}", __import__("time").time(), secret)
        status = site.client.post("/api/ingest/generic", data=body, headers=signed).status_code
        assert status == (202 if number < 2 else 401)
    for secret, status in ((SHARED_SECRET, 422), ("another-shared-secret", 422), ("wrong-shared-secret!", 401)):
        answer = site.client.post("/api/ingest/sportradar", data=b"{}", headers={"X-Ingest-Secret": secret})
        assert (answer.status_code == 401) == (status == 401)


def test_readyz_asks_redis_once_a_second_however_often_it_is_asked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    pings: list[int] = []
    monkeypatch.setattr(type(site.services.live), "ping", lambda _: pings.append(1) or 0)
    for _ in range(50):
        assert site.get("/readyz").status_code == 200
    assert len(pings) <= 2


def test_a_list_that_did_not_change_is_a_304(either: Site) -> None:
    either.tell(event(), matches=(fixture(),))
    path = "/api/matches?date=2026-05-01"
    first = either.get(path)
    again = either.get(path, If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")
    either.tell(event(home_score=2, minute=20))
    changed = either.get(path, If_None_Match=first.headers["ETag"])
    assert changed.status_code == 200


def test_a_long_answer_is_compressed_for_who_takes_it(either: Site) -> None:
    either.tell(event(), matches=(fixture(),))
    for path in ("/api/matches?date=2026-05-01", "/api/matches/m", "/api/matches/m/events", "/api/openapi.json"):
        plain, packed = either.get(path), either.get(path, Accept_Encoding="gzip")
        assert packed.headers["Content-Encoding"] == "gzip", path
        assert zlib.decompress(packed.data, 31) == plain.data
        assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"


def test_a_timeline_is_rendered_once_a_version(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.routes import matches

    site.tell(event())
    rendered: list[str] = []
    whole = matches._find
    monkeypatch.setattr(matches, "_find", lambda match_id: rendered.append(match_id) or whole(match_id))
    for _ in range(3):
        assert len(site.get("/api/matches/m/events").get_json()["events"]) == 1
    assert rendered == ["m"]
    site.tell(event(home_score=2, minute=30))
    assert len(site.get("/api/matches/m/events").get_json()["events"]) == 2
    assert rendered == ["m", "m"]


def test_a_narrowed_board_decodes_the_board_once_a_version(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.tell(event(), matches=(fixture(),))
    cup = site.get("/api/matches/m").get_json()["competition"]["id"]
    boards, decoded = site.services.live.board, []
    whole = boards.read
    monkeypatch.setattr(boards, "read", lambda: decoded.append(1) or whole())
    for competition in (cup, "none", cup, "other"):
        answer = site.get(f"/api/live?competition={competition}").get_json()
        assert len(answer["matches"]) == (competition == cup)
    assert decoded == [1]
