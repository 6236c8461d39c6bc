"""`python -m dev.emulators --var DIR`: APNs, its channel API, FCM and the control door on ports of this machine.

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
from dev.emulators.channels import ChannelsEmulator, Management
from dev.emulators.control import Control
from dev.emulators.fcm import FcmEmulator, FcmRules
from dev.emulators.journal import PushJournal
from dev.emulators.keys import Keys
from dev.emulators.oauth import OAuth
from dev.emulators.wire import Link, Service, tls_context

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """0 takes a free one."""

    apns: int = 0
    channels: int = 0
    fcm: int = 0
    control: int = 0


async def serve(var: Path, ports: Ports, pace: float) -> None:
    made, ledger = Keys(var), PushJournal(var / "pushes.db")
    apns = ApnsEmulator(
        ApnsRules(keys.BUNDLE, {keys.KEY_ID: (keys.TEAM, made.apns_public)}), ledger, ChannelsEmulator()
    )
    management = Management(apns)
    only_h2 = tls_context(str(made.cert), str(made.tls_key), "h2")
    both = tls_context(str(made.cert), str(made.tls_key), "h2", "http/1.1")
    listening = {
        "apns": await _listen(apns, ports.apns, only_h2),
        "channels": await _listen(management, ports.channels, only_h2),
    }
    # FCM's own address is a claim of the assertions it checks, so it is known before the service is made.
    fcm_port = ports.fcm or _free_port()
    fcm_url = f"https://{HOST}:{fcm_port}"
    oauth = OAuth(keys.ACCOUNT, made.fcm_public, f"{fcm_url}/token", apns.clock)
    fcm = FcmEmulator(FcmRules(keys.PROJECT, pace=pace), ledger, oauth)
    await _listen(fcm, fcm_port, both)
    control = await _listen(Control(apns, fcm, management), ports.control, None)
    settings = {
        "apns_url": f"https://{HOST}:{listening['apns']}",
        "apns_channels_url": f"https://{HOST}:{listening['channels']}",
        "apns_team": keys.TEAM,
        "apns_key_id": keys.KEY_ID,
        "apns_key": made.apns_key.read_text(),
        "apns_bundle": keys.BUNDLE,
        "fcm_url": fcm_url,
        "fcm_credentials": made.service_account(f"{fcm_url}/token"),
        "push_ca": str(made.cert),
        "control_url": f"http://{HOST}:{control}",
        "ledger": str(var / "pushes.db"),
    }
    print(json.dumps(settings), flush=True)
    await _told_to_end()
    ledger.close()


async def _listen(service: Service, port: int, tls: ssl.SSLContext | None) -> int:
    server = await asyncio.get_running_loop().create_server(lambda: Link(service), HOST, port, ssl=tls)
    return int(server.sockets[0].getsockname()[1])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


async def _told_to_end() -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.emulators", description=__doc__)
    parser.add_argument("--var", type=Path, default=Path("var/emulators"), help="folder of the keys and the ledger")
    for name in ("apns", "channels", "fcm", "control"):
        parser.add_argument(f"--{name}-port", type=int, default=0, help="0: a free one")
    parser.add_argument("--pace", type=float, default=1.0, help="match minutes a minute, for quotas of a phone")
    asked = parser.parse_args()
    ports = Ports(asked.apns_port, asked.channels_port, asked.fcm_port, asked.control_port)
    asyncio.run(serve(asked.var, ports, asked.pace))
    return 0


if __name__ == "__main__":
    sys.exit(main())
