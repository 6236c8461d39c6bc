"""Two web processes on one Redis, one of which answers nothing from the event loop: both answer alike to all bytes."""

from __future__ import annotations

import gzip
import random
import re
import select
from collections.abc import Iterator
from contextlib import suppress

import pytest

from dev.system import free_port, wait_for_port
from tests.support.heads import head
from tests.support.holding import Client, Origin
from tests.support.stories.count import scaled

pytestmark = pytest.mark.xdist_group("heads")

TOGETHER = 5
SEEDS, ALONE = scaled(1_000, 10_000), scaled(300, 2_000)
# A cursor that is behind whatever is told, so that nobody waits.
OLD = "1.0"
LAST = b"GET /healthz HTTP/1.1\r\nHost: scores.example\r\nConnection: close\r\n\r\n"


class Twins(Origin):
    """other: the port of the process without the hot path."""

    other = 0

    def command(self, name: str) -> list[str]:
        if name != "ordinary":
            return super().command(name)
        return ["env", f"PORT={self.other}", "INSIDE_HOT_PATH=off", *super().command("web")]

    def start(self) -> None:
        super().start()
        self.other = free_port()
        self.restart("ordinary")
        wait_for_port(self.other)


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    # Flask lists methods in the order of a set.
    with Twins.running(tmp_path_factory.mktemp("twins"), PYTHONHASHSEED=0) as twins:
        twins.tell("m", 1)
        for port in (twins.port, twins.other):
            for path in ("/api/live", "/api/score/m"):
                assert b'"behind"' in answers(port, get(f"{path}/wait/{OLD}", "Connection: close"))
        yield twins


def get(path: str, *fields: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: scores.example", *fields, "", "")).encode()


def answers(port: int, *parts: bytes, patience_s: float = 0.0) -> bytes:
    """All that comes until the server closes. patience_s: before each further part, until something has come."""
    client = Client(port)
    with suppress(BrokenPipeError, ConnectionResetError):
        # Else the server had closed before all was sent.
        for index, part in enumerate(parts):
            if index:
                select.select([client.sock], [], [], patience_s)
            client.send(part)
    data = client.rest()
    client.close()
    # A redirection names it.
    return data.replace(b"127.0.0.1:%d" % port, b"127.0.0.1:80")


def comparable(data: bytes) -> list[tuple[bytes, list[tuple[bytes, bytes]], bytes]]:
    """Each answer: status, fields, body; without what depends on the moment, and on who wrote it."""
    answers = []
    while data:
        text, _, data = data.partition(b"\r\n\r\n")
        status, *lines = text.lower().split(b"\r\n")
        fields = dict(line.split(b": ", 1) for line in lines)
        size = int(fields.pop(b"content-length", 0))
        # Behind HEAD there is none, and the next answer begins.
        body, data = (b"", data) if data.startswith(b"HTTP/") else (data[:size], data[size:])
        body = gzip.decompress(body) if body and b"content-encoding" in fields else body
        for name in (b"date", b"server"):
            fields.pop(name, None)
        answers.append((status.split()[1], sorted(fields.items()), re.sub(rb"/wait/\d+\.\d+", b"/wait/", body)))
    return answers


@pytest.mark.faults
def test_heads_one_behind_the_other(twins: Twins) -> None:
    draw = random.Random(0)
    count = 0
    for first in range(0, SEEDS, TOGETHER):
        data = b"".join(head(seed, OLD) for seed in range(first, first + TOGETHER)) + LAST
        cuts = sorted(draw.sample(range(1, len(data)), draw.choice((0, 0, 1, 3))))
        parts = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        hot, ordinary = (comparable(answers(port, *parts)) for port in (twins.port, twins.other))
        assert hot == ordinary, (first, data)
        count += len(hot)
    assert count > SEEDS / TOGETHER


@pytest.mark.faults
def test_each_head_alone(twins: Twins) -> None:
    behind = unchanged = 0
    for seed in range(SEEDS, SEEDS + ALONE):
        data = head(seed, OLD)
        hot, ordinary = (comparable(answers(port, data, LAST, patience_s=0.2)) for port in (twins.port, twins.other))
        assert hot == ordinary, (seed, data)
        behind += any(b'"held":"behind"' in body for _, _, body in hot)
        unchanged += any(status == b"304" for status, _, _ in hot)
    assert (behind > ALONE / 10, unchanged > ALONE / 200) == (True, True)


@pytest.mark.parametrize("path", [f"/api/score/m/wait/{OLD}", "/api/score/m"])
def test_a_head_split_at_every_byte(twins: Twins, path: str) -> None:
    data = get(path, "Connection: close")
    expected = comparable(answers(twins.other, data))
    assert len(expected) == 1
    for cut in range(1, len(data)):
        assert comparable(answers(twins.port, data[:cut], data[cut:], patience_s=0.002)) == expected


def test_many_readers_at_once_each_get_their_own(twins: Twins) -> None:
    for n in range(20):
        twins.tell(f"own-{n}", n)
    clients = [twins.client() for _ in range(200)]
    for turn in range(5):
        for n, client in enumerate(clients):
            client.ask(f"/api/score/own-{(n + turn) % 20}/wait/{OLD}")
        for n, client in enumerate(clients):
            body = client.body()
            assert (body["match_id"], body["home_score"]) == (f"own-{(n + turn) % 20}", (n + turn) % 20)
