"""What a page of another origin may do."""

from __future__ import annotations

import pytest

from tests.api.conftest import Site, event

PREFLIGHT = {"Origin": "https://fans.example", "Access-Control-Request-Headers": "authorization, content-type"}


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/api/users", "POST"),
        ("/api/me", "PATCH"),
        ("/api/me/token", "POST"),
        ("/api/me/follows/teams/arg", "PUT"),
        ("/api/me/devices/web/b", "DELETE"),
        ("/api/matches", "GET"),
    ],
)
def test_a_preflight_allows_what_the_route_does(site: Site, path: str, method: str) -> None:
    answer = site.client.options(path, headers=PREFLIGHT | {"Access-Control-Request-Method": method})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")
    assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type, If-None-Match"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_answers_of_accounts_and_errors_are_readable_too(site: Site) -> None:
    site.tell(event())
    for answer in (site.client.post("/api/users"), site.get("/api/me"), site.get("/api/matches/m"), site.get("/api/x")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Expose-Headers"] == "ETag, Retry-After, Date, Age"


def test_the_ingest_endpoint_is_for_servers_alone(site: Site) -> None:
    answer = site.client.options("/api/ingest/generic", headers=PREFLIGHT | {"Access-Control-Request-Method": "POST"})
    assert "Access-Control-Allow-Headers" not in answer.headers
