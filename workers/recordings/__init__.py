"""Recorded matches, each turned into the messages its provider would have sent, and the end it claims for itself."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from db.errors import Refused
from workers.recordings import datafactory, openfootball, sportradar, sportradar_us, statsbomb, statsperform
from workers.recordings.recording import Expected, Goal, Message, Recording

__all__ = ["Expected", "Goal", "Message", "Recording", "read"]


def read(path: Path) -> Recording:
    """The format is known by the content, gzipped or not. Raises Refused, saying which file and why."""
    name = path.name.split(".json")[0]
    try:
        content = path.read_bytes()
        document = _parsed(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror or error}.") from None
    except ValueError:
        raise Refused(f"{path} is neither JSON nor JSON lines.") from None
    found = _lines(document, name) if isinstance(document, list) else _document(document, name)
    if found is None:
        raise Refused(f"{path} is no recording of a format known here (openfootball, Sportradar, Stats Perform…).")
    return found


def _parsed(content: bytes) -> Any:
    """One JSON value, or JSON lines as a list of theirs."""
    try:
        return json.loads(content)
    except ValueError:
        return [json.loads(line) for line in content.splitlines() if line.strip()]


def _document(document: Any, name: str) -> Recording | None:
    if not isinstance(document, dict):
        return None
    if "incidences" in document:
        return datafactory.read(document, name)
    if "matchInfo" in document:
        return statsperform.read(document, name)
    if "matches" in document or "rounds" in document:
        return openfootball.read(document, name)
    return None


def _lines(entries: list[Any], name: str) -> Recording | None:
    first = next((entry for entry in entries if isinstance(entry, dict) and "heartbeat" not in entry), {})
    if "payload" in first:
        return sportradar_us.read_push(entries, name)
    if "possession_team" in first:
        return statsbomb.read(entries, name)
    if "reference" in first and "sequence" in first:
        return sportradar_us.read_plays(entries, name)
    if "type" in first and "time" in first:
        return sportradar.read_timeline(entries, name)
    return None
