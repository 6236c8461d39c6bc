"""The way to Redis: a master that was demoted, one that lost its replicas, one that hangs; certificates."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import redis

from db.domain import Stamp, Status, Update
from db.domain.errors import Unavailable
from db.live.client import connect
from db.live.store import LiveStore
from dev.system import free_port
from tests.conftest import ROOT, RedisServer, wait_until
from workers.queues import Doorbells

NOW = 1_700_000_000_000


class Address:
    """A name that leads to one server, then to another. Who is connected already stays where they are."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.ends: list[socket.socket] = []
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                self.ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        for end in (self.listener, *self.ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def address_of() -> Iterator[Callable[[RedisServer], Address]]:
    addresses: list[Address] = []

    def make(server: RedisServer) -> Address:
        addresses.append(Address(server.port))
        return addresses[-1]

    yield make
    for address in addresses:
        address.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], RedisServer]]:
    servers: list[RedisServer] = []

    def run() -> RedisServer:
        folder = tmp_path / str(len(servers))
        folder.mkdir()
        servers.append(RedisServer(folder))
        servers[-1].start()
        return servers[-1]

    yield run
    for server in servers:
        server.stop()


def admin(server: RedisServer) -> redis.Redis:
    return redis.Redis(port=server.port)


def replicate(server: RedisServer, master: RedisServer) -> None:
    with closing(admin(master)) as client:
        # It would wait 5 s for other replicas.
        client.config_set("repl-diskless-sync-delay", 0)
    with closing(admin(server)) as client:
        client.replicaof("127.0.0.1", master.port)
        wait_until(lambda: client.info("replication")["master_link_status"] == "up", "the replica")


def fail_over(address: Address, old: RedisServer, new: RedisServer) -> None:
    """What a managed Redis does: the replica is promoted when it has every write, the address leads to it, the old
    master follows it."""
    with closing(admin(old)) as master, closing(admin(new)) as replica:
        wait_until(lambda: offset(replica) == offset(master), "the last write at the replica")
        replica.replicaof("NO", "ONE")
    address.target = new.port
    replicate(old, new)


def offset(client: redis.Redis) -> int:
    """Bytes of writes that a master has sent, or a replica applied."""
    return int(client.info("replication")["master_repl_offset"])


def kick_off(match_id: str) -> Update:
    return Update(match_id, Stamp(NOW), NOW, status=Status.FIRST_HALF)


def test_a_demoted_master_is_left_for_the_new_one(
    start: Callable[[], RedisServer], address_of: Callable[[RedisServer], Address]
) -> None:
    old, new = start(), start()
    replicate(new, old)
    address = address_of(old)
    client = connect(address.url)
    live = LiveStore(client, 1)
    live.inbox.accept([kick_off("a")], now_ms=NOW)
    idle = [client.connection_pool.get_connection() for _ in range(2)]
    for connection in idle:
        client.connection_pool.release(connection)
    fail_over(address, old, new)
    assert live.inbox.accept([kick_off("b")], now_ms=NOW)[0]
    with closing(admin(new)) as there:
        assert there.get("ingest:waiting") == b"2"
    assert [connection.is_connected for connection in idle].count(True) <= 1, "the others lead to the old one"
    client.close()


def test_the_job_queue_is_left_with_a_demoted_master_too(
    start: Callable[[], RedisServer], address_of: Callable[[RedisServer], Address]
) -> None:
    """A worker waits in a pop when its master becomes a replica."""
    old, new = start(), start()
    replicate(new, old)
    address = address_of(old)
    waiting, ringing = connect(address.url), connect(address.url)
    popped: list[object] = []

    def wait() -> None:
        popped.append(waiting.blpop(["rq:queue:ingest"], 30))

    threading.Thread(target=wait, daemon=True).start()
    with closing(admin(old)) as client:
        wait_until(lambda: client.info("clients")["blocked_clients"] == 1, "the pop")
    bells = Doorbells(ringing)
    assert bells.waiting() == 0
    fail_over(address, old, new)
    bells.ingest(0)
    wait_until(lambda: popped, "the job")
    waiting.close()
    ringing.close()


