"""`python -m dev.release`: make the files of a release in dist/, after checking that there is something to release.

The version is in pyproject.toml and nowhere else; the chart repeats it, and a test compares them.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from api import create_app
from api.web.openapi import generate
from config import Settings
from db.domain.errors import Refused

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.release", description=__doc__)
    parser.add_argument("--tested", action="store_true", help="do not run `make test`: it was green on this commit")
    options = parser.parse_args()
    try:
        check(ROOT)
        if not options.tested and subprocess.run(["make", "test"], cwd=ROOT, check=False).returncode:
            raise Refused("`make test` is not green.")
        for file in build(ROOT, ROOT / "dist"):
            print(file.relative_to(ROOT))
    except Refused as error:
        print(f"No release: {error.message}", file=sys.stderr)
        return 1
    return 0


def version_of(root: Path) -> str:
    return str(tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"])


def check(root: Path) -> None:
    """Raises Refused where the tree has changes, the changelog is not ready, or the version was released already."""
    version = version_of(root)
    if _git(root, "status", "--porcelain"):
        raise Refused("the tree has changes that are not committed.")
    if section(root, "Unreleased") or not section(root, version):
        raise Refused(f"CHANGELOG.md still has an Unreleased section, or none of {version}: rename it.")
    if _git(root, "tag", "--list", f"v{version}"):
        raise Refused(f"v{version} was released already: raise the version in pyproject.toml.")


def section(root: Path, title: str) -> str:
    """The changelog's section of a version, whatever its date; "" without one."""
    text = (root / "CHANGELOG.md").read_text()
    heading = re.search(rf"^## {re.escape(title)}(?: \(.*\))?$", text, re.MULTILINE)
    return text[heading.end() :].partition("\n## ")[0].strip() if heading else ""


def build(root: Path, dist: Path) -> list[Path]:
    """The archive of the sources, the OpenAPI document, the browser client, the notes, and the checksums of all."""
    version = version_of(root)
    name = f"live-scores-{version}"
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir()
    archive = dist / f"{name}.tar.gz"
    # Without a time in it, the same commit is the same file.
    tar = _run(root, "git", "archive", "--format=tar", f"--prefix={name}/", "HEAD")
    archive.write_bytes(gzip.compress(tar, mtime=0))
    document = dist / f"{name}.openapi.json"
    with create_app(Settings()).app_context():
        document.write_text(json.dumps(generate(), indent=2) + "\n")
    client = dist / _npm_pack(root / "api" / "static", dist)
    changes = dist / f"{name}.notes.md"
    changes.write_text(section(root, version) + "\n")
    files = [archive, document, client, changes]
    sums = dist / "SHA256SUMS"
    sums.write_text("".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files))
    return [*files, sums]


def _npm_pack(package: Path, dist: Path) -> str:
    """The name of the client's file, which npm makes without a network. It has a version of its own."""
    if shutil.which("npm") is None:
        raise Refused("npm packs the browser client, and there is none: apt-get install npm.")
    return _run(package, "npm", "pack", "--silent", f"--pack-destination={dist}").decode().strip()


def _git(root: Path, *args: str) -> str:
    return _run(root, "git", *args).decode().strip()


def _run(root: Path, *command: str) -> bytes:
    return subprocess.run(command, cwd=root, capture_output=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
