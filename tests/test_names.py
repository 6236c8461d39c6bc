"""One name for one thing."""

from __future__ import annotations

import re
from collections import defaultdict

from tests.conftest import ROOT

PACKAGES = ("api", "bench", "cdn", "db", "dev", "feeds", "notify", "pictures", "workers")


def test_no_class_name_stands_in_two_modules() -> None:
    modules = defaultdict(set)
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        for name in re.findall(r"^ *class (\w+)", path.read_text(), re.MULTILINE):
            modules[name].add(str(path.relative_to(ROOT)))
    assert modules, "no classes were read"
    assert {name: paths for name, paths in modules.items() if len(paths) > 1} == {}
