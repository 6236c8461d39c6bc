"""Domain types ↔ JSON, for what is kept in Redis and SQL. The public bodies are rendered elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter

from db.domain import Document, DocumentKind, Event, Fact, Ledger, Lineups, Match, Stats, Update, with_events
from db.domain.record import replace

_matches = TypeAdapter(Match)
_events = TypeAdapter(Event)
_event_lists = TypeAdapter(tuple[Event, ...])
_ledgers = TypeAdapter(dict[str, Ledger])
_updates = TypeAdapter(Update)
_lineups = TypeAdapter(Lineups)
_stats = TypeAdapter(Stats)
_facts = TypeAdapter(tuple[Fact, ...])


def encode_match(match: Match) -> str:
    """All but what the store itself gives (the versions and updated_at) and keeps beside it (events, ledgers)."""
    kept = {"version", "updated_at", "events_version", "events", "elsewhere", "ledgers"}
    return _matches.dump_json(match, exclude=kept, exclude_defaults=True).decode()


def decode_match(
    text: str | bytes, version: int, updated_at: int, events: Iterable[Event] = (), *, events_version: int = 0
) -> Match:
    """events: as stored, of any source."""
    match: Match = _matches.validate_json(text)
    match = replace(match, version=version, updated_at=updated_at, events_version=events_version)
    return with_events(match, events) if events else match


def encode_ledgers(match: Match) -> str:
    """ "" for a match that was read without them: they are nobody's to write then."""
    return _ledgers.dump_json(match.ledgers, exclude_defaults=True).decode() if match.ledgers else ""


def decode_ledgers(text: str | bytes) -> dict[str, Ledger]:
    return _ledgers.validate_json(text)


def encode_event(event: Event) -> str:
    return _events.dump_json(event, exclude_defaults=True).decode()


def decode_event(text: str | bytes) -> Event:
    return _events.validate_json(text)


def decode_event_list(text: str | bytes) -> tuple[Event, ...]:
    return _event_lists.validate_json(text)


def encode_update(update: Update) -> bytes:
    return _updates.dump_json(update, exclude_defaults=True)


def decode_update(text: str | bytes) -> Update:
    return _updates.validate_json(text)


def encode_document(document: Document) -> str:
    adapter: TypeAdapter[Any] = _lineups if isinstance(document, Lineups) else _stats
    return adapter.dump_json(document, exclude_defaults=True).decode()


def decode_document(kind: DocumentKind, text: str | bytes) -> Document:
    return decode_lineups(text) if kind is DocumentKind.LINEUPS else decode_stats(text)


def decode_lineups(text: str | bytes) -> Lineups:
    return _lineups.validate_json(text)


def decode_stats(text: str | bytes) -> Stats:
    return _stats.validate_json(text)


def encode_facts(facts: tuple[Fact, ...]) -> str:
    return _facts.dump_json(facts, exclude_defaults=True).decode()


def decode_facts(text: str | bytes) -> tuple[Fact, ...]:
    return _facts.validate_json(text)
