"""How live state is kept: on one Redis, or in 16 shards of it. `pytest --live=sharded` runs everything on the other; a
test marked `everywhere` runs on each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import redis
from redis.commands.core import Script, ScriptCommands
from redis.crc import key_slot

if TYPE_CHECKING:
    from tests.conftest import RedisServer

NAMES = ("plain", "sharded")
SHARDS = {"plain": 1, "sharded": 16}


@dataclass(frozen=True, slots=True)
class Layout:
    """
    url: of a Redis that is empty.
    shards: that it is divided in.
    """

    name: str
    url: str
    shards: int

    @property
    def settings(self) -> dict[str, Any]:
        return {"redis_url": self.url, "live_shards": self.shards}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--live", choices=NAMES, default="plain", help="how live state is kept")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "everywhere: runs however live state is kept")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "layout" in metafunc.fixturenames and metafunc.definition.get_closest_marker("everywhere"):
        chosen = metafunc.config.getoption("--live")
        metafunc.parametrize("layout", NAMES if chosen == "plain" else [chosen], indirect=True)


@pytest.fixture
def layout(request: pytest.FixtureRequest, redis_server: RedisServer) -> Layout:
    name = getattr(request, "param", request.config.getoption("--live"))
    if not redis_server.is_up():
        redis_server.start()
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return Layout(name, redis_server.url, SHARDS[name])


@pytest.fixture
def slots_used(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[int]]:
    """The names of the scripts that run, each with the numbers of slots that it touched at once."""
    used: dict[str, set[int]] = {}

    def note(script: str, keys: Sequence[str]) -> None:
        # The name at the head of the script, below those of parts that it begins with.
        name = re.findall(r"^-- (\w+)\.lua: ", script, re.MULTILINE)[-1]
        used.setdefault(name, set()).add(len({key_slot(key.encode()) for key in keys}))

    call, evaluate = Script.__call__, ScriptCommands.eval

    def noted_call(self: Any, keys: Any = None, *args: Any, **options: Any) -> Any:
        note(self.script, keys)
        return call(self, keys, *args, **options)

    def noted_eval(self: Any, script: str, count: int, *rest: Any) -> Any:
        note(script, rest[:count])
        return evaluate(self, script, count, *rest)

    monkeypatch.setattr(Script, "__call__", noted_call)
    monkeypatch.setattr(ScriptCommands, "eval", noted_eval)
    return used
