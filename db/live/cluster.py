"""Redis or Valkey Cluster: each shard has a client of its own, whose connections find the master that has its slot.

redis-py's RedisCluster is not used (docs/decisions/0030): it repeats the commands of a pipeline one by one without a
bound on the time, its pipelines are no transactions and take no scripts, and it connects when it is made.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterable
from typing import Any

import redis
from redis.connection import parse_url
from redis.exceptions import ClusterError, MovedError

from db.live.client import ANSWER_S, Checked, Pool, Tcp, Tls, connect, connection_options

Address = tuple[str, int]

# s. To learn the masters from a node, which answers in a millisecond or is passed over.
LEARN_S = 0.5
# The masters are learnt anew at most this often: what 600 requests want to know, one of them asks.
AGAIN_S = 0.1
# A master that did not answer in time is not connected to for as long: whoever wants others waits behind those who try.
SILENT_S = 0.5
# Connections of one shard's client. A process with 16 shards has 128 at most, and about 16.
CONNECTIONS_MAX = 8


# The first attempt after a failover learns the new master, so one more is enough where a reader waits. A worker may
# wait for the pauses of three.
RETRIES, WEB_RETRIES = 3, 1


class Regroup(ClusterError):
    """Commands of several shards went to one master, and it has not all of them any more."""


class Topology:
    """Which master has a slot. Learnt when it is first needed, and again after any trouble.

    url: any node, asked first.
    """

    def __init__(self, url: str) -> None:
        self.options: dict[str, Any] = dict(parse_url(url))  # type: ignore[no-untyped-call]
        self.seed: Address = (self.options.pop("host", "localhost"), self.options.pop("port", 6379))
        self.tls = url.startswith("rediss")
        self.masters: dict[int, Address] = {}
        self.nodes: list[Address] = [self.seed]
        self.silent: dict[Address, float] = {}
        self.learnt_at = float("-inf")
        self.is_doubtful = True
        self.lock = threading.Lock()

    def master_of(self, slot: int) -> Address:
        """Raises redis.ConnectionError where nobody can tell."""
        if self.is_doubtful:
            with self.lock:
                if self.is_doubtful and time.monotonic() - self.learnt_at > AGAIN_S:
                    self._learn()
        if slot not in self.masters:
            raise redis.ConnectionError(f"no master is known of slot {slot}")
        master = self.masters[slot]
        if time.monotonic() - self.silent.get(master, float("-inf")) < SILENT_S:
            raise redis.ConnectionError(f"{master} does not answer")
        return master

    def doubt(self) -> None:
        """A master did not answer, or said that it is none."""
        self.is_doubtful = True

    def silence(self, master: Address) -> None:
        """A master did not answer in time."""
        self.silent[master] = time.monotonic()
        self.doubt()

    def move(self, slot: int, master: Address) -> None:
        """As a node said that is not the master of this slot any more; others may have moved, too."""
        self.masters[slot] = master
        self.doubt()

    def _learn(self) -> None:
        others = [node for node in self.nodes if node != self.seed]
        for node in [*random.sample(others, len(others)), self.seed]:
            try:
                self._take(self._ask(node), node)
            except (redis.RedisError, OSError):
                continue
            self.is_doubtful = False
            break
        self.learnt_at = time.monotonic()

    def _ask(self, node: Address) -> list[Any]:
        kind = redis.SSLConnection if self.tls else redis.Connection
        options: dict[str, Any] = {"ssl_cert_reqs": "none"} | self.options if self.tls else dict(self.options)
        options |= {"socket_timeout": LEARN_S, "socket_connect_timeout": LEARN_S}
        pool = redis.ConnectionPool(connection_class=kind, host=node[0], port=node[1], **options)
        with redis.Redis.from_pool(pool) as client:
            ranges: list[Any] = client.execute_command("CLUSTER", "SLOTS")
        return ranges

    def _take(self, ranges: Iterable[Any], asked: Address) -> None:
        """ranges: first slot, last slot, and the nodes that have them, the master first: host, port, id …"""
        masters: dict[int, Address] = {}
        nodes: dict[Address, None] = {}
        for first, last, *holders in ranges:
            # A node that does not know its own address says none.
            addresses = [((host or asked[0].encode()).decode(), int(port)) for host, port, *_ in holders]
            nodes |= dict.fromkeys(addresses)
            masters |= dict.fromkeys(range(first, last + 1), addresses[0])
        if masters:
            self.masters, self.nodes = masters, list(nodes)


class _OfSlot(Checked):
    """A connection to whichever master has a slot."""

    def __init__(self, *, topology: Topology, slot: int, **options: Any) -> None:
        super().__init__(**options)
        self.topology, self.slot = topology, slot

    def _connect(self) -> Any:
        self.host, self.port = self.topology.master_of(self.slot)
        try:
            return super()._connect()  # type: ignore[safe-super, no-untyped-call]
        except OSError:
            self.topology.doubt()
            raise

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().read_response(*args, **kwargs)
        except MovedError as error:
            self.topology.move(error.slot_id, (error.host, error.port))
            self.disconnect()  # type: ignore[no-untyped-call]
            if error.slot_id != self.slot:
                raise Regroup(str(error)) from error
            raise redis.ConnectionError("another master has the slot") from error
        except redis.TimeoutError:
            # The idle connections beside this one lead to the same master.
            self.demoted = True
            self.topology.silence((self.host, self.port))
            raise
        except (redis.ConnectionError, ClusterError):
            self.topology.doubt()
            raise


class _Tcp(_OfSlot, Tcp):
    pass


class _Tls(_OfSlot, Tls):
    pass


def connect_live(
    url: str, *, is_cluster: bool, answer_s: float = ANSWER_S, retries: int = RETRIES
) -> redis.Redis | Cluster:
    """The connection for live state. retries: of a cluster; a plain Redis has its own."""
    return Cluster(url, answer_s=answer_s, retries=retries) if is_cluster else connect(url, answer_s=answer_s)


class Cluster:
    """
    url: any node.
    answer_s, retries: of each shard's client, as of `connect`.
    """

    def __init__(self, url: str, *, answer_s: float = ANSWER_S, retries: int = RETRIES) -> None:
        self.topology = Topology(url)
        self.answer_s, self.retries = answer_s, retries
        self.clients: dict[int, redis.Redis] = {}

    def client(self, slot: int) -> redis.Redis:
        """The client for the keys of one slot."""
        if slot not in self.clients:
            scheme = "rediss" if self.topology.tls else "redis"
            options = connection_options(scheme, self.answer_s, self.retries, CONNECTIONS_MAX)
            options |= self.topology.options | {"topology": self.topology, "slot": slot}
            kind = _Tls if self.topology.tls else _Tcp
            pool = Pool(connection_class=kind, **options)  # type: ignore[no-untyped-call]
            self.clients[slot] = redis.Redis.from_pool(pool)
        return self.clients[slot]

    def master_of(self, client: redis.Redis) -> Address | None:
        """The server that a shard's commands go to, as far as is known."""
        slot = client.connection_pool.connection_kwargs["slot"]
        return self.topology.masters.get(slot)

    def close(self) -> None:
        for client in self.clients.values():
            client.close()
