"""`python -m dev.emulators --var DIR`: all push services on ports of this machine, and the control API.

Prints one JSON line once all of them listen: the settings that point at them. SIGTERM ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path

from dev.emulators import keys
from dev.emulators.apns import ApnsEmulator, ApnsRules
from dev.emulators.channels import ChannelsEmulator, ChannelStore
from dev.emulators.control import Control
from dev.emulators.fcm import FcmEmulator, FcmRules
from dev.emulators.journal import PushJournal
from dev.emulators.keys import Keys
from dev.emulators.oauth import OAuth
from dev.emulators.webpush import WebPushEmulator
from dev.emulators.wire import ServerConnection, Service, tls_context

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """0 takes a free one."""

    apns: int = 0
    channels: int = 0
    fcm: int = 0
    webpush: int = 0
    control: int = 0


async def serve(var: Path, ports: Ports, pace: float) -> None:
    key_files, journal = Keys(var), PushJournal(var / "pushes.db")
    apns_keys = {keys.KEY_ID: (keys.TEAM, key_files.apns_public)}
    store = ChannelStore()
    apns = ApnsEmulator(ApnsRules(keys.BUNDLE, apns_keys), journal, store)
    channels = ChannelsEmulator(keys.BUNDLE, apns_keys, store)
    only_h2 = tls_context(str(key_files.cert), str(key_files.tls_key), "h2")
    both = tls_context(str(key_files.cert), str(key_files.tls_key), "h2", "http/1.1")
    apns_port = await _listen(apns, ports.apns, only_h2)
    channels_port = await _listen(channels, ports.channels, only_h2)
    # The assertions FCM checks name its own address, so the port is chosen first.
    fcm_port = ports.fcm or _free_port()
    fcm_url = f"https://{HOST}:{fcm_port}"
    oauth = OAuth(keys.ACCOUNT, key_files.fcm_public, f"{fcm_url}/token", apns.clock)
    fcm = FcmEmulator(FcmRules(keys.PROJECT, pace=pace), journal, oauth)
    await _listen(fcm, fcm_port, both)
    only_http1 = tls_context(str(key_files.cert), str(key_files.tls_key), "http/1.1")
    fcm_http1_port = await _listen(fcm, 0, only_http1)
    webpush_port = ports.webpush or _free_port()
    # A name, for the products under test call push services by name.
    webpush = WebPushEmulator(f"https://localhost:{webpush_port}", journal)
    await _listen(webpush, webpush_port, both)
    control_port = await _listen(Control(apns, fcm, channels, webpush), ports.control, None)
    settings = {
        "apns_url": f"https://{HOST}:{apns_port}",
        "apns_channels_url": f"https://{HOST}:{channels_port}",
        "apns_team": keys.TEAM,
        "apns_key_id": keys.KEY_ID,
        "apns_key": key_files.apns_key.read_text(),
        "apns_bundle": keys.BUNDLE,
        "fcm_url": fcm_url,
        "fcm_http1_url": f"https://{HOST}:{fcm_http1_port}",
        "fcm_credentials": key_files.service_account(f"{fcm_url}/token"),
        "webpush_url": webpush.origin,
        "push_ca": str(key_files.cert),
        "control_url": f"http://{HOST}:{control_port}",
        "ledger": str(var / "pushes.db"),
    }
    print(json.dumps(settings), flush=True)
    await _termination()
    journal.close()


async def _listen(service: Service, port: int, tls: ssl.SSLContext | None) -> int:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ServerConnection(service), HOST, port, ssl=tls)
    return int(server.sockets[0].getsockname()[1])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


async def _termination() -> None:
    """Returns on SIGTERM or SIGINT."""
    received = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, received.set)
    await received.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.emulators", description=__doc__)
    parser.add_argument("--var", type=Path, default=Path("var/emulators"), help="folder of the keys and the journal")
    for name in ("apns", "channels", "fcm", "webpush", "control"):
        parser.add_argument(f"--{name}-port", type=int, default=0, help="0: a free one")
    parser.add_argument("--pace", type=float, default=1.0, help="match minutes a minute, for quotas of a phone")
    options = parser.parse_args()
    ports = Ports(
        options.apns_port, options.channels_port, options.fcm_port, options.webpush_port, options.control_port
    )
    asyncio.run(serve(options.var, ports, options.pace))
    return 0


if __name__ == "__main__":
    sys.exit(main())
