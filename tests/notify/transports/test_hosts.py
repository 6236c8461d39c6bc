"""The loop over all connections: how long it waits."""

from __future__ import annotations

from typing import Any

import pytest

from notify.transports.exchange import Reply, Request
from notify.transports.hosts import Hosts


class Poll:
    """waits: what was waited for news, s."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def poll(self, for_s: float) -> list[Any]:
        self.waits.append(for_s)
        return []


@pytest.mark.parametrize(("finished", "wait_s"), [(0, 0.2), (1, 0.0)])
def test_nobody_waits_for_news_while_answers_are_there_to_be_taken(finished: int, wait_s: float) -> None:
    """They make room for the next requests. Where those in flight are all answered, nothing else would come."""
    hosts = Hosts("https://localhost:1", opening=1, streams=1, answer_s=5.0, ca=None)
    assert hosts.only is not None
    hosts.only.connection.finished += [(Request(None, "https://localhost:1/", [], b"", 0.0), Reply(200))] * finished
    own, poll = hosts.poll, Poll()
    hosts.poll = poll  # type: ignore[assignment]
    hosts.turn(0.2)
    assert poll.waits == [0.0, wait_s]
    hosts.poll = own
    hosts.close()
