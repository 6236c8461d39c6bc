"""`pytest --quick`: only the tests that start no process, found by what they do, not by a list.

A test that would start one, or whose fixture would, is skipped at that moment.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import Any

import pytest

# Audit events (docs.python.org, "Audit events table") of each way to start a process.
STARTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"})


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


def skip_behind(error: BaseException | None) -> BaseException | None:
    while error and not isinstance(error, pytest.skip.Exception):
        error = error.__context__
    return error
