"""The whole system behind a real Varnish: goals through it, a crowd held at it, outages on either side of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import requests

from bench.system import free_port
from cdn.varnishd import Edge
from tests.cdn.planes import Answer, Plane
from tests.conftest import wait_until
from tests.edge import SECRET, Varnish
from tests.system import System, event

pytestmark = pytest.mark.skipif(
    shutil.which("varnishd", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None,
    reason="no Varnish: apt-get install varnish varnish-modules",
)
# Lifetime and stale-while-revalidate of a live score, and as much again for a machine with other things to do.
BOUND_S = 6.0


class Deployment:
    """The system and its edge."""

    def __init__(self, system: System, edge: Varnish) -> None:
        self.system, self.edge = system, edge

    def kick_off(self, match_id: str) -> None:
        self.system.post_match(match_id, competition="Cup", start_time="2026-11-25T15:00:00Z")
        self.system.post_events(event(match_id, "kickoff", 0, 0, 0))
        self.system.wait_for(match_id, "0-0")
        wait_until(lambda: self.shown(match_id) == "0-0", "the kick-off at the edge")

    def goal(self, match_id: str, home: int) -> None:
        self.system.post_events(event(match_id, "goal", home, 0, home, team="home"))

    def body(self, match_id: str) -> dict[str, object]:
        answer = self.edge.get(f"/api/score/{match_id}")
        return answer.json() if answer.ok else {}

    def shown(self, match_id: str) -> str:
        body = self.body(match_id)
        return f"{body['home_score']}-{body['away_score']}" if body else ""


@pytest.fixture
def deploy(run_system: Callable[..., System], tmp_path: Path) -> Iterator[Callable[..., Deployment]]:
    """Varnish and the system each need the other's port, so those of Varnish are chosen first."""
    listen, admin = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    told = {"CDN": "varnish", "EDGE_PURGE_SECRET": SECRET, "PUBLIC_URL": f"http://{listen}"}
    with ExitStack() as stack:

        def run(**settings: object) -> Deployment:
            system = run_system(**({"VARNISH_URLS": f"http://{admin}"} | told | settings))
            edge = Edge(tmp_path / "varnish", f"127.0.0.1:{system.port}", listen, admin, storage="32m")
            stack.enter_context(edge.running(SECRET, thread_pool_min="50", thread_pool_max="1000"))
            return Deployment(system, Varnish(edge))

        yield run


def test_a_goal_is_purged_and_seen_through_the_edge_and_the_probe_measures_it(
    deploy: Callable[..., Deployment],
) -> None:
    d = deploy()
    d.kick_off("m1")
    for home in range(1, 4):
        d.goal("m1", home)
        wait_until(lambda home=home: d.shown("m1") == f"{home}-0", f"goal {home} at the edge")

    def measured() -> bool:
        page = d.edge.get("/metrics").text
        return (
            "edge_visible_seconds_count 0" not in page and 'purge_requests_total{cdn="varnish",result="done"}' in page
        )

    wait_until(measured, "the figures of worker and clock on the web process's page")
    wait_until(lambda: "edge_sound" in d.system.log("clock").read_text(), "the check at the start", timeout_s=40)


def test_a_crowd_held_at_the_edge_is_one_request_to_the_origin_and_all_get_the_goal(
    deploy: Callable[..., Deployment],
) -> None:
    d = deploy()
    d.kick_off("m1")
    path = str(d.body("m1")["next"])
    with ThreadPoolExecutor(300) as pool:
        held = [pool.submit(lambda: d.edge.get(path).json()) for _ in range(300)]
        wait_until(lambda: parked(d.edge) >= 299, "the crowd at the edge")
        d.goal("m1", 1)
        bodies = [one.result() for one in held]
    assert {(body["home_score"], body["held"]) for body in bodies} == {(1, "changed")}
    assert backend_requests(d.edge, path) == 1


