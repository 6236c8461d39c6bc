"""What the plan asks for is told to whoever scales by it."""

from __future__ import annotations

from collections.abc import Callable

from db.live.kickoffs import Kickoffs
from tests.api.conftest import Site


def test_wanted_processes_are_in_readyz_and_metrics(make_site: Callable[..., Site], sqlite_url: str) -> None:
    site = make_site(sqlite_url, metrics_open=True)
    assert b"\nwanted_processes{" not in site.get("/metrics").data
    Kickoffs(site.services.redis).keep_wanted({"web": 4, "worker": 2})
    assert b'wanted_processes{type="web"} 4.0' in site.get("/metrics").data
    assert site.get("/readyz").get_json()["wanted_processes"] == {"web": 4, "worker": 2}
