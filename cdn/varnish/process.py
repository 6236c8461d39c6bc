"""A server of the edge as a child process: started, waited for, stopped."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from db.domain.errors import Refused

# gcc compiles the VCL at each start; with both cores busy that has taken 8 s.
UP_S = 60
STOP_S = 30
# A client is an open file, and so is each connection to an origin. A varnishd that has none left cannot probe, and
# takes its origins for dead; the soft limit of a shell is often 1,024.
WITH_ALL_FILES = ("sh", "-c", 'ulimit -n "$(ulimit -Hn)"; exec "$@"', "sh")


@contextmanager
def running(
    command: list[str], listen: str, log: Path, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Until the end of the block. listen: host:port that it opens. Raises Refused if it does not."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*WITH_ALL_FILES, *command], stdout=output, stderr=output, env=env, start_new_session=True
        )
    try:
        if not _listens(process, listen):
            raise Refused(f"{Path(command[0]).name} did not start; {log} says why.")
        yield process
    finally:
        process.terminate()
        process.wait(timeout=STOP_S)


def _listens(process: subprocess.Popen[bytes], listen: str) -> bool:
    host, port = listen.rsplit(":", 1)
    deadline = time.monotonic() + UP_S
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((host or "127.0.0.1", int(port))) == 0:
                return True
        time.sleep(0.02)
    return False
