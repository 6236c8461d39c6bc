"""Server-Sent Events on a server that cannot write to a connection from outside: the present, and where to go on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.delivery import listener
from tests.api.conftest import Site, event, fixture


@pytest.fixture
def listening(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(listener, "LOOK_S", 0.05)
    monkeypatch.setattr(listener, "RECONNECT_S", (0.0, 0.05))
    site.tell(event("m", home_score=1), matches=(fixture("m"),))
    yield site
    site.services.listener.stopping = True
    if site.services.listener.begun:
        site.services.listener.join(10)
    site.cut_off()


def test_the_present_is_sent_once_with_when_to_come_back(listening: Site) -> None:
    answer = listening.get("/api/score/m/stream")
    score = listening.get("/api/score/m").get_json()
    assert (answer.status_code, answer.content_type) == (200, "text/event-stream")
    retry, version, data = answer.get_data().decode().split("\n")[:3]
    assert (retry, version) == (f"retry: {score['poll_after_ms']}", f"id: {score['version']}")
    assert '"home_score":1' in data
    assert listening.services.hub.here == 0


@pytest.mark.parametrize("has", ["", "nonsense", "-1", "9" * 16])
def test_what_is_no_version_is_no_resuming(listening: Site, has: str) -> None:
    assert b"data: " in listening.client.get("/api/score/m/stream", headers={"Last-Event-ID": has}).get_data()
