"""What the operator runs: `flask secret`, `sign`, `refused`, `ingest`, `edge`, `feeds`, `push` and `surge`."""

from __future__ import annotations

from flask import Flask

from api.cli import edge, feeds, ingest, push, shards, surge


def register(app: Flask) -> None:
    for part in (edge, feeds, ingest, push, shards, surge):
        part.register(app)
