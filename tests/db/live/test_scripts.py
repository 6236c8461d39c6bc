"""The Lua scripts: keys and arguments have names, and every key of a script comes from the table in `keys`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

# What other scripts begin with; it is handed its keys by them.
PARTS = {"board_advance"}
SCRIPTS = sorted(path for path in (ROOT / "db" / "live" / "scripts").glob("*.lua") if path.stem not in PARTS)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_keys_are_named_at_the_top(path: Path) -> None:
    """Below the names, KEYS stands only where the number of keys depends on the call."""
    body = [line for line in path.read_text().splitlines() if not line.startswith("--")]
    named = [line for line in body if re.match(r"local [\w, ]+ = (unpack\()?KEYS\b|    unpack\(KEYS", line)]
    assert named, "no key has a name"
    numbered = [line for line in body if re.search(r"KEYS\[\d+\]", line) and line not in named]
    assert numbered == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_says_what_it_does_and_what_it_returns(path: Path) -> None:
    head = "\n".join(line for line in path.read_text().splitlines() if line.startswith("--"))
    assert head.startswith(f"-- {path.name}: ")
    assert "-- Returns " in head or "Returns" in head
    assert "-- KEYS[1" in head
