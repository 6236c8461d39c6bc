"""`flask feeds` and the line of /readyz."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from db.live.feeds import FeedHealth, FeedStates
from tests.api.conftest import Site
from tests.conftest import free_port


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


@pytest.mark.parametrize("command", [("feeds",), ("push", "status"), ("surge", "status"), ("matches", "names", "m")])
def test_without_redis_or_sql_a_command_says_so_in_a_sentence(
    make_site: Callable[..., Site], tmp_path: Path, command: tuple[str, ...]
) -> None:
    away = f"redis://127.0.0.1:{free_port()}/0"
    site = make_site(f"sqlite:///{tmp_path}/away/scores.db", redis_url=away, rq_redis_url=away)
    result = site.app.test_cli_runner().invoke(args=command)
    assert (result.exit_code, result.output.startswith("Error: ")) == (1, True), result.output
