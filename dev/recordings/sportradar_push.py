"""Recorded Sportradar streams: push messages of soccer and US sports, and documents, replayed unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dev.recordings.recording import Expected, RecordedMessage, Recording
from dev.recordings.sportradar import encoded, expected, status_after
from dev.recordings.story import ms
from feeds.sportradar import us_sports as us
from feeds.sportradar.parse import LISTS
from feeds.sportradar.sport_event import normal_id

Json = dict[str, Any]

_BEFORE: Json = {"match_status": "not_started", "home_score": 0, "away_score": 0}
# Of two messages of one time, the one with more points is later: US sports have whole seconds.
_Order = tuple[int, int]


def is_message(entry: Json) -> bool:
    return any(name in entry for name in ("payload", "sport_event", *LISTS))


def read(entries: list[Any], name: str) -> Recording:
    """Each message unchanged, heartbeats too; one without a time gets that of the one before."""
    stream = _Stream()
    for entry in entries:
        for message in _single(entry):
            stream.add(message)
    first_ms = next((message.at_ms for message in stream.messages if message.at_ms), 0)
    messages = [_not_before(message, first_ms) for message in stream.messages]
    return Recording(name, messages, {match_id: end for match_id, (_, end) in stream.ends.items()})


class _Stream:
    """Messages so far, the time of the last, and the newest result by match."""

    def __init__(self) -> None:
        self.messages: list[RecordedMessage] = []
        self.ends: dict[str, tuple[_Order, Expected]] = {}
        self.at_ms = 0
        self._status: dict[str, Json] = {}

    def add(self, entry: Json) -> None:
        match_id = None if "heartbeat" in entry else self._end(entry)
        self.messages.append(RecordedMessage(self.at_ms, "sportradar", encoded(entry), match_id))

    def _end(self, entry: Json) -> str:
        if "payload" not in entry:
            match_id, at_ms, end = self._document(entry)
        elif "game" in entry["payload"]:
            match_id, at_ms, end = self._game(entry)
        else:
            match_id, at_ms, end = self._soccer(entry)
        self.at_ms = max(self.at_ms, at_ms)
        order = at_ms, (end.home or 0) + (end.away or 0)
        if match_id not in self.ends or order >= self.ends[match_id][0]:
            self.ends[match_id] = order, end
        return match_id

    def _game(self, entry: Json) -> tuple[str, int, Expected]:
        game, metadata = entry["payload"]["game"], entry.get("metadata", {})
        event = entry["payload"].get("event", {})
        score = us.score_of(game, us.sport_of(metadata))
        status, word = us.status_after(game, event, metadata)
        end = Expected(
            score.home if score else None, score.away if score else None, status.value if status else str(word)
        )
        match_id = us.match_id_of(game, metadata)
        if match_id is None:
            raise ValueError("a push message without a game")
        return match_id, us.told_at(event) or self.at_ms, end

    def _soccer(self, entry: Json) -> tuple[str, int, Expected]:
        """Without a status object the event is applied to the previous one."""
        event, match_id = entry["payload"].get("event", {}), _match_id(entry["metadata"].get("sport_event_id"))
        status = self._status.get(match_id, _BEFORE)
        status = entry["payload"].get("sport_event_status") or (status_after(status, event) if event else status)
        self._status[match_id] = {**_BEFORE, **status}
        time = event.get("updated_time") or event.get("time")
        return match_id, ms(time) if time else self.at_ms, expected(status)

    def _document(self, entry: Json) -> tuple[str, int, Expected]:
        document = next((entry[name][0] for name in LISTS if name in entry), entry)
        match_id = _match_id((document.get("sport_event") or document)["id"])
        at_ms = ms(entry["generated_at"]) if "generated_at" in entry else self.at_ms
        return match_id, at_ms, expected(document.get("sport_event_status", {}))


def _single(entry: Json) -> Iterator[Json]:
    """Split a list of matches into lists of one, so that each match can be ordered by itself."""
    name = next((name for name in LISTS if name in entry), None)
    if name is None:
        yield entry
        return
    for part in entry[name]:
        yield {**entry, name: [part]}


def _match_id(value: Any) -> str:
    match_id = normal_id(value)
    if match_id is None:
        raise ValueError(f"{value!r} is not a match id")
    return match_id


def _not_before(message: RecordedMessage, first_ms: int) -> RecordedMessage:
    return RecordedMessage(max(message.at_ms, first_ms), message.provider, message.body, message.match_id)
