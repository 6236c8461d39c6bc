"""The public half of the key that alerts to browsers are signed by (RFC 8292)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import cast

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key


def public_key(private_key: str) -> str:
    """The uncompressed point as unpadded base64url (RFC 8292, 3.2), as browsers take it.

    private_key: PEM, of the curve P-256; checked when the settings were read.
    """
    key = cast(ec.EllipticCurvePrivateKey, load_pem_private_key(private_key.encode(), None))
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return urlsafe_b64encode(point).rstrip(b"=").decode()
