"""Recorded matches: the messages their provider would have sent, and the result that the recording states."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from db.domain.errors import Refused
from dev.recordings import (
    datafactory,
    openfootball,
    sportradar,
    sportradar_push,
    sportradar_us,
    statsbomb,
    statsperform,
)
from dev.recordings.recording import Expected, RecordedGoal, RecordedMessage, Recording, in_order
from feeds.fields import documents

__all__ = ["FORMATS", "Expected", "RecordedGoal", "RecordedMessage", "Recording", "read"]

FORMATS = (
    "openfootball; Sportradar soccer timelines, v4 documents and push, NBA, NFL and MLB push, NFL plays; "
    "Stats Perform MA1 and MA3; DataFactory; StatsBomb events"
)
# Errors from a file that only resembles one of the formats.
MALFORMED = (LookupError, TypeError, ValueError, AttributeError, StopIteration)

Json = dict[str, Any]


def read(path: Path) -> Recording:
    """Detects the format by content, gzipped or not. Raises Refused with file and reason."""
    entries = _entries(path)
    reader = _reader(entries)
    if reader is None:
        raise Refused(f"{path} is not a recording in a supported format: {FORMATS}.")
    try:
        recording = reader(entries, path.name.split(".json")[0])
    except MALFORMED as error:
        raise Refused(f"{path} lacks what its format has ({type(error).__name__}: {error}).") from error
    if not recording.expected:
        raise Refused(f"{path} contains no match.")
    return recording


def _entries(path: Path) -> list[Any]:
    """The entries of the file: the members of its one list, or its JSON values one after another."""
    try:
        content = path.read_bytes()
        plain = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        values = list(documents(plain))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Refused(f"{path} is no whole gzip file ({error}).") from None
    except OSError as error:
        raise Refused(f"{path}: {error.strerror or error}.") from None
    except Refused:
        raise Refused(f"{path} is neither JSON nor JSON lines.") from None
    if not values:
        raise Refused(f"{path} is empty.")
    return values[0] if len(values) == 1 and isinstance(values[0], list) else values


def _reader(entries: list[Any]) -> Callable[[list[Any], str], Recording] | None:
    """By the first entry that is more than a heartbeat."""
    first = next((entry for entry in entries if isinstance(entry, dict) and "heartbeat" not in entry), {})
    if sportradar_push.is_message(first):
        is_alone = len(entries) == 1 and first.get("timeline")
        return _each(sportradar.read_document) if is_alone else sportradar_push.read
    if "possession_team" in first:
        return statsbomb.read
    if "reference" in first and "sequence" in first:
        return sportradar_us.read_plays
    if "type" in first and "time" in first:
        return sportradar.read_timeline
    return _document_reader(first)


def _document_reader(first: Json) -> Callable[[list[Any], str], Recording] | None:
    if "incidences" in first:
        return _each(datafactory.read)
    if "matchInfo" in first:
        return _each(statsperform.read)
    if statsperform.is_list(first):
        return _each(statsperform.read_list)
    if "matches" in first or "rounds" in first:
        return _each(openfootball.read)
    return None


def _each(read_document: Callable[[Json, str], Recording]) -> Callable[[list[Any], str], Recording]:
    """A reader of one document, for a file that may hold several."""

    def read_all(entries: list[Any], name: str) -> Recording:
        recordings = [read_document(entry, name) for entry in entries]
        messages = [message for recording in recordings for message in recording.messages]
        ends = {match_id: end for recording in recordings for match_id, end in recording.expected.items()}
        return Recording(name, in_order(messages), ends)

    return read_all
