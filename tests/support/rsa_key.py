"""One RSA key for all tests: to make one takes up to 60 ms."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import rsa

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
