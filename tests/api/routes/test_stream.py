"""Server-Sent Events on a server that cannot write to a connection from outside: the present, and where to go on."""

from __future__ import annotations

import pytest

from tests.api.conftest import Site


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
