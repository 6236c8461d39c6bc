"""Sportradar: soccer v4 documents and push messages, and the push messages of its US sports.

A body holds one JSON value or several back to back, as the push stream sends them. Heartbeats are ignored. Formats:
developer.sportradar.com, "Soccer v4" and "Push feeds".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from db.domain import Update
from db.domain.errors import Fault, Refused
from feeds.fields import Json, documents, ms, plausible, thing, things
from feeds.sportradar import soccer
from feeds.sportradar import us_sports as us

# Of matches that were withdrawn; an entry names nothing but ids.
REMOVED = "sport_events_removed"
LISTS = ("summaries", "schedules", "sport_event_timelines", "sport_event_timelines_delta")


def parse(body: bytes, *, received_at: int) -> list[Update]:
    """Updates in the order sent. received_at: ms. Raises Refused `not_json` or `invalid`."""
    values = list(documents(body))
    if not values:
        raise Refused("The body is not JSON.", "not_json")
    updates = [update for index, value in enumerate(values) for update in _updates(value, index, received_at)]
    return plausible(updates, received_at)


def _updates(value: Any, index: int, received_at: int) -> list[Update]:
    document = thing(value)
    if "heartbeat" in document:
        return []
    if isinstance(document.get(REMOVED), list):
        generated_at = ms(document.get("generated_at"))
        return [u for entry in things(document[REMOVED]) for u in soccer.removed(entry, generated_at, received_at)]
    if "payload" in document:
        updates = _message(document, received_at)
    else:
        updates = [update for part in _parts(document) for update in soccer.document(part, received_at)]
        if not updates and any(isinstance(document.get(name), list) for name in LISTS):
            return []
    if not updates:
        raise _invalid(index)
    return updates


def _message(document: Json, received_at: int) -> list[Update]:
    payload, metadata = thing(document["payload"]), thing(document.get("metadata"))
    if "game" in payload:
        return us.message(payload, metadata, received_at)
    return soccer.message(payload, metadata, received_at)


def _parts(document: Json) -> Iterator[Json]:
    """The matches of a document: itself, or the entries of its list, which share its time."""
    if "sport_event" in document:
        yield document
    for name in LISTS:
        for match in things(document.get(name)):
            # Timelines in a list are excerpts: an event missing there is not cancelled.
            yield {**match, "generated_at": document.get("generated_at"), "excerpt": True}


def _invalid(index: int) -> Refused:
    fault = Fault(f"[{index}]", "names no match, or is no Sportradar document or push message that we know", index)
    return Refused(
        "The body is JSON but not in this provider's format; nothing of it was applied.", "invalid", (fault,)
    )
