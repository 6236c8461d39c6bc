"""Before a crowd: a process is ready once it hears of changes, and nobody is sent back in step with all others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from api.routes import operations
from api.web import errors
from db.domain.errors import Unavailable
from tests.api.conftest import Site


def test_a_crowd_is_not_sent_to_a_process_that_hears_nothing_yet(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "WARM_S", 0.01)
    monkeypatch.setattr(site.services.listener, "begun", True)
    cold = site.get("/readyz")
    assert (cold.status_code, cold.get_json()["status"]) == (503, "starting")
    site.services.__dict__.pop("readiness")
    site.services.listener.warm.set()
    assert (site.get("/readyz").status_code, site.services.listener.up) == (200, False)


def test_readers_who_fail_together_are_not_sent_back_together_and_a_sender_is_not_kept_waiting(
    make_site: Callable[..., Site], sqlite_url: str
) -> None:
    away = make_site(sqlite_url, redis_url="redis://127.0.0.1:1/0")
    with away.app.test_request_context("/api/live"):
        told = {int(errors.unavailable(Unavailable("gone")).headers["Retry-After"]) for _ in range(200)}
    assert told == set(range(2, 9))
    with away.app.test_request_context("/api/ingest/generic", method="POST"):
        assert errors.unavailable(Unavailable("gone")).headers["Retry-After"] == "2"
