"""A door for tests and the demo, plain HTTP: what phones show, and what is to go wrong.

GET  /phones                    the phones on the table, and what stands on their lock screens
PUT  /phones/{token}            fields of table.Label: lays it on the table
GET  /phones/{token}            the alerts it showed and what stands on its screen; by its push-to-start token, the
                                Live Activities
POST /phones/{token}/offline    out of reach, until /online
GET  /counts                    pushes accepted, by target
PUT  /faults/{apns|fcm|channels}   fields of wire.Faults
PUT  /streams                   {"streams": n}: MAX_CONCURRENT_STREAMS of every proven APNs connection
PUT  /tokens/apns/{token}       {"status": 410, "reason": "Unregistered", "timestamp": ms}; {} makes it good again
PUT  /tokens/fcm/{token}        {"code": "UNREGISTERED"}; {} makes it good again
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from dev.emulators.apns import ApnsEmulator
from dev.emulators.channels import Management
from dev.emulators.faults import Faults
from dev.emulators.fcm import FcmEmulator
from dev.emulators.journal import AcceptedPush
from dev.emulators.phone import history, phone_of
from dev.emulators.table import Label, Table
from dev.emulators.wire import EmulatorAnswer, EmulatorRequest, Link, said

_ANYONE = {"access-control-allow-origin": "*", "cache-control": "no-store"}


class Control:
    def __init__(self, apns: ApnsEmulator, fcm: FcmEmulator, management: Management) -> None:
        self.apns, self.fcm = apns, fcm
        self.ledger = apns.ledger
        self.table = Table(self.ledger, apns.clock)
        self.faults = Faults()
        self.services: dict[str, ApnsEmulator | FcmEmulator | Management] = {
            "apns": apns,
            "fcm": fcm,
            "channels": management,
        }

    def opened(self, link: Link) -> None:
        pass

    def closed(self, _link: Link) -> None:
        pass

    def settle(self) -> None:
        self.ledger.write()

    def answer(self, _link: Link, asked: EmulatorRequest) -> EmulatorAnswer:
        document = json.loads(asked.body or b"{}")
        match (asked.method, asked.path.strip("/").split("/")):
            case ("GET", ["phones"]):
                return said(200, self.table.seen(), **_ANYONE)
            case ("PUT", ["phones", token]):
                self.table.lay(token, Label(**document))
            case ("GET", ["phones", token]):
                return said(200, self._phone(token), **_ANYONE)
            case ("POST", ["phones", token, "offline" | "online" as state]):
                self.ledger.add(AcceptedPush(self.apns.clock(), "phone", token, state, "", 0.0, {}))
            case ("GET", ["counts"]):
                return said(200, self.ledger.counts(), **_ANYONE)
            case ("PUT", ["faults", service]) if service in self.services:
                known = {f.name for f in fields(Faults)}
                self.services[service].faults = Faults(**{name: n for name, n in document.items() if name in known})
            case ("PUT", ["streams"]):
                self.apns.allow(int(document["streams"]))
            case ("PUT", ["tokens", service, token]):
                self._mark(service, token, document)
            case _:
                return said(404, {"error": "no such door"})
        return EmulatorAnswer(204)

    def _phone(self, token: str) -> dict[str, Any]:
        phone = phone_of(history(self.ledger, token), self.apns.clock())
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
