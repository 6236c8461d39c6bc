"""The image: its recipe is linted, and it holds what its processes import. test_built_image.py builds it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

BIN = Path(sys.executable).parent
DOCKERFILE = ROOT / "deploy" / "Dockerfile"


def copied(stage: str) -> set[str]:
    """The first words of what a stage copies from the repository."""
    text = re.search(rf"^FROM \S+ AS {stage}\n(.*?)(?=^FROM |\Z)", DOCKERFILE.read_text(), re.M | re.S)
    assert text
    lines = re.findall(r"^COPY (?!--from)(.*) \S+$", text[1], re.M)
    return {word for line in lines for word in line.split()}


def imported(package: Path) -> set[str]:
    """The top-level names that its modules import."""
    names: set[str] = set()
    for file in package.rglob("*.py") if package.is_dir() else [package]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return names


def test_the_dockerfile_is_linted() -> None:
    done = subprocess.run([BIN / "hadolint", DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


def test_shell_scripts_are_linted() -> None:
    files = subprocess.run(["git", "ls-files", "*.sh"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    done = subprocess.run([BIN / "shellcheck", *files.split()], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


def test_it_holds_what_its_processes_import() -> None:
    ours = {path.stem for path in ROOT.glob("*.py")} | {path.parent.name for path in ROOT.glob("*/__init__.py")}
    service = copied("service")
    needed = {name for part in service if part != "alembic.ini" for name in imported(ROOT / part)} & ours
    assert needed <= {Path(part).stem for part in service}
    assert {name for name in imported(ROOT / "dev") & ours if name != "bench"} <= {Path(p).stem for p in service} | {
        "dev"
    }


def test_all_that_it_copies_is_sent_to_the_builder() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for stage in ("packages", "service", "demo", "varnish"):
        for part in copied(stage) - {"./"}:
            assert (ROOT / part).exists()
            assert any(Path(part).match(pattern) for pattern in allowed), part


def test_it_runs_as_nobody_special_and_says_how_it_is() -> None:
    text = DOCKERFILE.read_text()
    assert re.search(r"^ARG BASE=\S+:\d\S+$", text, re.M), "the base is pinned"
    users = re.findall(r"^USER (\S+)$", text, re.M)
    assert users[0] == users[-1] == "10001:10001"
    assert "HEALTHCHECK --interval" in text


@pytest.mark.parametrize("process", ["web", "worker", "clock", "feed"])
def test_everywhere_a_process_is_started_as_in_the_procfile(process: str) -> None:
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    words = lines[process].replace("python ", "python3 ").split()
    chart = (ROOT / "deploy" / "chart" / "templates" / f"{process}.yaml").read_text()
    assert "(list " + " ".join(f'"{word}"' for word in words) + ")" in chart
    compose = (ROOT / "deploy" / "compose.yaml").read_text()
    where = DOCKERFILE.read_text() if process == "web" else compose
    assert ", ".join(f'"{word}"' if process == "web" else word for word in words) in where
