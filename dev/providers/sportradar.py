"""Sportradar: the push stream and the REST API of soccer, over recorded matches.

Rules kept: a key, or 403; a redirect whose target is valid once, for a minute; messages back to back and none that was
missed; a heartbeat after each silence; matches listed as live from ten minutes before to ten minutes after; ETag and
max-age; 429 beyond the quota (developer.sportradar.com, "Soccer push feeds", "API basics").
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from dev.providers.faults import Limit, ProviderFaults
from dev.providers.playback import Playback
from dev.providers.server import ProviderAnswer, ProviderRequest, etag_of
from dev.recordings.recording import RecordedMessage
from feeds.sportradar.sport_event import normal_id

Json = dict[str, Any]

HEARTBEAT_S = 5.0
# Between two looks for messages that are due.
LOOK_S = 0.01
DELTA_MS = 10_000
LIVE_AFTER_END_MS = 10 * 60 * 1000
REDIRECT_S = 60.0


class SportradarProvider:
    def __init__(
        self, matches: Playback, key: str, limit: Limit | None = None, heartbeat_s: float = HEARTBEAT_S
    ) -> None:
        self.matches, self.key, self.heartbeat_s = matches, key, heartbeat_s
        self.limit = limit or Limit(60, 60.0)
        self.faults = ProviderFaults()
        self.connections = 0
        self._tickets: dict[str, float] = {}
        # Parts of paths that the key is not good for.
        self.not_in_contract: set[str] = set()
        # Entries of `sport_events/removed`.
        self.removed: list[Json] = []
        # Matches of a day's list that are sent at once.
        self.page = 200

    def answer(self, request: ProviderRequest) -> ProviderAnswer:
        if request.path[-1:] == ("session",):
            return self._session(request)
        is_allowed = not any(part in request.path for part in self.not_in_contract)
        if request.headers.get("x-api-key") != self.key or not is_allowed:
            return ProviderAnswer(403, {"message": "Forbidden"})
        match request.path:
            case ("soccer", _, "v4", "stream", "events", "subscribe"):
                ticket = secrets.token_hex(8)
                self._tickets[ticket] = time.monotonic()
                query = "&".join(f"{name}={value}" for name, value in (request.query | {"ticket": ticket}).items())
                return ProviderAnswer(302, headers={"Location": f"/stream/session?{query}"})
            case ("soccer", _, "v4", _, *rest):
                if not self.limit.take():
                    return ProviderAnswer(429, {"message": "Too Many Requests"}, {"Retry-After": "1"})
                return self._rest("/".join(rest).removesuffix(".json"), int(request.query.get("start", "0")))
        return ProviderAnswer(404)

    # Push.

    def _session(self, request: ProviderRequest) -> ProviderAnswer:
        asked_at = self._tickets.pop(request.query.get("ticket", ""), 0.0)
        if time.monotonic() - asked_at > REDIRECT_S:
            return ProviderAnswer(403)
        self.connections += 1
        return ProviderAnswer(chunks=self._chunks(request.query))

    def _chunks(self, query: Json) -> Iterator[bytes]:
        place, opened, sent = self.matches.due(), time.monotonic(), time.monotonic()
        while True:
            until = self.faults.cut_every_s
            if until and time.monotonic() - opened > until:
                half = self.matches.messages[min(place, len(self.matches.messages) - 1)].body
                yield half[: len(half) // 2]
                yield b""
                return
            due = self.matches.due()
            if self.faults.is_stalled:
                place = due
            for message in self.matches.messages[place:due]:
                if _is_push(message) and _is_wanted(message, query):
                    for _ in range(self.faults.repeat):
                        yield message.body
                    sent = time.monotonic()
            place = due
            if time.monotonic() - sent > self.heartbeat_s and not self.faults.is_stalled:
                now = int(time.time())
                beat = {"from": now - 5, "to": now, "interval": 5, "type": "events", "package": "soccer-v4"}
                yield json.dumps({"heartbeat": beat}).encode()
                sent = time.monotonic()
            time.sleep(LOOK_S)

    # REST.

    def _rest(self, path: str, start: int) -> ProviderAnswer:
        """start: of a page, for lists that have pages."""
        documents = self.documents()
        now_ms = time.time_ns() // 1_000_000
        live = [document for document in documents if _is_live(document, now_ms)]
        generated = {"generated_at": datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")}
        match path.split("/"):
            case ["schedules", "live", kind] if kind in LIVE:
                parts = [LIVE[kind](document, now_ms) for document in live]
                return _cached({kind if kind == "summaries" else f"sport_event_{kind}": parts}, generated)
            case ["schedules", day, "summaries"]:
                of_day = [d for d in documents if str(d["sport_event"].get("start_time", "")).startswith(day)]
                page = [_without(document, "timeline") for document in of_day[start : start + self.page]]
                return _cached({"summaries": page}, generated)
            case ["sport_events", "removed"]:
                return _cached({"sport_events_removed": self.removed}, generated)
            case ["sport_events", event_id, kind]:
                one = next((d for d in documents if normal_id(d["sport_event"]["id"]) == normal_id(event_id)), None)
                if one and kind == "lineups" and "lineups" in one:
                    return _cached(_without(one, "timeline"), generated)
                return _cached(one, generated) if one and kind == "timeline" else ProviderAnswer(404)
        return ProviderAnswer(404)

    def documents(self) -> list[Json]:
        """Each match as of now: its head, its status, the events that stand."""
        state: dict[str, Json] = {}
        for message in self.matches.messages[: self.matches.due()]:
            if message.match_id and message.match_id.startswith("sr:"):
                self._apply(state.setdefault(message.match_id, {"timeline": {}}), message)
        return [
            document | {"timeline": list(document["timeline"].values())}
            for document in state.values()
            if "sport_event" in document
        ]

    def _apply(self, document: Json, message: RecordedMessage) -> None:
        body = json.loads(message.body)
        payload = body.get("payload", body)
        if "sport_event" in payload:
            document["sport_event"] = payload["sport_event"]
        if "timeline" in payload:
            document["timeline"] = {event["id"]: event for event in payload["timeline"]}
        if event := payload.get("event"):
            document["timeline"][event["id"]] = event
            document["told_ms"] = message.at_ms
        for name in ("lineups", "statistics"):
            if name in payload:
                document[name] = payload[name]
        if "sport_event_status" in payload:
            document["sport_event_status"] = payload["sport_event_status"]
            document["status_ms"] = message.at_ms


def _is_push(message: RecordedMessage) -> bool:
    return b'"payload"' in message.body or b'"heartbeat"' in message.body


def _is_wanted(message: RecordedMessage, query: Json) -> bool:
    """The filters of the stream: comma lists of ids."""
    metadata = json.loads(message.body).get("metadata", {})
    for name in ("sport_event_id", "competition_id", "season_id"):
        wanted = str(query.get(name, ""))
        if wanted and str(metadata.get(name, "")) not in wanted.split(","):
            return False
    return True


def _is_live(document: Json, now_ms: int) -> bool:
    status = document.get("sport_event_status", {}).get("status")
    is_over = status in ("ended", "closed", "cancelled", "postponed", "abandoned")
    return not is_over or now_ms - int(document.get("status_ms", now_ms)) < LIVE_AFTER_END_MS


def _delta(document: Json, now_ms: int) -> Json:
    def told_ms(event: Json) -> float:
        return datetime.fromisoformat(event.get("updated_time") or event["time"]).timestamp() * 1000

    recent = [event for event in document["timeline"] if now_ms - told_ms(event) < DELTA_MS]
    return document | {"timeline": recent}


def _without(document: Json, name: str) -> Json:
    return {key: value for key, value in document.items() if key not in (name, "told_ms", "status_ms")}


def _cached(document: Json, generated: Json) -> ProviderAnswer:
    """generated_at is no change of the content."""
    return ProviderAnswer(200, {**generated, **document}, {**etag_of(document), "Cache-Control": "max-age=1"})


# What each list of matches in play has of a match.
LIVE: dict[str, Callable[[Json, int], Json]] = {
    "summaries": lambda document, _now_ms: _without(document, "timeline"),
    "timelines": lambda document, _now_ms: document,
    "timelines_delta": _delta,
}
