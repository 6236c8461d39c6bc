"""Configuration of other people's edges, generated from the table of routes: one file a vendor.

`flask edge config VENDOR` prints one; deploy/cdn/ has each with its defaults, and a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cdn.configuration import bunny, caddy, cloudflare, cloudfront, fastly, fastly_service, nginx


@dataclass(frozen=True, slots=True)
class Configuration:
    """The file of one vendor.

    file: its name in deploy/cdn/.
    render: its text for an origin, host:port, and the name that readers use.
    origin: of the file in deploy/cdn/.
    """

    file: str
    render: Callable[[str, str], str]
    origin: str = "origin.example.com:443"


HOST = "scores.example.com"

CONFIGURATIONS = {
    "bunny": Configuration("bunny.json", bunny.render),
    "caddy": Configuration("Caddyfile", caddy.render, "127.0.0.1:8000"),
    "cloudflare": Configuration("cloudflare.json", cloudflare.render),
    "cloudfront": Configuration("cloudfront.yaml", cloudfront.render),
    "fastly": Configuration("fastly.vcl", fastly.render),
    "fastly-service": Configuration("fastly.tf.json", fastly_service.render),
    "nginx": Configuration("nginx.conf", nginx.render, "127.0.0.1:8000"),
}
