"""Configuration of other people's edges, generated from the table of routes: one file a vendor.

`flask edge config VENDOR` prints one; deploy/cdn/ has each with its defaults, and a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cdn.configuration import fastly, nginx


@dataclass(frozen=True, slots=True)
class Configuration:
    """The file of one vendor.

    file: its name in deploy/cdn/.
    render: its text for an origin, host:port.
    origin: of the file in deploy/cdn/.
    """

    file: str
    render: Callable[[str], str]
    origin: str


CONFIGURATIONS = {
    "fastly": Configuration("fastly.vcl", fastly.render, "scores.example.com:443"),
    "nginx": Configuration("nginx.conf", nginx.render, "127.0.0.1:8000"),
}
