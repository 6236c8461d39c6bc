"""Which URLs are endpoints of a browser's push service, and which keys a message can be encrypted for."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
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
# The curve of a subscription's key, P-256 (FIPS 186-4, D.1.2.3): y² = x³ - 3x + b, in whole numbers modulo a prime.
_PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def is_push_endpoint(url: str, services: Collection[str] = PUSH_SERVICES) -> bool:
    """services: host names."""
    if not _URL.fullmatch(url):
        return False
    host = urlsplit(url).hostname or ""
    return any(host == name or host.endswith(f".{name}") for name in services)


def services_at(emulator: str) -> tuple[str, ...]:
    """The services of browsers, and the emulator's where its address is set."""
    return (*PUSH_SERVICES, urlsplit(emulator).hostname or "") if emulator else PUSH_SERVICES


def is_public_key(text: str) -> bool:
    """A point of the curve, uncompressed and in base64url (RFC 8291, 3.1: `p256dh`)."""
    point = _decoded(text)
    if len(point) != 65 or point[0] != 4:
        return False
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    return max(x, y) < _PRIME and (y**2 - x**3 + 3 * x - _B) % _PRIME == 0


def is_auth_secret(text: str) -> bool:
    """16 bytes in base64url (RFC 8291, 3.2: `auth`)."""
    return len(_decoded(text)) == 16


def _decoded(text: str) -> bytes:
    """Empty for what is no base64."""
    bare = text.rstrip("=")
    try:
        return urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except ValueError:
        return b""
