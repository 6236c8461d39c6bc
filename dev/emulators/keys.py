"""The keys both sides need, made once in a folder: TLS, an APNs key, a service account, a VAPID pair."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

TEAM, KEY_ID, BUNDLE, PROJECT = "EMULATEDTM", "EMULATEDK1", "com.example.scores", "scores-emulated"
ACCOUNT = f"push@{PROJECT}.iam.gserviceaccount.com"
_Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Keys:
    """Files under `folder`: tls.pem with tls.key, apns.p8, fcm.key. Private ones are readable by their owner alone."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.cert, self.tls_key = folder / "tls.pem", folder / "tls.key"
        self.apns_key, self.fcm_key = folder / "apns.p8", folder / "fcm.key"
        if not self.cert.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            _write(self.tls_key, _pem(key))
            self.cert.write_bytes(_certificate(key).public_bytes(Encoding.PEM))
        if not self.apns_key.exists():
            _write(self.apns_key, _pem(ec.generate_private_key(ec.SECP256R1())))
        if not self.fcm_key.exists():
            _write(self.fcm_key, _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)))

    @property
    def apns_public(self) -> str:
        return _public(self.apns_key)

    @property
    def fcm_public(self) -> str:
        return _public(self.fcm_key)

    def service_account(self, token_url: str) -> str:
        """The JSON Google's console gives out for a service account, with our own token endpoint."""
        return json.dumps(
            {
                "type": "service_account",
                "project_id": PROJECT,
                "private_key_id": "emulated",
                "private_key": self.fcm_key.read_text(),
                "client_email": ACCOUNT,
                "client_id": "0",
                "token_uri": token_url,
            }
        )


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """For localhost and 127.0.0.1, signed by itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "push emulators")])
    now = datetime.datetime.now(datetime.UTC)
    hosts = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .add_extension(hosts, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )


def _pem(key: _Private) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public(path: Path) -> str:
    key = load_pem_private_key(path.read_bytes(), None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
