"""The command line of our own edge: varnishd with cdn/varnish/score.vcl and the parameters that make it hold a crowd.

`python -m cdn.varnish.daemon --origin 127.0.0.1:8000 --listen :8080 --folder var/varnish` prints it, for a unit file.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from db.domain.errors import Refused

VCL = Path(__file__).with_name("score.vcl")
INSTALL = "apt-get install --no-install-recommends varnish varnish-modules"

# Each differs from the default of 7.1.1 (include/tbl/params.h) for the reason beside it; figures by bench/edge.py.
PARAMETERS = {
    # Threads: only fetches, deliveries in hand and a release need one, but a release needs many at once and making
    # them is slow.
    "thread_pools": "2",
    "thread_pool_min": "500",
    "thread_pool_max": "5000",
    # Requests beyond it are dropped; those that wait for an object do not count.
    "thread_queue_limit": "5000",
    # Of those who wait, each that is woken wakes as many more: 15,000 in four rounds instead of nine.
    "rush_exponent": "16",
    # A thread lingers on a connection it has just answered before it takes the next: with 1,000 threads 50 ms would
    # let out 20,000 answers a second at the very most.
    "timeout_linger": "0.001",
    # A client that waits costs what it has touched of its workspace. Below 24k with these 7.1.1 panics.
    "workspace_client": "32k",
    "workspace_session": "1k",
    "http_req_size": "8k",
    "http_req_hdr_len": "7k",
    "vsl_buffer": "4k",
    # Readers come every two seconds and more, and should find their connection still open.
    "timeout_idle": "65",
    # The origin keeps idle connections for 100 s (gunicorn.conf.py): we close first.
    "backend_idle_timeout": "60",
    # After a restart everybody connects at once; the kernel caps it at net.core.somaxconn.
    "listen_depth": "4096",
    # An answer that does not say how long it lives lives for a second.
    "default_ttl": "1",
    "default_grace": "0",
    # What lives less goes into Transient, which -s bounds.
    "shortlived": "0",
    # A session of HTTP/2 keeps a thread: 10,000 readers would be 10,000 threads. Let hitch or a CDN speak it.
    "feature": "-http2",
}

# gcc compiles the VCL at each start; with both cores busy that has taken 8 s.
UP_S = 60


@dataclass(frozen=True, slots=True)
class Edge:
    """listen, admin: host:port. origin: host:port, answered to as origin_host. storage: of what is cached."""

    folder: Path
    origin: str
    listen: str = "127.0.0.1:8080"
    admin: str = "127.0.0.1:6083"
    origin_host: str = ""
    storage: str = "256m"

    def command(self, **parameters: str) -> list[str]:
        """varnishd in the foreground; `prepare` first. parameters: instead of PARAMETERS."""
        command = [binary(), "-F", "-n", str(self.folder / "work"), "-f", str(self.folder / "edge.vcl")]
        command += ["-a", f"public={self.listen}", "-a", f"admin={self.admin}"]
        command += ["-s", f"malloc,{self.storage}", "-s", "Transient=malloc,256m"]
        for name, value in (PARAMETERS | parameters).items():
            command += ["-p", f"{name}={value}"]
        return command

    def prepare(self) -> None:
        """Write the VCL with its origin in place of the include: one file is all that varnishd has to be let read."""
        self.folder.mkdir(parents=True, exist_ok=True)
        host, port = self.origin.rsplit(":", 1)
        origin = ORIGIN.format(host=host, port=port, name=self.origin_host or host)
        (self.folder / "edge.vcl").write_text(VCL.read_text().replace('include "origin.vcl";', origin))

    @contextmanager
    def running(self, secret: str, **parameters: str) -> Iterator[subprocess.Popen[bytes]]:
        """varnishd until the end of the block; it logs to `log` in the folder. Raises Refused if it cannot start.

        Without a jail: started by root it would become another user, who may not look into our folder.
        """
        self.prepare()
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [binary(), "-j", "none", *self.command(**parameters)[1:]],
                stdout=log,
                stderr=log,
                env=os.environ | {"EDGE_PURGE_SECRET": secret},
                start_new_session=True,
            )
            try:
                self._wait(process)
                yield process
            finally:
                process.terminate()
                process.wait(timeout=30)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        """Until it listens: compiling the VCL takes a second or two."""
        host, port = self.listen.rsplit(":", 1)
        deadline = time.monotonic() + UP_S
        while process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex((host or "127.0.0.1", int(port))) == 0:
                    return
            time.sleep(0.02)
        raise Refused(f"varnishd did not come up; it says why in {self.folder / 'log'}.")


# Three probes of the last five must succeed: an outage is known, and over, after a second and a half. A score is read
# in milliseconds: three seconds to its first byte are an outage too.
ORIGIN = """probe up {{
    .request = "GET /healthz HTTP/1.1" "Host: {name}" "Connection: close";
    .interval = 500ms;
    .timeout = 1s;
    .window = 5;
    .threshold = 3;
    .initial = 3;
}}

backend origin {{
    .host = "{host}";
    .port = "{port}";
    .host_header = "{name}";
    .probe = up;
    .connect_timeout = 500ms;
    .first_byte_timeout = 3s;
    .between_bytes_timeout = 3s;
}}
"""


def binary() -> str:
    """Raises Refused where there is none, with the line that mends it."""
    found = shutil.which("varnishd") or shutil.which("varnishd", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Refused(f"there is no varnishd. {INSTALL}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m cdn.varnish.daemon", description=__doc__)
    parser.add_argument("--origin", required=True, help="host:port of the service")
    parser.add_argument("--origin-host", default="", help="its name, where it is not that host")
    parser.add_argument("--listen", default=":8080", help="where readers come")
    parser.add_argument("--admin", default="127.0.0.1:6083", help="where purges come")
    parser.add_argument("--folder", type=Path, required=True, help="where the VCL and the work directory are")
    asked = parser.parse_args()
    edge = Edge(asked.folder.resolve(), asked.origin, asked.listen, asked.admin, asked.origin_host)
    edge.prepare()
    print(shlex.join(edge.command()))


if __name__ == "__main__":
    main()
