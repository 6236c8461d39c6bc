"""How fast the origin reads a score, beside a bare WSGI hello on the same server with the same settings.

`python -m bench.read [--seconds 5]`. One web process, wrk with 32 connections on the other core (Debian's wrk); both
are measured by turns, so that whatever else the machine does falls on both.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from bench.hold import goal, until_there
from dev.system import System, free_port, running, wait_for_port

CONNECTIONS = 32


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.read", description=__doc__)
    parser.add_argument("--seconds", type=int, default=5, help="of each turn (default 5)")
    parser.add_argument("--turns", type=int, default=3, help="for each of the two (default 3)")
    args = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("bench.read needs wrk: apt-get install wrk")
    with running(WEB_CONCURRENCY=1) as system:
        goal(system, 1)
        until_there(system)
        hello = Hello(system)
        try:
            turns = [(rps(system.url + "/api/score/bench-1", args), rps(hello.url, args)) for _ in range(args.turns)]
        finally:
            hello.end()
    ours, bare = (statistics.median(column) for column in zip(*turns, strict=True))
    print(f"{'score':8}{ours:>10.0f} requests/s\n{'hello':8}{bare:>10.0f} requests/s")
    print(json.dumps({"ours_rps": round(ours), "bare_rps": round(bare), "ratio": round(ours / bare, 2)}))


class Hello:
    """The smallest application under the very gunicorn settings of the real one."""

    def __init__(self, system: System) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        source = "app = lambda environ, start: (start('200 OK', [('Content-Length', '6')]), (b'hello\\n',))[1]\n"
        (system.folder / "hello.py").write_text(source)
        command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "hello:app"]
        environment = system.env | {"PORT": str(self.port), "PYTHONPATH": str(system.folder)}
        root = Path(__file__).resolve().parents[1]
        with (system.folder / "hello.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=log)
        wait_for_port(self.port)

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()


def rps(url: str, args: argparse.Namespace) -> float:
    """Requests a second, after a second to warm up. Raises where one in a thousand failed."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}"]
    subprocess.run([*command, "-d1s", url], check=True, stdout=subprocess.DEVNULL)
    report = subprocess.run([*command, f"-d{args.seconds}s", url], check=True, capture_output=True, text=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", report)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", report)
    if failed or not rate:
        raise RuntimeError(f"not what was asked for:\n{report}")
    print(f"  {url} {float(rate[1]):.0f}/s", file=sys.stderr)
    return float(rate[1])


if __name__ == "__main__":
    main()
