"""TLS to an origin on the internet, such as Heroku: Varnish 7.1 speaks plain HTTP to origins, stunnel does the rest."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from db.domain.errors import Refused

INSTALL = "apt-get install --no-install-recommends stunnel4"
# Debian's package ca-certificates.
CA_FILE = Path("/etc/ssl/certs/ca-certificates.crt")
FIRST_PORT = 8_443

# stunnel(8). `delay` looks the name up at each connection: Heroku's addresses change.
CONFIGURATION = """\
foreground = yes
pid =
debug = warning
[origin]
client = yes
accept = 127.0.0.1:{port}
connect = {host}:{remote_port}
delay = yes
sni = {host}
verifyChain = yes
CAfile = {ca_file}
checkHost = {host}
sslVersionMin = TLSv1.2
TIMEOUTconnect = 2
"""


@dataclass(frozen=True, slots=True)
class Tunnel:
    """From a port of this machine to an origin.

    host: the origin's name, which its certificate must carry.
    remote_port: the origin's port.
    port: the local port.
    ca_file: the certificates it is verified by.
    """

    host: str
    remote_port: int
    port: int
    ca_file: Path

    def command(self, folder: Path) -> list[str]:
        """Raises Refused where there is no stunnel, with the line that installs it."""
        path = shutil.which("stunnel") or shutil.which("stunnel4")
        if path is None:
            raise Refused(f"an https origin needs stunnel. {INSTALL}")
        return [path, str(self._file(folder))]

    def prepare(self, folder: Path) -> None:
        self._file(folder).write_text(
            CONFIGURATION.format(port=self.port, host=self.host, remote_port=self.remote_port, ca_file=self.ca_file)
        )

    def _file(self, folder: Path) -> Path:
        return folder / f"stunnel-{self.port}.conf"
