"""`flask capacity`: its arithmetic against figures worked out by hand, its table and its chart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from config import Settings
from workers import cli
from workers.plan.capacity import Mix, Scenario, capacity
from workers.plan.figures import BenchFigures
from workers.plan.prices import CdnPrice, Prices
from workers.plan.sizing import Hosting

FIGURES, PRICES = BenchFigures.load(), Prices.load()
BEHIND = Hosting(60, 2, 20_000, 3, 2.0, {"web": 1}, {"web": 40})
ALONE = Hosting(0, 2, 20_000, 3, 2.0, {"web": 1}, {"web": 40})


def command(*args: str) -> Result:
    app = Flask("capacity")
    cli.register(app, Settings())
    return app.test_cli_runner().invoke(args=["capacity", *args])


def test_the_bill_of_docs_edge() -> None:
    """50 million who poll every five seconds for 45 minutes."""
    day = capacity(Scenario(50_000_000, hours=0.75, poll_s=5.0, mix=Mix(1.0, 0.0)), BEHIND, FIGURES, PRICES)
    assert day.requests == 27e9
    assert day.cdn_cost["bunny"] == pytest.approx(432, rel=0.01)
    assert day.cdn_cost["fastly"] == pytest.approx(29_500, rel=0.01)
    assert day.cdn_cost["cloudfront"] == pytest.approx(30_400, rel=0.01)


def test_behind_a_cdn_the_origin_does_not_see_how_many_they_are() -> None:
    few, many = (capacity(Scenario(viewers, 10), BEHIND, FIGURES, PRICES) for viewers in (10_000, 50_000_000))
    assert (few.origin_requests_s, few.origin_connections) == (many.origin_requests_s, many.origin_connections)
    assert (many.origin_connections, many.web_dynos) == (10 * 60 * 2, 1)


def test_streams_are_connections_of_the_origin_though_a_cdn_is_there() -> None:
    day = capacity(Scenario(1_000_000, mix=Mix(wait=0.9, stream=0.06, socket=0.04)), BEHIND, FIGURES, PRICES)
    assert day.origin_connections == pytest.approx(100_000, rel=0.01)
    # 100,000 twice, of 15,000 a process, two processes a dyno.
    assert day.web_dynos == 7


def test_without_a_cdn_every_viewer_is_a_connection_and_there_is_no_bill_but_the_dynos() -> None:
    day = capacity(Scenario(60_000), ALONE, FIGURES, PRICES)
    assert (day.origin_connections, day.web_dynos, day.cdn_cost) == (60_000, 4, {})
    assert day.dyno_cost == pytest.approx(50 * (4 + day.worker_dynos) * 2 / 730)


def test_more_followers_take_more_workers_and_are_reached_in_time() -> None:
    for followers in (0, 100_000, 10_000_000):
        day = capacity(Scenario(1_000, followers=followers), BEHIND, FIGURES, PRICES)
        assert day.pushed_s <= 30
        assert day.pushes == followers * 3


def test_prices_go_down_by_tiers() -> None:
    price = CdnPrice(per_gb=((10.0, 1.0), (float("inf"), 0.5)), per_10k=((float("inf"), 2.0),), monthly=7.0)
    assert price.cost(gb=14, requests=30_000) == 7 + 10 + 2 + 6


def test_it_is_printed_as_a_table_or_as_json() -> None:
    shown = command("--viewers", "50000000", "--caches", "60").output
    assert "50,000,000 viewers of 1 matches, behind 60 caches" in shown
    assert f"list prices of {PRICES.date}" in shown
    assert json.loads(command("--viewers", "5", "--json").output)["origin_connections"] == 5.0


@pytest.mark.parametrize("mix", ["poll=50", "poll=150,wait=-50", "nobody=100", "poll=much", "wait=nan", ""])
def test_a_mix_adds_up(mix: str) -> None:
    assert command("--mix", mix).exit_code == 2


@pytest.mark.filterwarnings("ignore")
def test_it_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pip install -r requirements-chart.txt")
    drawn = command("--caches", "60", "--chart", str(tmp_path / "chart.png"))
    assert drawn.exit_code == 0, drawn.output
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_a_chart_that_cannot_be_written_is_told_so(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pip install -r requirements-chart.txt")
    nowhere = tmp_path / "none" / "chart.png"
    refused = command("--chart", str(nowhere))
    assert (refused.exit_code, refused.output.splitlines()[-1]) == (
        1,
        f"Error: {nowhere} cannot be written: No such file or directory.",
    )
