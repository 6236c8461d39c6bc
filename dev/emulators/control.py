"""The control API for tests and the demo, plain HTTP: reads what phones show, sets faults.

GET  /phones                    the phones of the table and their lock screens
PUT  /phones/{token}            fields of table.Label: adds it to the table
GET  /phones/{token}            the alerts it showed and its lock screen; by its push-to-start token, the Live
                                Activities
POST /phones/{token}/offline    unreachable until /online
GET  /counts                    pushes accepted, by target
GET  /repeats                   of these, pushes that said again what an earlier one had said, by target
PUT  /faults/{service}          of apns, fcm, channels and webpush: fields of faults.Faults
PUT  /streams                   {"streams": n}: MAX_CONCURRENT_STREAMS of every proven APNs connection
PUT  /settings                  {"header_table_size": n, "initial_window_size": n}: SETTINGS of every APNs connection
PUT  /tokens/apns/{token}       {"status": 410, "reason": "Unregistered", "timestamp": ms}, or {"environment": "other"};
                                {} makes it good again
PUT  /tokens/fcm/{token}        {"code": "UNREGISTERED"}; {} makes it good again
PUT  /phones/{token}/topics     {"topics": […]}: FCM topics that its app listens to from now on
POST /subscriptions             {"application_server_key": …, "name": …}: what PushManager.subscribe() gives a page;
                                name: of an earlier one that this replaces
PUT  /tokens/webpush/{id}       {"status": 410, "retry_after_s": n}; {} makes it good again
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from hyperframe.frame import SettingsFrame

from dev.emulators.apns import ApnsEmulator
from dev.emulators.channels import ChannelsEmulator
from dev.emulators.exchange import EmulatorAnswer, EmulatorRequest, json_answer
from dev.emulators.faults import Faults
from dev.emulators.fcm import FcmEmulator
from dev.emulators.journal import AcceptedPush
from dev.emulators.phone import history, phone_of
from dev.emulators.table import Label, Table
from dev.emulators.webpush import WebPushEmulator
from dev.emulators.wire import ServerConnection, Service

_SETTINGS = {
    "header_table_size": SettingsFrame.HEADER_TABLE_SIZE,
    "initial_window_size": SettingsFrame.INITIAL_WINDOW_SIZE,
}
_NOT_FOUND = json_answer(404, {"error": "no such path"})
_ANY_ORIGIN = {"access-control-allow-origin": "*", "cache-control": "no-store"}


class Control:
    def __init__(
        self, apns: ApnsEmulator, fcm: FcmEmulator, channels: ChannelsEmulator, webpush: WebPushEmulator
    ) -> None:
        self.apns, self.fcm, self.webpush = apns, fcm, webpush
        self.journal = apns.journal
        self.table = Table(self.journal, apns.clock)
        self.faults = Faults()
        self.services: dict[str, Service] = {
            "apns": apns,
            "fcm": fcm,
            "channels": channels,
            "webpush": webpush,
        }

    def opened(self, connection: ServerConnection) -> None:
        pass

    def closed(self, _connection: ServerConnection) -> None:
        pass

    def flush(self) -> None:
        self.journal.write()

    def answer(self, _connection: ServerConnection, request: EmulatorRequest) -> EmulatorAnswer:
        parts = request.path.strip("/").split("/")
        if request.method == "GET":
            document = self._read(parts)
            return _NOT_FOUND if document is None else json_answer(200, document, **_ANY_ORIGIN)
        body = json.loads(request.body or b"{}")
        if (request.method, parts) == ("POST", ["subscriptions"]):
            return json_answer(200, self.webpush.subscribe(**body), **_ANY_ORIGIN)
        return EmulatorAnswer(204) if self._change(request.method, parts, body) else _NOT_FOUND

    def _read(self, parts: list[str]) -> dict[str, Any] | None:
        match parts:
            case ["phones"]:
                return self.table.seen()
            case ["phones", token]:
                return self._phone(token)
            case ["counts"]:
                return dict(self.journal.counts())
            case ["repeats"]:
                return dict(self.journal.repeats())
        return None

    def _change(self, method: str, parts: list[str], body: dict[str, Any]) -> bool:
        """False where there is nothing of that name."""
        match (method, parts):
            case ("PUT", ["phones", token]):
                self.table.lay(token, Label(**body))
            case ("PUT", ["phones", token, "topics"]):
                for topic in body["topics"]:
                    self.fcm.topics.add(token, topic)
            case ("POST", ["phones", token, "offline" | "online" as state]):
                self.journal.add(AcceptedPush(self.apns.clock(), "phone", token, state, "", 0.0, {}))
            case ("PUT", ["faults", service]) if service in self.services:
                names = {field.name for field in fields(Faults)}
                self.services[service].faults = Faults(**{name: n for name, n in body.items() if name in names})
            case ("PUT", ["streams"]):
                self.apns.allow(int(body["streams"]))
            case ("PUT", ["settings"]):
                self.apns.change_settings({_SETTINGS[name]: int(value) for name, value in body.items()})
            case ("PUT", ["tokens", service, token]):
                self._mark(service, token, body)
            case _:
                return False
        return True

    def _phone(self, token: str) -> dict[str, Any]:
        phone = phone_of(history(self.journal, token), self.apns.clock())
        return {
            "alerts": [asdict(shown) for shown in phone.alerts],
            "screen": [asdict(shown) for shown in phone.screen.values()],
            "activities": [asdict(activity) for activity in phone.activities.values()],
            "repeats": phone.repeats,
            "rings": phone.rings,
            "late": phone.late,
        }

    def _mark(self, service: str, token: str, document: dict[str, Any]) -> None:
        if service == "fcm":
            self.fcm.rules.tokens.pop(token, None)
            self.fcm.rules.tokens |= {token: document["code"]} if document else {}
        elif service == "webpush":
            self.webpush.refusals.pop(token, None)
            if document:
                self.webpush.refusals[token] = (document["status"], document.get("retry_after_s", 0))
        else:
            self.apns.rules.tokens.pop(token, None)
            self.apns.rules.tokens_elsewhere.discard(token)
            if document.pop("environment", None):
                self.apns.rules.tokens_elsewhere.add(token)
            verdict = (document.get("status", 400), document.get("reason", ""), document.get("timestamp"))
            self.apns.rules.tokens |= {token: verdict} if document else {}
