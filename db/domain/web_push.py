"""Which URLs are endpoints of a browser's push service."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

# Whoever subscribes names the URL we are to call, so it must be a push service's: Chrome and Edge (which got endpoints
# on jmt17.google.com in 2025), Firefox, Safari, old Edge. A name matches itself and what is below it.
PUSH_SERVICES = (
    "fcm.googleapis.com",
    "jmt17.google.com",
    "push.services.mozilla.com",
    "push.apple.com",
    "notify.windows.com",
)
# What a URL is made of (RFC 3986). The URL libraries take more, each something else: a tab is dropped by one and
# refused by the next.
_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*")


def is_push_endpoint(url: str, services: Collection[str] = PUSH_SERVICES) -> bool:
    """services: host names."""
    if not _URL.fullmatch(url):
        return False
    host = urlsplit(url).hostname or ""
    return any(host == name or host.endswith(f".{name}") for name in services)


def services_at(emulator: str) -> tuple[str, ...]:
    """The services of browsers, and the emulator's where its address is set."""
    return (*PUSH_SERVICES, urlsplit(emulator).hostname or "") if emulator else PUSH_SERVICES
