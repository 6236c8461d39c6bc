"""Disorder for a replay: shuffled, repeated, redelivered and batched messages."""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from db.domain import ID_PATTERN
from db.domain.errors import Refused
from dev.recordings.recording import RecordedMessage

# Maximum displacement of a message within its match: the recorded push stream reaches 10.
WINDOW = 8
# A repeat comes within this many messages: providers retry for seconds.
REPEAT_WITHIN = 20


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message and its delivery id. A redelivery has the id of the first."""

    id: str
    message: RecordedMessage


def numbered(messages: Iterable[RecordedMessage], nonce: str) -> list[Delivery]:
    """Deterministic ids: nonce and number."""
    return [Delivery(f"{nonce}-{number}", message) for number, message in enumerate(messages)]


def shuffled(messages: list[RecordedMessage], rng: random.Random, window: int | None = WINDOW) -> list[RecordedMessage]:
    """Shuffle each match's messages within a window, or completely where it is None.

    A message takes the time of another of its match at most `window` places away. Matches are not mixed, and sending
    times stay the same. Heartbeats count as a match of their own.
    """
    places: dict[str | None, list[int]] = defaultdict(list)
    for place, message in enumerate(messages):
        places[message.match_id].append(place)
    result = list(messages)
    for own in places.values():
        for place, n in zip(own, _order(len(own), rng, window), strict=True):
            result[place] = replace(messages[own[n]], at_ms=messages[place].at_ms)
    return result


def _order(count: int, rng: random.Random, window: int | None) -> list[int]:
    reach = count if window is None else window
    if reach >= count:
        return rng.sample(range(count), count)
    return sorted(range(count), key=lambda n: n + rng.uniform(0, reach))


def twice(messages: list[RecordedMessage]) -> list[RecordedMessage]:
    """Everything again after the end, in order: none of the old messages may undo a newer one."""
    if not messages:
        return []
    span = messages[-1].at_ms - messages[0].at_ms + 1
    return messages + [replace(message, at_ms=message.at_ms + span) for message in messages]


def with_duplicates(deliveries: list[Delivery], percent: float, rng: random.Random) -> list[Delivery]:
    """Repeat some deliveries a little later: every other one under its old id, as a retry, the rest under a new id."""
    placed = [(float(place), delivery) for place, delivery in enumerate(deliveries)]
    repeats = [place for place in range(len(deliveries)) if rng.random() * 100 < percent]
    for number, place in enumerate(repeats):
        again = deliveries[place]
        later = min(place + rng.randint(1, REPEAT_WITHIN), len(deliveries) - 1)
        message = replace(again.message, at_ms=deliveries[later].message.at_ms)
        placed.append((later + 0.5, Delivery(again.id if number % 2 == 0 else f"{again.id}-again", message)))
    return [delivery for _, delivery in sorted(placed, key=lambda entry: entry[0])]


def renamed(message: RecordedMessage, suffix: str) -> RecordedMessage:
    """The message under a match id with `suffix` appended. Raises Refused if that is not a valid id."""
    if message.match_id is None or not suffix:
        return message
    match_id = message.match_id + suffix
    if message.match_id.startswith("sr:") and not re.fullmatch(r"\d+", suffix, re.ASCII):
        raise Refused(f"{match_id!r} is no id of Sportradar's: those end in a number. Take digits as --suffix.")
    if not ID_PATTERN.fullmatch(match_id):
        raise Refused(f"{match_id!r} is no match id: at most 64 of A-Z a-z 0-9 _ . : - are one. Shorten --suffix.")
    return replace(message, match_id=match_id, body=_renamed_body(message.body, message.match_id, suffix))


def _renamed_body(body: bytes, match_id: str, suffix: str) -> bytes:
    """Rename only the part after the last colon: one provider's products use different prefixes for a match.

    Of Sportradar's numbers only match ids are renamed: players and teams are numbered too.
    """
    tail = re.escape(match_id.rpartition(":")[2]).encode()
    before = rb"(?:sport_event|sport_event_id|match):" if match_id.startswith("sr:") else rb'[":]'
    return re.sub(rb"(" + before + tail + rb')"', lambda old: old[1] + suffix.encode() + b'"', body)


def batched(deliveries: list[Delivery], most: int) -> list[Delivery]:
    """Join neighbouring generic deliveries, up to `most` each, due when the last of them is."""
    groups: list[list[Delivery]] = []
    for delivery in deliveries:
        joins = groups and len(groups[-1]) < most and delivery.message.provider == "generic"
        if joins and groups[-1][-1].message.provider == "generic":
            groups[-1].append(delivery)
        else:
            groups.append([delivery])
    return [_joined(group) if len(group) > 1 else group[0] for group in groups]


def _joined(group: list[Delivery]) -> Delivery:
    documents = [json.loads(delivery.message.body) for delivery in group]
    body = {
        part: [entry for document in documents for entry in document.get(part, [])] for part in ("matches", "events")
    }
    last = group[-1].message
    message = replace(last, body=json.dumps(body, ensure_ascii=False).encode())
    return Delivery(f"{group[0].id}..{len(group)}", message)
