"""Stats Perform: live events over its WebSocket (SDDP), with MA1 and MA3 documents for what was missed.

Handshake: `welcome` → outlet key → `is_authorised` → one `subscribe` a fixture → `is_subscribed` → deltas. The outlet
key is also part of REST paths, so every logged URL goes through `redacted`.
"""

from __future__ import annotations

import hashlib
import json
import time
from functools import partial
from typing import Any

import requests
import websocket

from db.domain import Update
from db.domain.errors import Refused, Unavailable
from feeds.fields import ident, thing, things
from feeds.pull.parse import json_of
from feeds.statsperform.parse import parse
from workers.feed.http import TIMEOUT_S, HttpSource, each
from workers.feed.session import FeedSession, now_ms

CONNECT_S = 5.0
# Nothing is stated of heartbeats, so we ping; a dead connection is found within three of these.
PING_S, SILENT_S = 5.0, 15.0
# Fixtures of the followed calendars, and those in play.
FIXTURES_S = 60.0
PER_MINUTE = 120
# Matches that differ from their documents, read in full after each list.
REPAIRED_MAX = 3
# A token is valid for about an hour; it is renewed well before.
TOKEN_S = 45 * 60.0


def parsed(body: bytes, received_at: int) -> list[Update]:
    return parse(body, received_at=received_at)


class StatsPerformApi:
    """The REST API. calendars: tournament calendars followed, none for all of the outlet.

    secret: of OAuth; without it the outlet key alone has to do.
    """

    def __init__(self, url: str, oauth_url: str, outlet_key: str, secret: str, calendars: list[str]) -> None:
        self.base, self.oauth_url = url.rstrip("/"), oauth_url.rstrip("/")
        self.outlet_key, self.secret, self.calendars = outlet_key, secret, calendars
        self.source = HttpSource(PER_MINUTE, secrets=(outlet_key, secret))
        self._token_until_s = 0.0

    def fixtures(self, session: FeedSession) -> list[dict[str, Any]]:
        """MA1 of the followed calendars, accepted; their `matchInfo`s and states."""
        fixtures: list[dict[str, Any]] = []
        for calendar in self.calendars or [""]:
            query = f"&tmcl={calendar}" if calendar else ""
            body = self._get(session, f"match/{self.outlet_key}?_rt=b&_fmt=json&live=yes&lineups=yes&_pgSz=1000{query}")
            if body is not None and session.accept(parsed, body) is not None:
                fixtures += things(thing(json_of(body)).get("match"))
        return fixtures

    def events(self, session: FeedSession, fixture: str) -> None:
        """MA3 of one match, accepted."""
        body = self._get(session, f"matchevent/{self.outlet_key}/{fixture}?_rt=b&_fmt=json")
        if body is not None:
            session.accept(parsed, body)

    def _get(self, session: FeedSession, path: str) -> bytes | None:
        self._authorise()
        url = f"{self.base}/soccerdata/{path}"
        # What was not taken is asked for in full again; these answers are small enough never to be conditional.
        self.source.forget(url)
        try:
            return self.source.get(session, url)
        except Unavailable:
            # It may be the token that is no longer taken.
            self._token_until_s = 0.0
            raise

    def _authorise(self) -> None:
        """OAuth by SHA-512 of outlet, time and secret, where there is a secret. Raises Unavailable."""
        if not self.secret or time.monotonic() < self._token_until_s:
            return
        at = str(now_ms())
        digest = hashlib.sha512(f"{self.outlet_key}{at}{self.secret}".encode()).hexdigest()
        headers = {"Authorization": f"Basic {digest}", "Timestamp": at}
        form = {"grant_type": "client_credentials", "scope": "b2b-feeds-auth"}
        try:
            url = f"{self.oauth_url}/oauth/token/{self.outlet_key}?_fmt=json&_rt=b"
            answer = requests.post(url, data=form, headers=headers, timeout=TIMEOUT_S, allow_redirects=False)
            token = thing(answer.json()).get("access_token") if answer.status_code == 200 else None
        except (requests.RequestException, ValueError):
            token = None
        if not isinstance(token, str):
            raise Unavailable("the token service of Stats Perform gives no token", 30)
        self.source.headers["Authorization"] = f"Bearer {token}"
        self._token_until_s = time.monotonic() + TOKEN_S


