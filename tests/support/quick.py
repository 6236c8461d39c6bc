"""`pytest --quick`: only the tests that start no process, found by what they do.

A test that would start one, or whose fixture would, is skipped at that moment. Those that ask for a fixture which
always does are left out before, three of ten tests: to skip one takes as long as a short one.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT

# Audit events (docs.python.org, "Audit events table") of each way to start a process.
STARTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"})

ALWAYS = "redis_server redis_cluster postgres edge_and_origin emulators_process run_system run_module_system"
SERVERS = frozenset(ALWAYS.split())
BROWSER = ROOT / "tests/browser"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="skip the tests that start a process")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("quick"):
        config.pluginmanager.register(Quick())


class Quick:
    def __init__(self) -> None:
        self.is_testing = False
        sys.addaudithook(self.audit)

    def audit(self, event: str, args: tuple[Any, ...]) -> None:
        if event in STARTS and self.is_testing:
            pytest.skip(f"starts {args[0] if args else 'a process'}")

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """To import Playwright takes a fifth of a second, and there is no page without a browser."""
        return True if collection_path == BROWSER else None

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        kept = [item for item in items if not asks_for_server(item)]
        config.hook.pytest_deselected(items=[item for item in items if asks_for_server(item)])
        items[:] = kept

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """What cleans up after a start that was refused may raise an error of its own, as Playwright does."""
        if call.excinfo and (skipped := skip_behind(call.excinfo.value)):
            call.excinfo = pytest.ExceptionInfo.from_exception(skipped)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, bool, bool]:
        self.is_testing = True
        try:
            return (yield)
        finally:
            self.is_testing = False


def asks_for_server(item: pytest.Item) -> bool:
    """Also a database of PostgreSQL, which a test gets by the value of its parameter."""
    if not isinstance(item, pytest.Function):
        return False
    database = item.callspec.params.get("database_url") if hasattr(item, "callspec") else None
    return database == "postgresql" or not SERVERS.isdisjoint(item.fixturenames)


def skip_behind(error: BaseException | None) -> BaseException | None:
    while error and not isinstance(error, pytest.skip.Exception):
        error = error.__context__
    return error
