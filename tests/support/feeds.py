"""Provider messages → updates and matches, for the tests of feeds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from db.domain import Match, Update, reduce
from feeds.generic.parse import parse as parse_generic
from feeds.sportradar.parse import parse as parse_sportradar

RECEIVED = 1_800_000_000_000
# The required fields of a generic event.
EVENT_AT = 1_767_225_600_000
EVENT = {
    "match_id": "m",
    "home_score": 1,
    "away_score": 0,
    "minute": 10,
    "event_type": "goal",
    "timestamp": "2026-01-01T00:00:00Z",
}


def generic_updates(body: Any) -> list[Update]:
    return parse_generic(json.dumps(body).encode(), received_at=EVENT_AT)


def generic_event(**fields: Any) -> Update:
    [update] = generic_updates({"events": [EVENT | fields]})
    return update


def sportradar_updates(*messages: Any) -> list[Update]:
    """Messages back to back, as the push stream sends them."""
    return parse_sportradar("".join(map(json.dumps, messages)).encode(), received_at=RECEIVED)


def match_after(updates: Iterable[Update]) -> Match:
    """The match once the updates are applied in order."""
    match = None
    for update in updates:
        match, _ = reduce(match, update)
    assert match
    return match
