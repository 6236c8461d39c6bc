"""Stats Perform: live push over a WebSocket (SDDP), and MA1 and MA3 documents, over recorded MA3 matches.

Rules kept: the handshake in its order, an outlet key or `not_authorised`, deltas to subscribed fixtures alone, none of
those missed; OAuth tokens by SHA-512 of outlet, time and secret where there is a secret.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import socket
import threading
import time
from typing import Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Event, Ping, Request, TextMessage

from dev.providers.faults import ProviderFaults
from dev.providers.playback import Playback
from dev.providers.server import ProviderAnswer, ProviderRequest
from dev.recordings.story import rfc3339

Json = dict[str, Any]

LOOK_S = 0.01
# Documents are generated at most this far behind the push.
TIMESTAMP_WINDOW_S = 300


class StatsPerformProvider:
    """The REST API and the token service. secret: "" for an outlet that needs no token."""

    def __init__(self, matches: Playback, outlet_key: str, secret: str = "") -> None:
        self.matches, self.outlet_key, self.secret = matches, outlet_key, secret
        self.faults = ProviderFaults()
        self.tokens: set[str] = set()

    def answer(self, request: ProviderRequest) -> ProviderAnswer:
        match request.path:
            case ("oauth", "token", outlet):
                return self._token(outlet, request)
            case ("soccerdata", feed, outlet, *fixture) if outlet == self.outlet_key and self._is_allowed(request):
                documents = self.documents()
                if feed == "match":
                    return ProviderAnswer(200, {"match": [_ma1(document) for document in documents]})
                chosen = [d for d in documents if [d["matchInfo"]["id"]] == fixture]
                return ProviderAnswer(200, chosen[0]) if chosen else ProviderAnswer(404, {"errorCode": "10400"})
        return ProviderAnswer(403, {"errorCode": "10401"})

    def documents(self) -> list[Json]:
        """MA3 of each match as of now: its head, and all events sent so far."""
        state: dict[str, Json] = {}
        for message in self.matches.messages[: self.matches.due()]:
            document = json.loads(message.body)
            content = document.get("content", document)
            match = state.setdefault(str(message.match_id), {"matchInfo": {}, "liveData": {"event": []}})
            if "matchInfo" in content:
                match["matchInfo"] = content["matchInfo"]
            match["matchInfo"] = match["matchInfo"] | {"lastUpdated": rfc3339(message.at_ms)}
            match["liveData"]["matchDetails"] = content["liveData"]["matchDetails"]
            match["liveData"]["event"] += content["liveData"].get("event", [])
        return [match for match in state.values() if "id" in match["matchInfo"]]

    def _token(self, outlet: str, request: ProviderRequest) -> ProviderAnswer:
        at = request.headers.get("timestamp", "")
        digest = hashlib.sha512(f"{outlet}{at}{self.secret}".encode()).hexdigest()
        is_now = at.isdecimal() and abs(time.time() - int(at) / 1000) < TIMESTAMP_WINDOW_S
        if not self.secret or not is_now or request.headers.get("authorization") != f"Basic {digest}":
            return ProviderAnswer(401)
        token = secrets.token_hex(16)
        self.tokens.add(token)
        return ProviderAnswer(200, {"access_token": token, "expires_in": 3600})

    def _is_allowed(self, request: ProviderRequest) -> bool:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        return not self.secret or bearer in self.tokens


def _ma1(document: Json) -> Json:
    return {"matchInfo": document["matchInfo"], "liveData": {"matchDetails": document["liveData"]["matchDetails"]}}


class LivePush:
    """The WebSocket: a thread a connection."""

    def __init__(self, provider: StatsPerformProvider) -> None:
        self.provider = provider
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self.listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            if self.provider.faults.is_down:
                connection.close()
                continue
            threading.Thread(target=_Connection(self.provider, connection).run, daemon=True).start()
            self.connections += 1


class _Connection:
    def __init__(self, provider: StatsPerformProvider, connection: socket.socket) -> None:
        self.provider, self.connection = provider, connection
        self.protocol = WSConnection(ConnectionType.SERVER)
        self.is_authorised, self.is_open = False, True
        self.fixtures: set[str] = set()

    def run(self) -> None:
        faults, opened, place = self.provider.faults, time.monotonic(), self.provider.matches.due()
        self.connection.settimeout(LOOK_S)
        try:
            while self.is_open and not faults.is_down:
                if faults.cut_every_s and time.monotonic() - opened > faults.cut_every_s:
                    break
                self._receive()
                due = self.provider.matches.due()
                for message in self.provider.matches.messages[place:due]:
                    if message.match_id in self.fixtures and b'"content"' in message.body and not faults.is_stalled:
                        for _ in range(faults.repeat):
                            self._send(TextMessage(message.body.decode()))
                place = due
        except OSError:
            pass
        finally:
            self.connection.close()

    def _receive(self) -> None:
        try:
            data = self.connection.recv(65_536)
        except TimeoutError:
            return
        self.protocol.receive_data(data or None)
        for event in self.protocol.events():
            self._handle(event)

    def _handle(self, event: Event) -> None:
        if isinstance(event, Request):
            self._send(AcceptConnection())
            self._say({"welcome": "SDDP"})
        elif isinstance(event, Ping) and not self.provider.faults.is_stalled:
            self._send(event.response())
        elif isinstance(event, CloseConnection):
            self.is_open = False
        elif isinstance(event, TextMessage):
            self._hear(json.loads(event.data))

    def _hear(self, message: Json) -> None:
        if "outlet" in message:
            key = message["outlet"].get("OutletKeyService", {}).get("outletKey")
            self.is_authorised = key == self.provider.outlet_key
            self._say({"outlet": {"msg": "is_authorised" if self.is_authorised else "not_authorised"}})
        elif "content" in message and self.is_authorised:
            self.fixtures.add(str(message["content"]["fixtureUuid"]))
            self._say({"content": {"msg": "is_subscribed", "fixtureUuid": message["content"]["fixtureUuid"]}})
        else:
            self.is_open = False

    def _say(self, document: Json) -> None:
        self._send(TextMessage(json.dumps(document)))

    def _send(self, event: Event) -> None:
        self.connection.sendall(self.protocol.send(event))
