"""What pages of other origins may read of an answer (Fetch standard, "CORS protocol")."""

from __future__ import annotations

# Accounts use bearer tokens and no cookies, so `*` gives a foreign page nothing that its user did not give it.
READABLE = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Retry-After, Date, Age",
}
