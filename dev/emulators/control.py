"""The control API for tests and the demo, plain HTTP: reads what phones show, sets faults.

GET  /phones                    the phones of the table and their lock screens
PUT  /phones/{token}            fields of table.Label: adds it to the table
GET  /phones/{token}            the alerts it showed and its lock screen; by its push-to-start token, the Live
                                Activities
POST /phones/{token}/offline    unreachable until /online
GET  /counts                    pushes accepted, by target
PUT  /faults/{apns|fcm|channels}   fields of faults.Faults
PUT  /streams                   {"streams": n}: MAX_CONCURRENT_STREAMS of every proven APNs connection
PUT  /tokens/apns/{token}       {"status": 410, "reason": "Unregistered", "timestamp": ms}; {} makes it good again
PUT  /tokens/fcm/{token}        {"code": "UNREGISTERED"}; {} makes it good again
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from dev.emulators.apns import ApnsEmulator
from dev.emulators.channels import ChannelsEmulator
from dev.emulators.faults import Faults
from dev.emulators.fcm import FcmEmulator
from dev.emulators.journal import AcceptedPush
from dev.emulators.phone import history, phone_of
from dev.emulators.table import Label, Table
from dev.emulators.wire import EmulatorAnswer, EmulatorRequest, ServerConnection, json_answer

_ANY_ORIGIN = {"access-control-allow-origin": "*", "cache-control": "no-store"}


class Control:
    def __init__(self, apns: ApnsEmulator, fcm: FcmEmulator, channels: ChannelsEmulator) -> None:
        self.apns, self.fcm = apns, fcm
        self.journal = apns.journal
        self.table = Table(self.journal, apns.clock)
        self.faults = Faults()
        self.services: dict[str, ApnsEmulator | FcmEmulator | ChannelsEmulator] = {
            "apns": apns,
            "fcm": fcm,
            "channels": channels,
        }

    def opened(self, connection: ServerConnection) -> None:
        pass

    def closed(self, _link: ServerConnection) -> None:
        pass

    def flush(self) -> None:
        self.journal.write()

    def answer(self, _link: ServerConnection, request: EmulatorRequest) -> EmulatorAnswer:
        document = json.loads(request.body or b"{}")
        match (request.method, request.path.strip("/").split("/")):
            case ("GET", ["phones"]):
                return json_answer(200, self.table.seen(), **_ANY_ORIGIN)
            case ("PUT", ["phones", token]):
                self.table.lay(token, Label(**document))
            case ("GET", ["phones", token]):
                return json_answer(200, self._phone(token), **_ANY_ORIGIN)
            case ("POST", ["phones", token, "offline" | "online" as state]):
                self.journal.add(AcceptedPush(self.apns.clock(), "phone", token, state, "", 0.0, {}))
            case ("GET", ["counts"]):
                return json_answer(200, self.journal.counts(), **_ANY_ORIGIN)
            case ("PUT", ["faults", service]) if service in self.services:
                names = {field.name for field in fields(Faults)}
                self.services[service].faults = Faults(**{name: n for name, n in document.items() if name in names})
            case ("PUT", ["streams"]):
                self.apns.allow(int(document["streams"]))
            case ("PUT", ["tokens", service, token]):
                self._mark(service, token, document)
            case _:
                return json_answer(404, {"error": "no such path"})
        return EmulatorAnswer(204)

    def _phone(self, token: str) -> dict[str, Any]:
        phone = phone_of(history(self.journal, token), self.apns.clock())
        return {
            "alerts": [asdict(shown) for shown in phone.alerts],
            "screen": [asdict(shown) for shown in phone.screen.values()],
            "activities": [asdict(activity) for activity in phone.activities.values()],
            "repeats": phone.repeats,
            "late": phone.late,
        }

    def _mark(self, service: str, token: str, document: dict[str, Any]) -> None:
        if service == "fcm":
            self.fcm.rules.tokens.pop(token, None)
            self.fcm.rules.tokens |= {token: document["code"]} if document else {}
        else:
            self.apns.rules.tokens.pop(token, None)
            verdict = (document.get("status", 400), document.get("reason", ""), document.get("timestamp"))
            self.apns.rules.tokens |= {token: verdict} if document else {}
