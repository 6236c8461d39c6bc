"""`flask live shards`: the number that is recorded."""

from __future__ import annotations

from tests.api.conftest import Site


def test_it_says_the_number_that_is_recorded(site: Site) -> None:
    run = site.app.test_cli_runner().invoke
    assert run(args=["live", "shards"]).stdout == "0\n"
    site.services.shards.agree()
    assert run(args=["live", "shards"]).stdout == f"{len(site.services.live.sharded.shards)}\n"
