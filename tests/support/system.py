"""A whole running system in a test's hands: what a sender, a reader and an operator can do with it.

The fixture `system` (tests/conftest.py) starts one, on SQLite, and ends it; `run_system(NAME=value…)` starts one with
settings of its own, such as DATABASE_URL. Settings for `system` itself: `@pytest.mark.settings(NAME=value…)`.
"""

from __future__ import annotations

import itertools
import json
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from sqlalchemy import Engine, make_url

from db.live.client import connect
from db.sql.session import engine
from dev.replay.ingest_client import signed
from dev.system import System as Processes
from tests.conftest import REMEMBERS, SECRET, SHARED_SECRET, migrated_file, wait_until


class System(Processes):
    """Reads, posts, kills. Every verb works from several threads."""

    def __init__(self, folder: Path, **settings: object) -> None:
        defaults = {
            "LOG_LEVEL": "INFO",
            "WORKER_PROCESSES": 1,
            "INGEST_SECRET_GENERIC": SECRET,
            "INGEST_SECRET_SPORTRADAR": SHARED_SECRET,
            "INGEST_SECRET_STATSPERFORM": SHARED_SECRET,
        }
        super().__init__(folder, **(defaults | settings))
        self._deliveries = itertools.count(1)

    def command(self, name: str) -> list[str]:
        """What Redis has said yes to is there after SIGKILL, as on a platform with a replica."""
        return super().command(name) + (list(REMEMBERS) if name == "redis" else [])

    def migrate(self) -> None:
        url = make_url(self.env["DATABASE_URL"])
        if url.get_backend_name() == "sqlite":
            Path(str(url.database)).write_bytes(migrated_file())
        else:
            super().migrate()

    @property
    def secrets(self) -> dict[str, str]:
        """By provider."""
        return {"generic": SECRET, "sportradar": SHARED_SECRET, "statsperform": SHARED_SECRET}

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Closed after the answer: an open connection, idle or not, holds up the end of the web process."""
        headers = {"Connection": "close"} | options.pop("headers", {})
        return requests.request(method, self.url + path, headers=headers, **({"timeout": 30} | options))

    # A sender.

    def post(self, body: object, provider: str = "generic", delivery: str = "") -> requests.Response:
        """One delivery as the provider would make it; `body` is JSON or, as bytes, goes as it is."""
        data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        delivery = delivery or f"test-{next(self._deliveries)}"
        if provider == "generic":
            headers = signed(SECRET, delivery, data, datetime.now(UTC))
        else:
            headers = {"webhook-id": delivery, "X-Ingest-Secret": SHARED_SECRET}
        headers["Content-Type"] = "application/json"
        return self.request("POST", f"/api/ingest/{provider}", data=data, headers=headers)

    def post_events(self, *events: dict[str, Any]) -> None:
        self._accepted({"events": list(events)})

    def post_match(self, match_id: str, home: str = "Home", away: str = "Away", **more: Any) -> None:
        self._accepted({"matches": [{"id": match_id, "home_team": home, "away_team": away} | more]})

    def _accepted(self, body: dict[str, Any]) -> None:
        answer = self.post(body)
        assert answer.status_code == 202, (answer.status_code, answer.text)
        assert "refused" not in answer.json(), answer.text

    # A reader.

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.request("GET", path, **options)

    def score(self, match_id: str) -> dict[str, Any]:
        """The score's body; {} while the match is not known."""
        answer = self.get(f"/api/score/{match_id}")
        assert answer.status_code in (200, 404), (answer.status_code, answer.text)
        return answer.json() if answer.ok else {}

    def shown(self, match_id: str) -> str:
        """`2-1`, or "" while there is none."""
        body = self.score(match_id)
        return f"{body['home_score']}-{body['away_score']}" if body else ""

    def wait_for(self, match_id: str, score: str) -> dict[str, Any]:
        """The body, once it shows this score."""
        wait_until(lambda: self.shown(match_id) == score, f"{score} of {match_id}")
        return self.score(match_id)

    def wait_settled(self, timeout_s: float = 120.0) -> None:
        """Until every accepted update is applied and written to history."""
        try:
            wait_until(self.is_settled, "inboxes and outboxes to be empty", timeout_s)
        except pytest.fail.Exception:
            with suppress(requests.RequestException):
                print("unsettled:", self.get("/readyz").text)
            raise

    def is_settled(self) -> bool:
        with suppress(requests.RequestException):
            state = self.get("/readyz").json()
            return bool(state["status"] == "ready" and state["ingest_waiting"] == state["history_lag_ms"] == 0)
        return False

    # An operator.

    @cached_property
    def redis(self) -> redis.Redis:
        return connect(self.redis_url)

    @cached_property
    def sql(self) -> Engine:
        return engine(self.settings.sql_url)

    def logs(self) -> list[tuple[str, str]]:
        """By process, the last of each."""
        return [(path.name, path.read_text(errors="replace")[-8_000:]) for path in sorted(self.folder.glob("*.log"))]

    def end(self) -> None:
        super().end()
        self.redis.close()
        self.sql.dispose()


def event(match_id: str, event_type: str, home: int, away: int, minute: int, **more: Any) -> dict[str, Any]:
    """The six fields that every sender has, the time being now, and any others."""
    fields = {"match_id": match_id, "event_type": event_type, "home_score": home, "away_score": away, "minute": minute}
    return fields | {"timestamp": datetime.now(UTC).isoformat()} | more
