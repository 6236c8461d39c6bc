"""What the operator runs: `flask secret`, `sign`, `refused`, `ingest`, `edge` and `push`."""

from __future__ import annotations

from flask import Flask

from api.cli import edge, ingest, push, shards


def register(app: Flask) -> None:
    for part in (edge, ingest, push, shards):
        part.register(app)
