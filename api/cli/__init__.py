"""What the operator runs: `flask secret`, `sign` and the groups below."""

from __future__ import annotations

from flask import Flask

from api.cli import edge, feeds, ingest, matches, push, shards, surge, teams


def register(app: Flask) -> None:
    for part in (edge, feeds, ingest, matches, push, shards, surge, teams):
        part.register(app)
