"""Readers who ask again as soon as they are answered: the program of again.c, which costs less than its servers."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).with_name("again.c")


@contextmanager
def compiled() -> Iterator[Path]:
    if not shutil.which("cc"):
        raise SystemExit("There is no C compiler (apt-get install gcc libc6-dev zlib1g-dev).")
    folder = Path(tempfile.mkdtemp(prefix="scores-again-"))
    try:
        subprocess.run(["cc", "-O2", "-o", str(folder / "again"), str(SOURCE), "-lz"], check=True)
        yield folder / "again"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Record(NamedTuple):
    """A reader saw a higher score. at: seconds since the epoch."""

    reader: int
    at: float
    score: int


class ReaderProgram:
    """`count` of them, who connect over `spread_s` and first ask for the paths in turn. gzip: they accept it."""

    def __init__(self, binary: Path, port: int, count: int, spread_s: float, *paths: str, gzip: bool = False) -> None:
        # Answers that were not 200, once ended.
        self.errors = 0
        command = [str(binary), *(["-z"] if gzip else []), str(port), str(count), str(spread_s), *paths]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def wait_until_asked(self) -> None:
        assert self.process.stdout
        if self.process.stdout.readline() != "asked\n":
            raise SystemExit("the readers could not connect")

    def end(self) -> tuple[list[Record], int]:
        """In order of time; and how many connections the server closed."""
        output, _ = self.process.communicate()
        first, *lines = output.splitlines()
        records = [Record(int(reader), int(ns) / 1e9, int(score)) for reader, ns, score in map(str.split, lines)]
        _, closed, self.errors = map(int, first.split())
        return records, closed