class StatsPerformSocket:
    name = "statsperform"
    silent_after_s = 60.0
    places = 1

    def __init__(self, url: str, api: StatsPerformApi) -> None:
        self.url = url
        self.api = api
        self.subscribed: set[str] = set()
        # Of which the document is still to be read: one that fails is asked for again with the next fixtures.
        self.unread: set[str] = set()
        # Last frame: documents that are answered meanwhile say nothing of this connection.
        self._heard_s = 0.0

    def read(self, session: FeedSession) -> None:
        self.api.source.go_on(session)
        socket = self._connect(session)
        try:
            self.subscribed, self.unread = set(), set()
            fixtures_s = -FIXTURES_S
            while not session.halt.is_set():
                if time.monotonic() - fixtures_s >= FIXTURES_S:
                    self._ask(session, socket)
                    fixtures_s = time.monotonic()
                self._take(session, socket)
        except (websocket.WebSocketException, OSError) as error:
            raise Unavailable(f"the connection broke: {type(error).__name__}") from None
        finally:
            socket.close(timeout=1)

    def _connect(self, session: FeedSession) -> websocket.WebSocket:
        """Up to the outlet's authorisation. Raises Unavailable, or Refused where the key is not valid."""
        try:
            # The key is sent to whoever says welcome, so no redirect is followed.
            socket = websocket.create_connection(self.url, timeout=CONNECT_S, redirect_limit=0)
            _answer(socket, "welcome")
            socket.send(json.dumps({"outlet": {"OutletKeyService": {"outletKey": self.api.outlet_key}}}))
            if thing(_answer(socket, "outlet").get("outlet")).get("msg") != "is_authorised":
                socket.close(timeout=1)
                raise Refused("STATSPERFORM_OUTLET_KEY is not authorised for live push")
        except (websocket.WebSocketException, OSError, ValueError) as error:
            raise Unavailable(f"no connection to live push: {type(error).__name__}") from None
        session.heard()
        self._heard_s = time.monotonic()
        return socket

    def _ask(self, session: FeedSession, socket: websocket.WebSocket) -> None:
        """Live push goes on while the documents fail, once it has something to tell. Raises Unavailable."""
        try:
            self._follow(session, socket)
        except Unavailable as error:
            if not self.subscribed:
                raise
            session.failed(error.message)

    def _follow(self, session: FeedSession, socket: websocket.WebSocket) -> None:
        """Subscribe to fixtures in play that are not yet followed, then read what each has so far: in this order
        nothing falls in between."""
        for fixture in self.api.fixtures(session):
            fixture_id = ident(thing(fixture.get("matchInfo")).get("id"))
            details = thing(thing(fixture.get("liveData")).get("matchDetails"))
            if fixture_id is None or fixture_id in self.subscribed or details.get("matchStatus") != "Playing":
                continue
            content = {"name": "subscribe", "feed": ["matchEvent"], "fixtureUuid": fixture_id, "optaId": True}
            socket.send(json.dumps({"content": content}))
            self.subscribed.add(fixture_id)
            self.unread.add(fixture_id)
            session.gap()
        due = dict.fromkeys([*self.unread, *session.standing()[:REPAIRED_MAX]])
        each(session, [partial(self._read_events, session, fixture_id) for fixture_id in due])

    def _read_events(self, session: FeedSession, fixture_id: str) -> None:
        self.api.events(session, fixture_id)
        self.unread.discard(fixture_id)

    def _take(self, session: FeedSession, socket: websocket.WebSocket) -> None:
        socket.settimeout(PING_S)
        try:
            kind, data = socket.recv_data(control_frame=True)
        except websocket.WebSocketTimeoutException:
            if time.monotonic() - self._heard_s > SILENT_S:
                raise Unavailable("live push answers no ping") from None
            socket.ping()
            return
        self._heard_s = time.monotonic()
        if kind == websocket.ABNF.OPCODE_CLOSE:
            raise Unavailable("live push closed the connection")
        if kind in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY):
            session.accept(parsed, data)
        else:
            session.heard()


def _answer(socket: websocket.WebSocket, word: str) -> dict[str, Any]:
    """The next message of the handshake; raises ValueError where it is another one."""
    message = thing(json.loads(socket.recv()))
    if word not in message:
        raise ValueError(word)
    return message
