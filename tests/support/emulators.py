"""APNs and FCM for tests: the emulators in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from db.domain import Device, Platform
from notify.transports.apns import Apns
from notify.transports.channels import Channels
from notify.transports.fcm import Fcm
from notify.transports.signature import Key
from notify.transports.webpush import WebPush
from tests.support.paths import ROOT

# What an answer may take unless a test says so: on a machine that does much else, a good one may take many seconds.
PATIENT_S = 60.0


class Emulated:
    """settings: what the emulators print, the addresses and keys to reach them by."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.session = requests.Session()
        self.settings: dict[str, str] = {}
        self.start()

    def start(self) -> None:
        """Again on the same ports, with the same keys and ledger, where it ran before."""
        command = [sys.executable, "-m", "dev.emulators", "--var", str(self.folder)]
        urls = {"apns": "apns_url", "channels": "apns_channels_url", "fcm": "fcm_url", "webpush": "webpush_url"}
        for service, url in urls.items():
            if url in self.settings:
                command += [f"--{service}-port", self.settings[url].rsplit(":", 1)[1]]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
        assert self.process.stdout
        self.settings = json.loads(self.process.stdout.readline())

    def __getattr__(self, name: str) -> str:
        return self.settings[name]

    def kill(self) -> None:
        assert self.process.stdout
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self) -> None:
        self.session.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    @property
    def _client(self) -> dict[str, Any]:
        return {"ca": self.push_ca, "answer_s": PATIENT_S}

    def apns(self, **options: Any) -> Apns:
        key = Key(self.apns_team, self.apns_key_id, self.settings["apns_key"])
        return Apns(key, self.apns_bundle, **{"url": self.apns_url, **self._client, **options})

    def channels(self, apns: Apns) -> Channels:
        return Channels(apns.signature, self.apns_bundle, url=self.apns_channels_url, ca=self.push_ca)

    def fcm(self, **options: Any) -> Fcm:
        return Fcm(self.fcm_credentials, **{"url": self.fcm_url, **self._client, **options})

    def subscribe(self, fcm: Fcm, token: str, topic: str) -> int:
        """As an app does for itself; returns the status."""
        url = f"{self.fcm_url}{urlsplit(fcm.url).path.removesuffix('/messages:send')}/registrations/{token}"
        headers = {"authorization": fcm.bearer.headers[0].removeprefix("authorization: ")}
        response = self.session.post(
            f"{url}/topicSubscriptions", params={"topic_name": topic}, headers=headers, verify=self.push_ca, timeout=5
        )
        return response.status_code

    def listen(self, token: str, *topics: str) -> None:
        """The same without the app."""
        self._control("PUT", f"/phones/{token}/topics", {"topics": topics})

    def webpush(self, key: str, **options: Any) -> WebPush:
        return WebPush(key, "operator@example.org", **{"services": ("localhost",), **self._client, **options})

    def browser(self, application_server_key: str) -> Device:
        """A browser that subscribed."""
        document = {"application_server_key": application_server_key}
        subscription = self._control("POST", "/subscriptions", document).json()
        name = subscription["endpoint"].rsplit("/", 1)[1]
        return Device(Platform.WEB, name, endpoint=subscription["endpoint"], **subscription["keys"])

    def set_faults(self, service: str, **faults: float | str) -> None:
        """In place of those before; none without."""
        self._control("PUT", f"/faults/{service}", faults)

    def mark(self, service: str, token: str, **verdict: Any) -> None:
        """Make a token bad, or good again without a verdict."""
        self._control("PUT", f"/tokens/{service}/{token}", verdict)

    def allow_streams(self, streams: int) -> None:
        self._control("PUT", "/streams", {"streams": streams})

    def change_settings(self, **values: int) -> None:
        """HTTP/2 SETTINGS of the APNs connections there are."""
        self._control("PUT", "/settings", values)

    def phone(self, token: str) -> dict[str, Any]:
        """What it showed and shows: alerts, screen, repeats, rings, late."""
        return dict(self._control("GET", f"/phones/{token}").json())

    def turn(self, token: str, state: str) -> None:
        """A phone goes `offline` or `online`."""
        self._control("POST", f"/phones/{token}/{state}")

    def counts(self) -> dict[str, int]:
        """Pushes accepted, by target."""
        return dict(self._control("GET", "/counts").json())

    def _control(self, method: str, path: str, document: Any = None) -> requests.Response:
        response = self.session.request(method, self.control_url + path, json=document, timeout=10)
        response.raise_for_status()
        return response


@pytest.fixture(scope="session")
def emulators_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    emulated = Emulated(tmp_path_factory.mktemp("emulators"))
    yield emulated
    emulated.stop()


@pytest.fixture
def emulators(emulators_process: Emulated) -> Emulated:
    """In good order; what earlier tests sent is in their ledger still, so tests use tokens of their own."""
    for service in ("apns", "fcm", "channels", "webpush"):
        emulators_process.set_faults(service)
    emulators_process.allow_streams(1000)
    return emulators_process
