"""A server of the edge as a child process."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from cdn.varnish.process import running
from tests.conftest import free_port


def test_it_may_open_all_the_files_there_are(tmp_path: Path) -> None:
    """Whatever the shell allows: each reader of an edge is an open file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    listen = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", listen.rpartition(":")[2]]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    try:
        with running(command, listen, tmp_path / "log") as process:
            assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