def test_no_reader_sees_a_version_go_backwards(deploy: Callable[..., Deployment]) -> None:
    d = deploy()
    d.kick_off("m1")
    stopping = threading.Event()

    def read() -> list[int]:
        seen = []
        with requests.Session() as session:
            while not stopping.is_set():
                seen.append(int(session.get(f"{d.edge.url}/api/score/m1", timeout=10).json()["version"]))
        return seen

    with ThreadPoolExecutor(8) as pool:
        readers = [pool.submit(read) for _ in range(8)]
        for home in range(1, 21):
            d.goal("m1", home)
            time.sleep(0.1)
        wait_until(lambda: d.shown("m1") == "20-0", "the last goal")
        stopping.set()
        for reader in readers:
            seen = reader.result()
            assert seen == sorted(seen)
            assert len(set(seen)) > 5


@pytest.mark.faults
def test_lost_purges_cost_a_lifetime_and_no_more(deploy: Callable[..., Deployment]) -> None:
    d = deploy(VARNISH_URLS=f"http://127.0.0.1:{free_port()}")
    d.kick_off("m1")
    d.goal("m1", 1)
    d.system.wait_for("m1", "1-0")
    wait_until(lambda: d.shown("m1") == "1-0", "the lifetime of the old score", timeout_s=BOUND_S)
    wait_until(lambda: "purge_failed" in d.system.log("worker-1").read_text(), "the failure in the log")


@pytest.mark.faults
@pytest.mark.parametrize("workers", [2, 3])
def test_a_cdn_that_hangs_delays_no_goal(deploy: Callable[..., Deployment], workers: int) -> None:
    plane = Plane(lambda _plane, _call: Answer(after_s=60))
    try:
        d = deploy(VARNISH_URLS=plane.url, WORKER_PROCESSES=workers)
        d.kick_off("m1")
        wait_until(lambda: plane.calls, "a purge that hangs")
        for home in range(1, 6):
            d.goal("m1", home)
            d.system.wait_for("m1", f"{home}-0")
    finally:
        plane.stop()


@pytest.mark.faults
def test_readers_keep_the_last_good_score_while_the_origin_is_down(deploy: Callable[..., Deployment]) -> None:
    d = deploy()
    d.kick_off("m1")
    path = str(d.body("m1")["next"])
    with ThreadPoolExecutor(20) as pool:
        held = [pool.submit(lambda: d.edge.get(path).status_code) for _ in range(20)]
        wait_until(lambda: parked(d.edge) >= 19, "the crowd at the edge")
        d.system.kill("web")
        # Their connection to the origin is cut: told together, they come back to what the edge has.
        assert {one.result() for one in held} <= {200, 503}
    until = time.monotonic() + OUTAGE_S
    while time.monotonic() < until:
        assert d.shown("m1") == "0-0"
        time.sleep(0.05)
    before = counters(d.edge)["MAIN.backend_req"]
    d.system.restart("web")
    d.goal("m1", 1)
    with ThreadPoolExecutor(20) as pool:

        def read() -> None:
            wait_until(lambda: d.shown("m1") == "1-0", "recovery")

        for one in [pool.submit(read) for _ in range(20)]:
            one.result()
    # Twenty who ask again and again are a fetch for each change and each two seconds, not a stampede.
    assert counters(d.edge)["MAIN.backend_req"] - before < 60


# Past the lifetime, the probe's verdict and the idle connections; the full minute is `make bench-edge`'s.
OUTAGE_S = 8.0


def parked(edge: Varnish) -> int:
    """Requests that wait for an object that another is fetching."""
    stats = counters(edge)
    return stats["MAIN.busy_sleep"] - stats["MAIN.busy_wakeup"]


def counters(edge: Varnish) -> dict[str, int]:
    command = ["varnishstat", "-n", str(edge.edge.folder / "work"), "-1", "-j"]
    said = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return {name: one["value"] for name, one in said["counters"].items()}


def backend_requests(edge: Varnish, path: str) -> int:
    """From varnishd's own log: how often it asked the origin for a path."""
    command = ["varnishlog", "-n", str(edge.edge.folder / "work"), "-d", "-b", "-i", "BereqURL"]
    with suppress(subprocess.CalledProcessError):
        said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        return sum(line.split()[-1] == path for line in said.splitlines() if "BereqURL" in line)
    return 0
