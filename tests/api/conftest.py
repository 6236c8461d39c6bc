"""The app as its callers see it, on a real Redis and a real database, with the jobs run in the test's own process."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api import create_app
from api.services import Services
from config import Settings
from tests.conftest import SECRET, SHARED_SECRET
from tests.support.layouts import Layout
from workers.history import write_batch
from workers.ingest import Drain


class Site:
    """A client, a sender that signs, and the jobs."""

    def __init__(self, settings: Settings) -> None:
        self.app = create_app(settings)
        self.client: FlaskClient = self.app.test_client()
        self.services: Services = self.app.extensions["services"]
        self.sent = 0

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def deliver(self, body: Any, *, id_: str | None = None, at: float | None = None, **headers: str) -> TestResponse:
        """To the generic endpoint, signed. body: JSON-able, or the bytes themselves."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.sent += 1
        signed = signature(raw, id_ or f"msg_{self.sent}", time.time() if at is None else at)
        return self.client.post("/api/ingest/generic", data=raw, headers=signed | headers)

    def hand_over(self, provider: str, body: Any, **headers: str) -> TestResponse:
        """To an endpoint with a shared secret."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(
            f"/api/ingest/{provider}", data=raw, headers={"X-Ingest-Secret": SHARED_SECRET} | headers
        )

    def work(self) -> None:
        """What the jobs do: inboxes into the present, outboxes into history."""
        drain, inbox = Drain(self.services.live, self.services.bells), self.services.live.inbox
        for shard in inbox.overdue(2**53):
            for match_id in inbox.pending(shard):
                drain.match(match_id)
        while write_batch(self.services.live, self.services.history):
            pass

    def tell(self, *events: dict[str, Any], matches: tuple[dict[str, Any], ...] = ()) -> None:
        """Deliver, see it taken, and do the work."""
        answer = self.deliver({"events": list(events), "matches": list(matches)})
        assert answer.status_code == 202, answer.get_data(as_text=True)
        assert "refused" not in answer.get_json(), answer.get_data(as_text=True)
        self.work()

    def cut_off(self) -> None:
        """The connections to live state."""
        for shard in self.services.live.sharded.shards:
            shard.redis.connection_pool.disconnect()

    def waiting(self) -> int:
        return self.services.live.inbox.backlog()

    def refused(self) -> list[tuple[str, bytes]]:
        return [(payload.code, payload.body) for _, payload in self.services.live.refusals.entries(100)]

    def close(self) -> None:
        self.services.live.redis.close()
        self.services.bells.client.close()
        self.services.history.engine.dispose()


def signature(body: bytes, id_: str, at: float, secret: str = SECRET) -> dict[str, str]:
    """By hand, for the library signs text only."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{id_}.{int(at)}.".encode() + body, hashlib.sha256).digest()
    signed = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": id_, "webhook-timestamp": str(int(at)), "webhook-signature": signed}


def event(match_id: str = "m", **fields: Any) -> dict[str, Any]:
    defaults = {
        "home_score": 1,
        "away_score": 0,
        "minute": 10,
        "event_type": "goal",
        "timestamp": "2026-05-01T18:10:00Z",
    }
    return {"match_id": match_id, **defaults, **fields}


def fixture(id_: str = "m", **fields: Any) -> dict[str, Any]:
    defaults = {"home_team": "Côte d'Ivoire", "away_team": {"id": "fra", "name": "France"}, "competition": "World Cup"}
    return {"id": id_, **defaults, "start_time": "2026-05-01T18:00:00Z", "venue": "Stade", **fields}


def error(answer: TestResponse) -> tuple[int, str]:
    """Status and code of a failure, which must look as every failure does."""
    assert answer.mimetype == "application/json"
    failure = answer.get_json()["error"]
    assert set(failure) <= {"code", "message", "fields"}
    assert failure["message"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    return answer.status_code, failure["code"]


def fields(answer: TestResponse) -> list[str]:
    return [fault["field"] for fault in answer.get_json()["error"].get("fields", [])]


@pytest.fixture
def make_site(layout: Layout) -> Iterator[Callable[..., Site]]:
    sites: list[Site] = []

    def make(database_url: str, **changed: Any) -> Site:
        settings = {
            **layout.settings,
            "database_url": database_url,
            "ingest_secret_generic": SECRET,
            "ingest_secret_sportradar": SHARED_SECRET,
            "ingest_secret_statsperform": SHARED_SECRET,
        }
        site = Site(Settings(**(settings | changed)))
        if site.services.settings.redis_cluster:
            site.services.live.redis = layout.client()
        sites.append(site)
        return site

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def site(make_site: Callable[..., Site], sqlite_url: str) -> Site:
    return make_site(sqlite_url)


@pytest.fixture
def either(make_site: Callable[..., Site], database_url: str) -> Site:
    """On both databases."""
    return make_site(database_url)
