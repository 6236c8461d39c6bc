"""A process is ready once it hears of changes, and stays so."""

from __future__ import annotations

import pytest

from api.routes import operations
from tests.api.conftest import Site


def test_a_crowd_is_not_sent_to_a_process_that_hears_nothing_yet(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "WARM_S", 0.01)
    monkeypatch.setattr(site.services.listener, "begun", True)
    cold = site.get("/readyz")
    assert (cold.status_code, cold.get_json()["status"]) == (503, "starting")
    site.services.__dict__.pop("readiness")
    site.services.listener.warm.set()
    assert (site.get("/readyz").status_code, site.services.listener.up) == (200, False)
