"""`flask ingest shards`: the number is changed while nothing waits, and only then."""

from __future__ import annotations

import pytest
from click.testing import Result

from db.domain import Stamp, Status, Update
from db.domain.errors import Unavailable
from db.live.store import LiveStore
from tests.api.conftest import Site
from workers.ingest import Drain, drain_pending

NOW = 1_700_000_000_000


def kick_off(match_id: str) -> Update:
    return Update(match_id, Stamp(NOW), NOW, status=Status.FIRST_HALF)


def command(site: Site, *args: str) -> Result:
    return site.app.test_cli_runner().invoke(args=["ingest", "shards", *args])


def test_the_number_is_changed_once_everything_is_applied(site: Site) -> None:
    live = site.services.live
    assert command(site).stdout == "0\n"
    live.inbox.accept([kick_off("a"), kick_off("b")], now_ms=NOW)
    live.inbox.park("b", now_ms=NOW)
    refused = command(site, "4")
    assert refused.exit_code == 1
    assert "1 matches wait to be applied and 1 are parked" in refused.stderr
    assert command(site).stdout == "1\n"
    live.inbox.unpark(before_ms=2**53)
    drain_pending(Drain(live, site.services.bells), 0)
    changed = command(site, "4")
    assert (changed.exit_code, command(site).stdout) == (0, "4\n"), changed.output
    assert "INGEST_SHARDS=4" in changed.stdout
    with pytest.raises(Unavailable, match="set INGEST_SHARDS=4"):
        live.inbox.accept([kick_off("c")], now_ms=NOW)
    assert LiveStore(live.redis, 4).inbox.accept([kick_off("c")], now_ms=NOW)[0]


def test_the_number_is_a_number(site: Site) -> None:
    assert command(site, "0").exit_code != 0
    assert command(site, "many").exit_code != 0
