"""A Redis Cluster on this machine, for tests and benches: three masters, and three replicas that take over."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis
from redis.crc import key_slot

from dev.system import free_port

# ms. A node that is silent for as long is replaced.
NODE_TIMEOUT_MS = 1_000
MASTERS = 3
# The port of the nodes' own links, which Redis puts 10,000 above by itself, is one that is free.
OPTIONS = (
    "--cluster-enabled yes --cluster-require-full-coverage no --save '' --appendonly no --bind 127.0.0.1"
    f" --cluster-node-timeout {NODE_TIMEOUT_MS} --cluster-replica-validity-factor 0 --repl-diskless-sync-delay 0"
)


class RedisNode:
    def __init__(self, binary: str, folder: Path) -> None:
        self.binary, self.folder = binary, folder
        self.process: subprocess.Popen[bytes] | None = None
        self.move()

    def move(self) -> None:
        """To other ports."""
        self.port, self.bus = free_port(), free_port()
        self.redis: Any = redis.Redis(port=self.port, socket_timeout=2)

    def start(self) -> None:
        options = [*OPTIONS.replace("''", "EMPTY").split()]
        options = ["" if option == "EMPTY" else option for option in options]
        ports = ["--port", str(self.port), "--cluster-port", str(self.bus), "--dir", str(self.folder)]
        self.process = subprocess.Popen([self.binary, *ports, *options], stdout=subprocess.DEVNULL)

    def has_begun(self) -> bool:
        """Somebody may have taken one of its ports meanwhile: then it ends at once, and begins on others."""
        if self.process is None or self.process.poll() is not None:
            self.move()
            self.start()
        return self.is_up()

    def is_up(self) -> bool:
        with suppress(redis.RedisError):
            return bool(self.redis.ping())
        return False

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    def tell(self, *command: object) -> bool:
        """Tell it something that a replica hears from its master. False if it does not answer just now."""
        if self.process is None or self.process.poll() is not None:
            return True
        with suppress(redis.ConnectionError, redis.TimeoutError):
            if self.redis.info("replication")["role"] == "master":
                self.redis.execute_command(*command)
            return True
        return False

    @property
    def id(self) -> str:
        return str(self.redis.execute_command("CLUSTER", "MYID").decode())

    @property
    def is_master(self) -> bool:
        with suppress(redis.RedisError):
            return bool(self.redis.info("replication")["role"] == "master")
        return False


class RedisCluster:
    """nodes: the masters first, then their replicas in the same order. binary: of a Redis 7 or newer."""

    def __init__(self, folder: Path, binary: str) -> None:
        self.nodes = []
        for number in range(2 * MASTERS):
            own = folder / f"node-{number}"
            own.mkdir()
            self.nodes.append(RedisNode(binary, own))

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.nodes[0].port}/0"

    def start(self) -> None:
        for node in self.nodes:
            node.start()
        wait(lambda: all(node.has_begun() for node in self.nodes), "the nodes")
        for number, node in enumerate(self.nodes[:MASTERS]):
            first, end = number * 16_384 // MASTERS, (number + 1) * 16_384 // MASTERS
            node.redis.execute_command("CLUSTER", "ADDSLOTSRANGE", first, end - 1)
        for node in self.nodes[1:]:
            node.redis.execute_command("CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port, self.nodes[0].bus)
        wait(lambda: all(known(node) == 2 * MASTERS for node in self.nodes), "the nodes to know each other")
        for master, replica in zip(self.nodes, self.nodes[MASTERS:], strict=False):
            replica.redis.execute_command("CLUSTER", "REPLICATE", master.id)
        wait(self.is_whole, "the cluster")

    def is_whole(self) -> bool:
        """All slots are served, and every master has a replica that follows."""
        with suppress(redis.RedisError):
            masters = [node for node in self.nodes if node.is_up() and node.is_master]
            return len(masters) == MASTERS and all(
                node.redis.info("replication").get("connected_slaves") == 1
                and b"cluster_state:ok" in node.redis.execute_command("CLUSTER", "INFO")
                and b"cluster_slots_ok:16384" in node.redis.execute_command("CLUSTER", "INFO")
                for node in masters
            )
        return False

    def master_of(self, key: str) -> RedisNode:
        """As the first node says that answers."""
        slot = key_slot(key.encode())
        for node in self.nodes:
            with suppress(redis.RedisError):
                ranges = node.redis.execute_command("CLUSTER", "SLOTS")
                ports = [int(master[1]) for first, last, master, *_ in ranges if first <= slot <= last]
                if ports:
                    return next(other for other in self.nodes if other.port == ports[0])
        raise AssertionError(f"nobody has slot {slot}")

    def replica_of(self, master: RedisNode) -> RedisNode:
        """One that follows it."""
        for node in self.nodes:
            with suppress(redis.RedisError):
                if node.redis.info("replication").get("master_port") == master.port:
                    return node
        raise AssertionError("it has no replica")

    def fail_over(self, master: RedisNode) -> None:
        """Its replica takes over in order. One that does not get to it within 5 s gives up without a word."""
        replica = self.replica_of(master)
        ends = time.monotonic() + 30
        while master.is_master and time.monotonic() < ends:
            with suppress(redis.RedisError):
                replica.redis.execute_command("CLUSTER", "FAILOVER")
            with suppress(TimeoutError):
                wait(lambda: not master.is_master, "the replica to take over", timeout_s=6)

    def begin_move(self, slot: int, old: RedisNode, new: RedisNode) -> None:
        new.redis.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", old.id)
        old.redis.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", new.id)

    def move_keys(self, slot: int, old: RedisNode, new: RedisNode, count: int = 10_000) -> None:
        names = old.redis.execute_command("CLUSTER", "GETKEYSINSLOT", slot, count)
        if names:
            old.redis.execute_command("MIGRATE", "127.0.0.1", new.port, "", 0, 5_000, "KEYS", *names)

    def end_move(self, slot: int, new: RedisNode) -> None:
        """A master that is not told would go on sending clients elsewhere for keys that it has not got."""
        owner = new.id
        for node in (new, *(node for node in self.nodes if node is not new)):
            self._tell(node, "CLUSTER", "SETSLOT", slot, "NODE", owner)

    def move(self, slot: int, old: RedisNode, new: RedisNode) -> None:
        self.begin_move(slot, old, new)
        self.move_keys(slot, old, new)
        self.end_move(slot, new)

    def flush(self) -> None:
        for node in self.nodes:
            self._tell(node, "FLUSHALL")

    def _tell(self, node: RedisNode, *command: object) -> None:
        wait(lambda: node.tell(*command), f"{node.port} to take {command}")

    def mend(self) -> None:
        """Start again what was killed, and wait for everybody to have a replica."""
        for node in self.nodes:
            node.resume()
            if node.process is None or node.process.poll() is not None:
                node.start()
        wait(self.is_whole, "the cluster to be whole again")

    def end(self) -> None:
        for node in self.nodes:
            if node.process:
                node.process.kill()
                node.process.wait()
            node.redis.close()


def known(node: RedisNode) -> int:
    """Other nodes and itself, with those that are only just met."""
    lines = node.redis.execute_command("CLUSTER", "NODES")
    text = lines if isinstance(lines, bytes) else b""
    rows = text.decode().splitlines() if text else [f"{name} {row['flags']}" for name, row in lines.items()]
    return sum("handshake" not in row for row in rows)


def wait(true: Any, what: str, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout_s:.0f} s in vain: {what}")
        time.sleep(0.02)
