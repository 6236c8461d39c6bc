"""Redis Sentinel: which server is the master just now."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import redis
from redis.connection import parse_url

Address = tuple[str, int]

SCHEMES = ("redis+sentinel", "rediss+sentinel")
# A Sentinel's port, where the URL names none (redis.io, "High availability with Redis Sentinel").
PORT = 26_379
# s. To ask one Sentinel, which answers in a millisecond or is passed over.
ASK_S = 0.5


class Sentinels:
    """
    url: `redis+sentinel://user:password@a:26379,b:26379/master name/0`, or rediss+sentinel:// for TLS to all of them.
        User, password and options are Redis's; `?sentinel_username=` and `&sentinel_password=` are the Sentinels'.
    options: of a connection to Redis.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        user, at, hosts = parts.netloc.rpartition("@")
        self.master_name, _, database = parts.path.strip("/").partition("/")
        self.tls = parts.scheme == SCHEMES[1]
        # Its host is not looked at.
        plain = f"redis://{user}{at}localhost/{database or 0}?{parts.query}"
        self.options: dict[str, Any] = dict(parse_url(plain))  # type: ignore[no-untyped-call]
        del self.options["host"]
        self.login = {name: self.options.pop(f"sentinel_{name}", None) for name in ("username", "password")}
        self.addresses = [_address(host) for host in hosts.split(",")]

    def master(self) -> Address:
        """Raises redis.ConnectionError where no Sentinel can tell."""
        for address in list(self.addresses):
            try:
                answer = self._ask(address)
            except (redis.RedisError, OSError):
                continue
            if answer:
                # The next one who asks begins where there was an answer.
                self.addresses.sort(key=lambda other: other != address)
                return answer
        raise redis.ConnectionError(f"no Sentinel knows the master {self.master_name!r}")

    def _ask(self, sentinel: Address) -> Address | None:
        options: dict[str, Any] = {**self.login, "socket_timeout": ASK_S, "socket_connect_timeout": ASK_S}
        if self.tls:
            tls = {name: value for name, value in self.options.items() if name.startswith("ssl_")}
            options |= {"ssl_cert_reqs": "none"} | tls
        kind = redis.SSLConnection if self.tls else redis.Connection
        pool = redis.ConnectionPool(connection_class=kind, host=sentinel[0], port=sentinel[1], **options)
        with redis.Redis.from_pool(pool) as client:
            answer: Any = client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.master_name)
        return (answer[0].decode(), int(answer[1])) if answer else None


def _address(host: str) -> Address:
    parts = urlsplit(f"//{host}")
    return parts.hostname or "localhost", parts.port or PORT
