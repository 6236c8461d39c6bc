"""APNs and FCM for tests: the emulators in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from notify.transports.apns import Apns
from notify.transports.channels import Channels
from notify.transports.fcm import Fcm
from notify.transports.signature import Key
from tests.support.paths import ROOT


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
        for name, known in (("apns", "apns_url"), ("channels", "apns_channels_url"), ("fcm", "fcm_url")):
            if known in self.settings:
                command += [f"--{name}-port", self.settings[known].rsplit(":", 1)[1]]
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

    def apns(self, **options: Any) -> Apns:
        key = Key(self.apns_team, self.apns_key_id, self.settings["apns_key"])
        return Apns(key, self.apns_bundle, **{"url": self.apns_url, "ca": self.push_ca, **options})

    def channels(self, apns: Apns) -> Channels:
        return Channels(apns.signature, self.apns_bundle, url=self.apns_channels_url, ca=self.push_ca)

    def fcm(self, **options: Any) -> Fcm:
        return Fcm(self.fcm_credentials, **{"url": self.fcm_url, "ca": self.push_ca, **options})

    def go_wrong(self, service: str, **faults: int | str) -> None:
        self._door("PUT", f"/faults/{service}", faults)

    def mark(self, service: str, token: str, **verdict: Any) -> None:
        """Make a token bad, or good again without a verdict."""
        self._door("PUT", f"/tokens/{service}/{token}", verdict)

    def allow_streams(self, streams: int) -> None:
        self._door("PUT", "/streams", {"streams": streams})

    def phone(self, token: str) -> dict[str, Any]:
        """What it showed and shows: alerts, screen, repeats, late."""
        return dict(self._door("GET", f"/phones/{token}").json())

    def turn(self, token: str, state: str) -> None:
        """A phone goes `offline` or `online`."""
        self._door("POST", f"/phones/{token}/{state}")

    def counts(self) -> dict[str, int]:
        """Pushes accepted, by target."""
        return dict(self._door("GET", "/counts").json())

    def _door(self, method: str, path: str, document: Any = None) -> requests.Response:
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
    for service in ("apns", "fcm", "channels"):
        emulators_process.go_wrong(service)
    emulators_process.allow_streams(1000)
    return emulators_process
