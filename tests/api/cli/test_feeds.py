"""`flask feeds` and the line of /readyz."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

from db.live.feeds import FeedHealth, FeedStates
from tests.api.conftest import Site


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def report(site: Site, **changed: Any) -> None:
    health = FeedHealth("openligadb", "host:1", connected=True, heard_at=now_ms() - 2_000, silent_after_s=90.0)
    FeedStates(site.services.live.sharded).report(replace(health, **changed))


def shown(site: Site, *args: str) -> str:
    return site.app.test_cli_runner().invoke(args=["feeds", *args]).output


def states(site: Site) -> dict[str, str]:
    return dict(site.get("/readyz").get_json()["feeds"])


def test_a_feed_that_is_read(site: Site) -> None:
    report(site, quota_left=7, messages=3)
    assert shown(site).startswith("openligadb       ok     heard 2 s ago, 3 messages")
    assert "7 requests left" in shown(site)
    assert states(site) == {"openligadb": "ok"}


def test_a_provider_silent_for_longer_than_usual_is_told(site: Site) -> None:
    report(site, heard_at=now_ms() - 91_000)
    assert re.search(r"openligadb +silent heard 9\d s ago", shown(site, "list"))
    assert states(site) == {"openligadb": "silent"}


def test_one_that_is_down_says_why_until_it_is_forgotten(site: Site) -> None:
    report(site, connected=False, reason="it answers 403")
    assert "down" in shown(site)
    assert "it answers 403" in shown(site)
    shown(site, "forget", "openligadb")
    assert "No feed has been read" in shown(site)
