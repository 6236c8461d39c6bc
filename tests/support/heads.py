"""Request heads, right ones and every kind of wrong, from kept seeds."""

from __future__ import annotations

import random

PATHS = (
    "/api/score/m",
    "/api/score/m/wait/{cursor}",
    "/api/live",
    "/api/live/wait/{cursor}",
    "/api/live/changes/{cursor}",
    "/api/score/m/changes/{cursor}",
    "/api/score/no-such",
    "/healthz",
    "/api/score/..",
    "/api/score/m/wait/1.",
    "/api/score/m?x=1",
    "/api/score//m",
    "/api/score/%6d",
    "*",
)
METHODS = ("GET",) * 12 + ("HEAD", "POST", "get", "G\0T", "OPTIONS")
VERSIONS = ("HTTP/1.1",) * 14 + ("HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.1 ", "")
FIELDS = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64)",
    "Accept: */*",
    "Accept-Encoding: gzip, deflate, br",
    "Accept-Encoding: gzip;q=0, identity",
    "X-Request-Id: 4d5f-aa",
    "X-Forwarded-For: 203.0.113.9",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Proto: http",
    "X-Forwarded-Ssl: on",
    "Connection: keep-alive",
    "Connection: Close",
    "Connection: keep-alive, close",
    "Connection: upgrade",
    "Upgrade: h2c",
    "If-None-Match: *",
    'If-None-Match: W/"m-1", "x"',
    "If-Modified-Since: Mon, 30 Nov 2026 00:00:00 GMT",
    "Content-Length: 0",
    "Content-Length: 5",
    "Content-Length : 5",
    "Content-Type: text/plain",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: identity",
    "Expect: 100-continue",
    "TE: trailers",
    "Host: other.example",
    "Host_Name: x",
    "X_Under: x",
    "Cookie: a=b; c=d",
    "Range: bytes=0-10",
    "Empty:",
    ": no name",
    "no colon",
    " folded",
    "Bad\x00Name: x",
    "Bad: v\x00alue",
    "Bad: v\x7falue",
    "Bare: a\rb",
    "Latin: é",
    "Tab:\tx\t",
    "Script-Name: /api",
    "Keep-Alive: timeout=5",
)
ENDS = ("\r\n",) * 20 + ("\n", "\r", "\r\n\r\n", "\r\n ")


def head(seed: int, cursor: str = "1.0") -> bytes:
    """One that ends with an empty line, most of the time. cursor: of a wait."""
    draw = random.Random(seed)
    path = draw.choice(PATHS[:4] if draw.random() < 0.8 else PATHS).format(cursor=cursor)
    line = f"{draw.choice(METHODS)} {path} {draw.choice(VERSIONS)}"
    fields = draw.sample(FIELDS[:16] if draw.random() < 0.7 else FIELDS, draw.randint(0, 5))
    if draw.random() < 0.95:
        fields.insert(draw.randint(0, len(fields)), draw.choice(("Host: scores.example", "host:a:80", "Host: a b")))
    if draw.random() < 0.02:
        fields += [f"X-{n}: {n}" for n in range(draw.choice((58, 64, 70)))]
    if draw.random() < 0.02:
        fields.append("X-Long: " + "x" * draw.choice((1_000, 8_000, 8_200)))
    ends = ENDS if draw.random() < 0.1 else ENDS[:1]
    text = "".join(entry + draw.choice(ends) for entry in [line, *fields])
    return (text + "\r\n").encode("latin-1")
