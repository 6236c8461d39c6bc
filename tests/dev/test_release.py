"""What `make release` refuses and what it makes, in a repository of its own."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from db.domain.errors import Refused
from dev.release import build, check

CHANGES = "# Changelog\n\n## 1.2.0 (2026-12-01)\n\n- Goals arrive.\n\n## 1.1.0\n\n- Older.\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / "api" / "static").mkdir(parents=True)
    (root / "pyproject.toml").write_text('[project]\nversion = "1.2.0"\n')
    (root / "CHANGELOG.md").write_text(CHANGES)
    (root / "api" / "static" / "scores.js").write_text("export {};\n")
    package = {"name": "client", "version": "3.0.0", "files": ["scores.js"]}
    (root / "api" / "static" / "package.json").write_text(json.dumps(package))
    git(root, "init", "--quiet")
    commit(root)
    return root


def git(root: Path, *args: str) -> None:
    who = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com"]
    subprocess.run(["git", *who, *args], cwd=root, check=True, capture_output=True)


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "State")


packed = pytest.mark.skipif(shutil.which("npm") is None, reason="no npm: apt-get install npm")


@packed
def test_a_release_is_the_sources_the_api_the_client_and_the_notes(root: Path) -> None:
    check(root)
    archive, document, client, notes, sums = build(root, root / "dist")
    with tarfile.open(archive) as tar:
        assert "live-scores-1.2.0/api/static/scores.js" in tar.getnames()
    validate(json.loads(document.read_text()))
    with tarfile.open(client) as tar:
        assert set(tar.getnames()) == {"package/package.json", "package/scores.js"}
    assert notes.read_text() == "- Goals arrive.\n"
    for line in sums.read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((root / "dist" / name).read_bytes()).hexdigest() == digest


@packed
def test_the_same_commit_is_the_same_archive(root: Path) -> None:
    first = build(root, root / "dist")[0].read_bytes()
    assert build(root, root / "dist")[0].read_bytes() == first


def test_what_is_not_ready_is_refused(root: Path) -> None:
    (root / "new").write_text("")
    with pytest.raises(Refused, match="not committed"):
        check(root)
    for text in (
        CHANGES.replace("1.2.0", "1.3.0"),
        CHANGES.replace("## 1.2.0", "## Unreleased\n\n- More.\n\n## 1.2.0"),
    ):
        (root / "CHANGELOG.md").write_text(text)
        commit(root)
        with pytest.raises(Refused, match="Unreleased"):
            check(root)


def test_a_version_is_released_once(root: Path) -> None:
    git(root, "tag", "v1.2.0")
    with pytest.raises(Refused, match="already"):
        check(root)
