"""The purge backend that CDN names, with its credentials from the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from cdn.backends.base import Backend
from cdn.backends.bunny import Bunny
from cdn.backends.cloudflare import Cloudflare
from cdn.backends.cloudfront import CloudFront
from cdn.backends.fastly import Fastly
from cdn.backends.null import NullBackend
from cdn.backends.varnish import Varnish
from db.domain.errors import Refused


class Credentials(Protocol):
    """The part of config.Settings that is needed here; this package does not import it."""

    @property
    def cdn(self) -> str: ...


# The settings that each CDN requires.
NEEDS = {
    "null": (),
    "varnish": ("varnish_urls", "edge_purge_secret"),
    "fastly": ("fastly_service_id", "fastly_api_token"),
    "cloudflare": ("cloudflare_zone_id", "cloudflare_api_token"),
    "cloudfront": ("cloudfront_distribution_id",),
    "bunny": ("bunny_pull_zone_id", "bunny_api_key"),
}
_BUILD: dict[str, Callable[[Any], Backend]] = {
    "null": lambda _: NullBackend(),
    "varnish": lambda s: Varnish(s.varnish_urls.replace(",", " ").split(), s.edge_purge_secret),
    "fastly": lambda s: Fastly(s.fastly_service_id, s.fastly_api_token),
    "cloudflare": lambda s: Cloudflare(s.cloudflare_zone_id, s.cloudflare_api_token, s.cloudflare_plan),
    "cloudfront": lambda s: CloudFront(
        s.cloudfront_distribution_id, s.aws_access_key_id, s.aws_secret_access_key, s.aws_session_token
    ),
    "bunny": lambda s: Bunny(s.bunny_pull_zone_id, s.bunny_api_key),
}


def check(settings: Credentials) -> None:
    """Raises Refused for an unknown CDN, and names each setting that is missing."""
    if settings.cdn not in NEEDS:
        raise Refused(f"CDN={settings.cdn!r} is not known; there are {', '.join(NEEDS)}.")
    missing = [name.upper() for name in NEEDS[settings.cdn] if not getattr(settings, name)]
    if missing:
        raise Refused(f"CDN={settings.cdn} also needs {' and '.join(missing)} (docs/edge.md).")


def chosen(settings: Credentials) -> Backend:
    check(settings)
    return _BUILD[settings.cdn](settings)