def test_a_master_that_stays_demoted_is_unavailable(start: Callable[[], RedisServer]) -> None:
    old, new = start(), start()
    client = connect(old.url)
    replicate(old, new)
    with pytest.raises(Unavailable, match="out of reach"):
        LiveStore(client, 1).inbox.accept([kick_off("a")], now_ms=NOW)
    client.close()


def test_a_master_without_its_replicas_is_unavailable(start: Callable[[], RedisServer]) -> None:
    server = start()
    with closing(admin(server)) as client:
        client.config_set("min-replicas-to-write", 1)
    client = connect(server.url)
    live = LiveStore(client, 1)
    with pytest.raises(Unavailable, match="NOREPLICAS"):
        live.inbox.accept([kick_off("a")], now_ms=NOW)
    with pytest.raises(Unavailable, match="NOREPLICAS"):
        live.inbox.park("a", now_ms=NOW)
    with pytest.raises(Unavailable, match="NOREPLICAS"):
        live.outbox.mute_bell()
    assert live.board.read().matches == (), "it can still be read"
    with closing(admin(server)) as other:
        other.config_set("min-replicas-to-write", 0)
    live.outbox.mute_bell()
    client.close()


def test_a_replica_cut_off_from_its_master_is_unavailable(start: Callable[[], RedisServer]) -> None:
    server = start()
    with closing(admin(server)) as client:
        client.config_set("replica-serve-stale-data", "no")
        client.replicaof("127.0.0.1", 1)
    client = connect(server.url)
    with pytest.raises(Unavailable):
        LiveStore(client, 1).board.read()
    client.close()


def test_a_redis_that_hangs_is_unavailable(start: Callable[[], RedisServer]) -> None:
    server = start()
    assert server.process
    client = connect(server.url, answer_s=0.5)
    live = LiveStore(client, 1)
    live.ping()
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        with pytest.raises(Unavailable, match="TimeoutError"):
            live.ping()
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    live.ping()
    client.close()


def test_every_connection_asks_after_a_host_that_is_gone(redis_url: str) -> None:
    client = connect(redis_url)
    client.ping()
    connection = client.connection_pool.get_connection()
    sock = connection._sock
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    silent_s = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
    silent_s += sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) * 3
    assert silent_s <= 30
    client.connection_pool.release(connection)
    client.close()


@pytest.mark.parametrize(
    ("query", "mode"), [("", ssl.CERT_NONE), ("?ssl_cert_reqs=required&ssl_ca_certs=/ca.pem", ssl.CERT_REQUIRED)]
)
def test_the_url_says_whether_a_certificate_is_checked(query: str, mode: ssl.VerifyMode) -> None:
    connection = connect(f"rediss://redis.example:6380/0{query}").connection_pool.make_connection()
    assert connection.cert_reqs == mode
    assert connection.ca_certs == ("/ca.pem" if query else None)


def test_a_unix_socket_is_an_address_too(start: Callable[[], RedisServer], tmp_path: Path) -> None:
    assert (
        connect(f"unix://{tmp_path}/redis.sock?db=1").connection_pool.make_connection().path == f"{tmp_path}/redis.sock"
    )


UNDER_GEVENT = """
from gevent import monkey
monkey.patch_all()
import select, sys
from db.live.client import connect
client, other = (connect(sys.argv[1], retries=0) for _ in range(2))
number = client.client_id()
connection = client.connection_pool.get_connection()
idle = connection._sock.fileno()
client.connection_pool.release(connection)
assert client.client_id() == number, "a connection that is idle is used again"
other.client_kill_filter(_id=number)
select.select([idle], [], [], 10)
assert client.client_id() != number, "one that the server has closed is not"
"""


def test_a_connection_that_the_server_closed_is_replaced_under_gevent(redis_url: str) -> None:
    """Without a second attempt."""
    command = [sys.executable, "-c", UNDER_GEVENT, redis_url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
