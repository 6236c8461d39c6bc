"""The command line of our own edge: varnishd with cdn/varnish/score.vcl and the parameters that it needs.

`python -m cdn.varnish.daemon --origin 127.0.0.1:8000 --listen :8080 --folder var/varnish` prints it, for a unit file.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from cdn.varnish import vcl
from cdn.varnish.process import running
from cdn.varnish.tunnel import CA_FILE, FIRST_PORT, Tunnel
from db.domain.errors import Refused

INSTALL = "apt-get install --no-install-recommends varnish varnish-modules"

# What the server needs of our environment, which holds secrets that are none of its business.
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")

# Of one pool: what each use of them may take is in cdn/varnish/vcl.py.
THREADS = 5_000

# Each differs from the default of 7.1.1 (include/tbl/params.h) for the reason beside it; figures by bench/edge.py and
# bench/edge_again.py.
PARAMETERS = {
    # A release of 15,000 who ask again at once cost 163 µs of processor a reader with 1,000 idle threads, of which each
    # request woke another one, and the last reader had a goal after 3.8 s; with these, and no linger, 87 µs and 0.9 s
    # (varnishd alone, before an origin that only holds). With ten threads it is 2.8 s and more, for each rests a
    # millisecond on the connection that it has answered.
    "thread_pools": "1",
    "thread_pool_min": "100",
    "thread_pool_max": str(THREADS),
    # A held path keeps two threads, so 250 matches need 500. They are made one in 10 ms while all are in use, and end
    # when they were idle for ten seconds. With one in 50 ms, 15,000 readers of 250 matches who arrived within three
    # seconds found too few threads for too long, and a quarter of their connections was lost.
    "thread_pool_add_delay": "0.01",
    "thread_pool_timeout": "10",
    # Requests beyond it are dropped; those that wait for an object do not count.
    "thread_queue_limit": "20000",
    # Of those who wait, each that is woken wakes as many more: 15,000 in four rounds instead of nine.
    "rush_exponent": "16",
    # A thread that has answered does not wait for the same client to ask again (a millisecond all the same).
    "timeout_linger": "0",
    # A client that waits costs what it has touched of its workspace. Below 24k with these 7.1.1 panics.
    "workspace_client": "32k",
    "workspace_session": "1k",
    "http_req_size": "8k",
    "http_req_hdr_len": "7k",
    "vsl_buffer": "4k",
    # Readers come every two seconds and more, and should find their connection still open.
    "timeout_idle": "65",
    # A client that stops reading occupies a thread: ten minutes by default.
    "idle_send_timeout": "10",
    "send_timeout": "60",
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


@dataclass(frozen=True, slots=True)
class Edge:
    """One varnishd.

    folder: of its VCL, log and work directory.
    origin: where the service is: host:port or https://host[:port], several separated by commas.
    listen: host:port where readers come.
    admin: host:port where purges come.
    origin_host: the Host that it sends to the origins, where it is not the name of the first.
    storage: bytes of the cache of scores, boards, pages and assets.
    guesses: bytes of the cache of what anybody can make up: searches, unknown ids.
    threads: that it may have at most.
    tunnel_port: the first local port of the TLS tunnels to https origins.
    ca_file: the certificates that those are verified by.
    """

    folder: Path
    origin: str
    listen: str = "127.0.0.1:8080"
    admin: str = "127.0.0.1:6083"
    origin_host: str = ""
    storage: str = "256m"
    guesses: str = "64m"
    threads: int = THREADS
    tunnel_port: int = FIRST_PORT
    ca_file: Path = CA_FILE

    def command(self, **parameters: str) -> list[str]:
        """varnishd in the foreground; `prepare` first. parameters: instead of PARAMETERS."""
        command = [binary(), "-F", "-n", str(self.folder / "work"), "-f", str(self.folder / "edge.vcl")]
        command += ["-a", f"public={self.listen}", "-a", f"admin={self.admin}"]
        command += [
            "-s",
            f"malloc,{self.storage}",
            "-s",
            f"guesses=malloc,{self.guesses}",
            "-s",
            "Transient=malloc,256m",
        ]
        for name, value in (PARAMETERS | {"thread_pool_max": str(self.threads)} | parameters).items():
            command += ["-p", f"{name}={value}"]
        return command

    def tunnels(self) -> tuple[Tunnel, ...]:
        """Of the https origins."""
        remote = [url for url in self._urls() if url.scheme == "https"]
        return tuple(
            Tunnel(url.hostname or "", url.port or 443, self.tunnel_port + n, self.ca_file)
            for n, url in enumerate(remote)
        )

    def prepare(self) -> None:
        """Write the VCL as one file, and what the tunnels need."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "edge.vcl").write_text(vcl.render(self._origins(), self._host(), self.threads))
        for tunnel in self.tunnels():
            tunnel.prepare(self.folder)

    def _urls(self) -> list[SplitResult]:
        addresses = [address.strip() for address in self.origin.split(",")]
        return [urlsplit(address if "://" in address else f"http://{address}") for address in addresses]

    def _host(self) -> str:
        return self.origin_host or self._urls()[0].hostname or ""

    def _origins(self) -> tuple[vcl.Origin, ...]:
        local_ports = iter(tunnel.port for tunnel in self.tunnels())
        return tuple(
            vcl.Origin("127.0.0.1", next(local_ports), is_remote=True)
            if url.scheme == "https"
            else vcl.Origin(url.hostname or "", url.port or 80)
            for url in self._urls()
        )

    @contextmanager
    def running(self, secret: str, **parameters: str) -> Iterator[subprocess.Popen[bytes]]:
        """varnishd until the end of the block; it logs to `log` in the folder. Raises Refused if it cannot start.

        Without a jail: started by root it would become another user, who may not look into our folder.
        """
        self.prepare()
        log = self.folder / "log"
        with ExitStack() as stack:
            for tunnel in self.tunnels():
                stack.enter_context(running(tunnel.command(self.folder), f"127.0.0.1:{tunnel.port}", log))
            command = [binary(), "-j", "none", *self.command(**parameters)[1:]]
            inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
            yield stack.enter_context(running(command, self.listen, log, inherited | {"EDGE_PURGE_SECRET": secret}))


def binary() -> str:
    """Raises Refused where there is none, with the line that installs it."""
    path = shutil.which("varnishd") or shutil.which("varnishd", path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise Refused(f"there is no varnishd. {INSTALL}")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m cdn.varnish.daemon", description=__doc__)
    parser.add_argument(
        "--origin", required=True, help="the service: host:port or https://host, several separated by commas"
    )
    parser.add_argument("--origin-host", default="", help="the Host it expects, where it is not its own name")
    parser.add_argument("--listen", default=":8080", help="where readers come")
    parser.add_argument("--admin", default="127.0.0.1:6083", help="where purges come")
    parser.add_argument("--folder", type=Path, required=True, help="where the VCL and the work directory are")
    options = parser.parse_args()
    edge = Edge(options.folder.resolve(), options.origin, options.listen, options.admin, options.origin_host)
    edge.prepare()
    for tunnel in edge.tunnels():
        print(f"start first: {shlex.join(tunnel.command(edge.folder))}", file=sys.stderr)
    print(shlex.join(edge.command()))


if __name__ == "__main__":
    main()
