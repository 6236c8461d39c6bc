"""What is installed is what was written down, byte for byte. `make audit` looks for vulnerabilities and secrets."""

from __future__ import annotations

import re

import pytest

from tests.support.paths import ROOT

LOCKS = ("requirements", "requirements-cloudfront", "requirements-kafka", "requirements-chart", "requirements-dev")


def pins(name: str) -> dict[str, str]:
    """Version by name, with those of the files it includes."""
    found: dict[str, str] = {}
    for line in (ROOT / name).read_text().splitlines():
        if included := re.match(r"-r (\S+)", line):
            found |= pins(included[1])
        elif pin := re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)", line):
            found[re.sub(r"[-_.]+", "-", pin[1]).lower()] = pin[2]
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_the_pins_of_its_file_each_with_hashes(name: str) -> None:
    """Else: make lock."""
    assert pins(f"{name}.lock") == pins(f"{name}.txt")
    text = (ROOT / f"{name}.lock").read_text()
    entries = re.split(r"^(?=\S+==)", text, flags=re.M)[1:]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
