"""How every process reaches Redis: with time-outs, and anew where the server it knew is the master no more."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from functools import wraps
from importlib import resources
from typing import Any, ParamSpec, TypeVar

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

from db.domain.errors import Unavailable
from db.live.sentinel import SCHEMES, Sentinels

# What a job waits for an answer of Redis, which comes in a millisecond; a job has a minute.
ANSWER_S = 5.0
# What a web request waits: long enough for the 0.2 s in which the process does nothing but release 15,000 readers
# (bench/hold.py), short enough to be a 503 while its client still listens.
WEB_ANSWER_S = 1.0
# To connect takes a round trip or two, across an ocean 0.5 s.
CONNECT_S = 2.0
# Connections of one client. A web process sends one command at a time to Redis for each greenlet and gets the answer
# within 1 ms, so 600 signed posts at once share 20 (tests/api/routes/test_pool.py). Heroku's smallest plan allows 20
# to 40 in all.
CONNECTIONS_MAX = 20
# With five retries and these pauses a dropped connection is tried again for about a second.
RETRIES, RETRY_S, RETRY_MAX_S = 5, 0.02, 0.3
# s. A bell whose job was lost expires by itself; the clock's sweep is faster, this is the second net.
BELL_S = 30
# A host that is gone says nothing, and a connection that only listens sends nothing that could fail: the kernel asks
# after 10 s, and gives up after three questions 5 s apart (tcp(7)). macOS has no TCP_KEEPIDLE under this name.
KEEPALIVE = {
    getattr(socket, name): value
    for name, value in {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}.items()
    if hasattr(socket, name)
}
# Codes of Redis's errors (`src/server.c`, `createSharedObjects`, and `src/blocked.c`).
# It is a replica now: the address may lead to the new master.
DEMOTED = {"READONLY", "MASTERDOWN", "UNBLOCKED"}
# It is a master that cannot be written to. The one without replicas may be the one that was cut off from them, and
# another the master by now, so its connection is dropped too.
CUT_OFF = {"NOREPLICAS"}
# It cannot serve just now, and may in a moment. ASK and TRYAGAIN: a slot is on its way to another master.
BUSY = {"LOADING", "MISCONF", "CLUSTERDOWN", "TRYAGAIN", "ASK", "BUSY"}

P = ParamSpec("P")
R = TypeVar("R")


class Checked(redis.connection.AbstractConnection):
    """A connection that leaves a server which is not, or may not be, the master any more."""

    demoted = False

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        """A demoted server's error is a ConnectionError, so that the client's retries ask at the address anew. No
        command that it refuses has done anything."""
        try:
            return super().read_response(*args, **kwargs)
        except redis.ResponseError as error:
            # Here, for a pipeline writes its own words before those of the server.
            error.status_code = _code(error)
            self.demoted = self.demoted or error.status_code in DEMOTED | CUT_OFF
            if error.status_code in DEMOTED:
                self.disconnect()  # type: ignore[no-untyped-call]
                raise redis.ConnectionError(f"not the master: {error.status_code}") from error
            raise


class Plain(Checked):
    """Not encrypted."""

    def can_read(self, timeout: float = 0) -> bool:
        """Whether something is left to read, which is asked before each command. gevent's `poll` takes 40 us for it of
        the 100 that a command costs. The socket under gevent's own never blocks, and answers in one call.

        Raises redis.ConnectionError where the server has closed, as redis-py's own does.
        """
        under = getattr(self._sock, "_sock", None)
        if timeout or under is None or self._parser._reader is None or self._parser._reader.has_data():
            return bool(super().can_read(timeout))
        try:
            waiting = under.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        if not waiting:
            raise redis.ConnectionError("Connection closed by server.")
        return True


class Tcp(Plain, redis.Connection):
    pass


class Tls(Checked, redis.SSLConnection):
    pass


class Unix(Plain, redis.UnixDomainSocketConnection):
    pass


class _OfMaster(Checked):
    """A connection to whichever server the Sentinels call the master."""

    def __init__(self, *, sentinels: Sentinels, **options: Any) -> None:
        super().__init__(**options)
        self.sentinels = sentinels

    def _connect(self) -> Any:
        self.host, self.port = self.sentinels.master()
        return super()._connect()  # type: ignore[safe-super, no-untyped-call]

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().read_response(*args, **kwargs)
        except redis.TimeoutError:
            # The idle connections beside this one lead to the same server, which another may replace.
            self.demoted = True
            raise


class _TcpOfMaster(_OfMaster, Tcp):
    pass


class _TlsOfMaster(_OfMaster, Tls):
    pass


class Pool(redis.BlockingConnectionPool):
    """Drops the connection whose server was demoted and the idle ones beside it, which lead to the same."""

    def release(self, connection: Any) -> None:
        super().release(connection)  # type: ignore[no-untyped-call]
        if connection.demoted:
            connection.demoted = False
            self.disconnect(inuse_connections=False)


def connect(
    url: str, *, answer_s: float = ANSWER_S, retries: int = RETRIES, connections: int = CONNECTIONS_MAX
) -> redis.Redis:
    """A client that tries a dropped connection again for about a second, then says so. Each connection is made to the
    server at the address, or to the one that the Sentinels call the master (db.live.sentinel).

    connections: at most so many; whoever needs another waits for `answer_s`, then it is a ConnectionError.
    answer_s: what an answer may take. One that does not come is not asked for again: six times nothing is nothing.

    Heroku's Redis presents a self-signed certificate (devcenter, "Connecting to Heroku Key-Value Store"), so none is
    checked, unless the URL says `?ssl_cert_reqs=required` (and `&ssl_ca_certs=/path`): what it says wins.
    """
    scheme = url.split(":", 1)[0]
    if scheme in SCHEMES:
        return _connect_to_master(Sentinels(url), answer_s, retries, connections)
    kind = {"rediss": Tls, "unix": Unix}.get(scheme, Tcp)
    options = connection_options(scheme, answer_s, retries, connections)
    return redis.Redis.from_pool(Pool.from_url(url, connection_class=kind, **options))


def _connect_to_master(sentinels: Sentinels, answer_s: float, retries: int, connections: int) -> redis.Redis:
    options = connection_options("rediss" if sentinels.tls else "redis", answer_s, retries, connections)
    options |= sentinels.options | {"sentinels": sentinels}
    kind = _TlsOfMaster if sentinels.tls else _TcpOfMaster
    return redis.Redis.from_pool(Pool(connection_class=kind, **options))  # type: ignore[no-untyped-call]


def connect_to(server: tuple[str, int], options: dict[str, Any], *, tls: bool) -> redis.Redis:
    """A client of one node of a cluster, which tries nothing again. options: user and password, as of its URL."""
    host, port = server
    given = options | connection_options("rediss" if tls else "redis", ANSWER_S, 0, 2)
    pool = Pool(connection_class=Tls if tls else Tcp, host=host, port=port, **given)  # type: ignore[no-untyped-call]
    return redis.Redis.from_pool(pool)


def connection_options(scheme: str, answer_s: float, retries: int, connections: int) -> dict[str, Any]:
    """Of a pool and its connections, as `connect` says."""
    backoff = ExponentialWithJitterBackoff(base=RETRY_S, cap=RETRY_MAX_S)
    retry = Retry(backoff, retries, supported_errors=(redis.ConnectionError,))
    options: dict[str, Any] = {"socket_timeout": answer_s, "retry": retry}
    if scheme == "rediss":
        options["ssl_cert_reqs"] = "none"
    if scheme != "unix":
        options |= {"socket_keepalive": True, "socket_keepalive_options": KEEPALIVE}
    options["socket_connect_timeout"] = min(CONNECT_S, answer_s)
    return options | {"max_connections": connections, "timeout": answer_s}


def guarded(method: Callable[P, R]) -> Callable[P, R]:
    """Redis out of reach becomes Unavailable: callers know one word for it."""

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except redis.RedisError as error:
            if reason := away(error):
                raise Unavailable(reason) from error
            raise

    return call


def away(error: redis.RedisError) -> str:
    """Why live state is out of reach; "" for an error that is a bug of ours."""
    if isinstance(error, redis.ConnectionError | redis.TimeoutError | redis.exceptions.ClusterError):
        return f"live state is out of reach: {type(error).__name__}"
    if isinstance(error, redis.exceptions.OutOfMemoryError):
        return "live state is full"
    if isinstance(error, redis.ResponseError) and error.status_code in CUT_OFF | BUSY:
        return f"live state cannot serve: {error.status_code}"
    return ""


def lua(name: str) -> str:
    """A script of `lua/`, which does in one step what nobody else may come between."""
    return resources.files(__package__).joinpath(f"scripts/{name}.lua").read_text()


def _code(error: redis.ResponseError) -> str:
    """The first word of the server's error; redis-py takes it away where it knows it. A script's error (before Redis 7)
    and a discarded transaction's quote another, which is the cause."""
    code = error.status_code or str(error).split(" ", 1)[0]
    if code in ("ERR", "Error", "EXECABORT"):
        quoted = re.search(r"(?::|because of:) -?([A-Z]+) ", str(error))
        return quoted[1] if quoted else code
    return code


def text(value: bytes) -> str:
    return value.decode()
