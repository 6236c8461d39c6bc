"""Sportradar soccer: the push stream, and the requests of its REST API.

Push is stateless and has no status changes: after each connection the matches in play are read once by REST, and a
second reader, sportradar_rest, polls (developer.sportradar.com, "Soccer push feeds", "Match status workflow").
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from db.domain import Update
from db.domain.errors import Unavailable
from feeds.json_stream import JsonStream, Unreadable
from feeds.sportradar.parse import parse
from workers.feed.answer import parts_of
from workers.feed.http import HttpSource
from workers.feed.session import FeedSession

# A heartbeat comes every five seconds; after three missed ones the connection is dead.
SILENT_S = 15.0
CONNECT_S = 5.0
# `timelines_delta` covers ten seconds; beyond a margin for our own delay all timelines are read.
DELTA_S = 7.0
# There is no such document, or it is not part of the contract: no reason to stop reading the others.
NOT_OURS = (403, 404)
# Trial keys allow about one request a second, so each of our two readers makes one every two seconds at most.
PER_MINUTE = 28


def parsed(body: bytes, received_at: int) -> list[Update]:
    return parse(body, received_at=received_at)


ParseDocument = Callable[[bytes, int], list[Update]]


class SportradarApi:
    """URLs and requests. level: `trial` or `production`. follows: query of the stream (`competition_id=…`)."""

    def __init__(self, url: str, key: str, level: str, follows: str = "") -> None:
        self.base = f"{url.rstrip('/')}/soccer/{level}/v4"
        self.follows = follows
        self.key = key
        self.source = HttpSource(PER_MINUTE, {"x-api-key": key}, (key,))

    def read(
        self,
        session: FeedSession,
        path: str,
        parse_it: ParseDocument = parsed,
        *,
        query: str = "",
        may_be_missing: bool = False,
        even_if_unchanged: bool = False,
    ) -> bool:
        """Accept a document; False where it has not changed, or there is none and there may be none.

        What was not taken, or is no document, is asked for in full the next time.
        """
        url = f"{self.base}/en/{path}.json{query}"
        if even_if_unchanged:
            self.source.forget(url)
        missing = b"" if may_be_missing else None
        body = self.source.get(session, url, missing=missing, missing_statuses=NOT_OURS)
        if not body:
            return False
        is_taken = False
        try:
            is_taken = session.accept(parse_it, body) is not None
        finally:
            if not is_taken:
                self.source.forget(url)
        return is_taken

    def stream_url(self) -> str:
        query = f"&{self.follows}" if self.follows else ""
        return f"{self.base}/stream/events/subscribe?format=json{query}"


class SportradarStream:
    name = "sportradar"
    silent_after_s = SILENT_S
    places = 1

    def __init__(self, api: SportradarApi) -> None:
        self.api = api
        self.http = requests.Session()

    def read(self, session: FeedSession) -> None:
        self.api.source.go_on(session)
        answer = self._connect(session)
        if answer is None:
            return
        try:
            # What comes meanwhile waits in the connection: nothing falls between the catch-up and the stream.
            self._catch_up(session)
            for value in self._values(session, answer):
                self._take(session, value)
        finally:
            answer.close()

    def _take(self, session: FeedSession, value: Any) -> None:
        session.heard()
        if isinstance(value, dict) and "heartbeat" in value:
            return
        text = value.text if isinstance(value, Unreadable) else json.dumps(value)
        session.accept(parsed, text.encode(errors="replace"))
        self._heard(session)

    def _heard(self, session: FeedSession) -> None:
        """Until when the stream was read: the next process knows how long a gap it has to fill."""
        if time.time() - session.position.get("until_s", 0.0) > 1.0:
            session.keep(until_s=time.time())

    def _catch_up(self, session: FeedSession) -> None:
        until_s = session.position.get("until_s", 0.0)
        gap_s = time.time() - until_s if isinstance(until_s, int | float) else time.time()
        if until_s:
            session.gap()
        self.api.read(session, "schedules/live/timelines_delta" if gap_s < DELTA_S else "schedules/live/timelines")
        session.keep(until_s=time.time())

    def _connect(self, session: FeedSession) -> requests.Response | None:
        """None where the session halted. Raises Unavailable."""
        # Connections are not counted, but the catch-up that each begins with is.
        if session.halt.wait(max(0.0, self.api.source.retry_at_s - time.time())):
            return None
        try:
            answer = self._answer()
        # ValueError: a redirect to what is no address.
        except (requests.RequestException, ValueError) as error:
            raise Unavailable(f"{self.api.source.redacted(self.api.stream_url())}: {type(error).__name__}") from None
        if answer.status_code != 200:
            answer.close()
            self.api.source.hold_off(session, answer)
            raise Unavailable(f"the stream answers {answer.status_code}")
        session.heard()
        return answer

    def _answer(self) -> requests.Response:
        """Follows the redirect by hand: the key goes to the provider's own hosts alone."""
        answer = self._get(self.api.stream_url())
        if not answer.is_redirect:
            return answer
        answer.close()
        return self._get(urljoin(self.api.stream_url(), answer.headers["Location"]))

    def _get(self, url: str) -> requests.Response:
        headers = {"x-api-key": self.api.key} if _is_same_provider(url, self.api.base) else {}
        return self.http.get(url, headers=headers, timeout=(CONNECT_S, SILENT_S), stream=True, allow_redirects=False)

    def _values(self, session: FeedSession, answer: requests.Response) -> Iterator[Any]:
        """Messages and heartbeats until the session halts. Raises Unavailable where the stream ends or stalls."""
        stream, heard_s = JsonStream(), time.monotonic()
        try:
            for chunk in parts_of(answer):
                if session.halt.is_set():
                    return
                for value in stream.values(chunk):
                    heard_s = time.monotonic()
                    yield value
                if time.monotonic() - heard_s > SILENT_S:
                    raise Unavailable("the stream sends no heartbeat")
        except requests.RequestException as error:
            raise Unavailable(f"the stream broke: {type(error).__name__}") from None
        raise Unavailable("the stream ended")


def _is_same_provider(url: str, base: str) -> bool:
    """The same host, or another one of the same domain: api.sportradar.com redirects to a streaming host.

    Nowhere in the clear unless `base` is, and on another host never.
    """
    target, home = urlsplit(url), urlsplit(base)
    domain = ".".join((home.hostname or "").split(".")[-2:])
    if target.hostname == home.hostname:
        return target.scheme in ("https", home.scheme)
    return target.scheme == "https" and (target.hostname or "").endswith(f".{domain}")
