"""Emulated services beside the embedded run: Apple's and Google's pushes, and score providers without a key."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import certifi

from config import Settings, words
from db.domain.errors import Refused

ROOT = Path(__file__).resolve().parents[1]
# Recordings that are not part of the repository.
RECORDINGS = ROOT.parent / "shared" / "data"
NEEDED_KEYS = {"sportradar": "sportradar_key", "statsperform": "statsperform_outlet_key"}


@contextmanager
def push_services(settings: Settings, var: Path, environment: dict[str, str]) -> Iterator[None]:
    """Emulated APNs and FCM with emulated phones, unless keys to the real services are set."""
    if settings.apns_key or settings.fcm_credentials or settings.push == "null":
        yield
        return
    command = [sys.executable, "-m", "dev.emulators", "--var", str(var / "emulators")]
    command += ["--pace", str(max(1.0, settings.demo_speed))] if settings.demo else []
    with _running(command, environment, "the push emulators did not start. PUSH=null runs without them."):
        environment["PUSH_CA"] = str(_trusted(var / "emulators", Path(environment["PUSH_CA"])))
        yield


def _trusted(folder: Path, emulators: Path) -> Path:
    """Certificates of the emulators and of everybody else: browsers of this machine subscribe with their own services,
    which take any key."""
    bundle = folder / "trusted.pem"
    bundle.write_text(Path(certifi.where()).read_text() + emulators.read_text())
    return bundle


@contextmanager
def providers(settings: Settings, environment: dict[str, str]) -> Iterator[None]:
    """Emulated providers for the feeds of FEEDS that need a key and have none."""
    feeds = [name for name in words(settings.feeds) if name in NEEDED_KEYS and not getattr(settings, NEEDED_KEYS[name])]
    if not feeds:
        yield
        return
    if not RECORDINGS.exists():
        needed = " and ".join(NEEDED_KEYS[name].upper() for name in feeds)
        raise Refused(f"FEEDS={settings.feeds} needs {needed}, or recordings for the emulators in {RECORDINGS}.")
    command = [sys.executable, "-m", "dev.providers", str(RECORDINGS), "--speed", str(settings.demo_speed)]
    with _running(command, environment, "the emulated providers did not start."):
        yield


@contextmanager
def _running(command: list[str], environment: dict[str, str], failure: str) -> Iterator[None]:
    """The process, and the settings that it prints as its first line."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True)
    try:
        variables = json.loads(process.stdout.readline() or b"{}") if process.stdout else {}
        if not variables:
            raise Refused(failure)
        environment |= {name.upper(): value for name, value in variables.items()}
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)
