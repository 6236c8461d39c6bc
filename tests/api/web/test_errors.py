"""How a failure looks and what is kept of it: at the edge, and in the log."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from api.routes import ingest
from db.domain.errors import Unavailable
from tests.api.conftest import Site, error

TOKEN = "ab12" * 16


@pytest.mark.parametrize(
    ("method", "path", "kept"),
    [
        ("GET", "/api/nothing", True),
        ("HEAD", "/api/nothing", True),
        ("POST", "/api/nothing", False),
        ("DELETE", "/api/nothing", False),
        ("POST", "/api/ingest/nobody", False),
        ("GET", "/api/score/no-such", True),
    ],
)
def test_a_404_is_kept_only_of_what_was_read(site: Site, method: str, path: str, kept: bool) -> None:
    answer = site.client.open(path, method=method)
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == ("public, max-age=2, s-maxage=5" if kept else "private, no-store")


@pytest.mark.parametrize(
    ("failure", "status", "word"),
    [(Unavailable("gone"), 503, "unavailable"), (ZeroDivisionError(), 500, "bug")],
)
def test_the_log_names_the_route_and_no_token_that_stands_in_the_path(
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    failure: Exception,
    status: int,
    word: str,
) -> None:
    user = site.client.post("/api/users").get_json()

    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(type(site.services.accounts), "add_device", fail)
    headers = {"Authorization": f"Bearer {user['token']}"}
    answer = site.client.put(f"/api/me/devices/ios/{TOKEN}", json={"environment": "production"}, headers=headers)
    assert error(answer)[0] == status
    assert f"{word} route=/api/me/devices/" in caplog.text
    assert TOKEN not in caplog.text


def test_without_the_shared_secret_a_body_is_not_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    whole: Callable[[str], bytes] = ingest._body

    def body(provider: str) -> bytes:
        read.append(provider)
        return whole(provider)

    monkeypatch.setattr(ingest, "_body", body)
    assert error(site.hand_over("sportradar", {}, **{"X-Ingest-Secret": "wrong"})) == (401, "signature")
    assert read == []
    site.hand_over("sportradar", {})
    assert read == ["sportradar"]
