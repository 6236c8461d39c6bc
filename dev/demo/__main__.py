"""`python -m dev.demo`: sends a demo match day to the ingest endpoint, over and over, at a visible pace.

It is an ordinary sender with the endpoint's URL and secret. Its position is kept under VAR_DIR, so a second start
continues there.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from threading import Event
from typing import Any

import requests
from standardwebhooks import Webhook

from config import Settings, set_up_logs
from dev.demo.matchday import PlannedMessage, fixtures, plan
from dev.demo.phones import Phones

logger = logging.getLogger(__name__)

# Interval of the send loop: messages due together are sent together, as a relay would.
LOOK_S = 0.2
BETWEEN_ROUNDS_S = 20
RETRY_S = 1.0


@dataclass
class DemoPosition:
    """round: number of the current round.
    sent: messages of its plan sent so far.
    """

    round: int
    sent: int = 0

    @classmethod
    def kept(cls, file: Path, now_ms: int) -> DemoPosition:
        try:
            position = json.loads(file.read_text())
            return cls(position["round"], position["told"])
        except (OSError, ValueError, TypeError, KeyError):
            return cls(round=now_ms // 1000)

    def keep(self, file: Path) -> None:
        written = file.with_suffix(".new")
        written.write_text(json.dumps({"round": self.round, "told": self.sent}))
        written.replace(file)


class DemoClient:
    """Sends signed deliveries to the generic endpoint and retries until they are accepted."""

    def __init__(self, url: str, secret: str, stopping: Event) -> None:
        self.url, self.webhook, self.stopping = url, Webhook(secret), stopping
        self.http = requests.Session()
        self.http.trust_env = False  # the endpoint is on this machine; no proxy leads there

    def send(self, delivery_id: str, body: dict[str, Any]) -> None:
        """Returns once the body is accepted. A refusal is a bug and propagates; a busy service is retried."""
        data = json.dumps(body, ensure_ascii=False)
        while not self.stopping.is_set():
            try:
                answer = self.http.post(self.url, data.encode(), headers=self._headers(delivery_id, data), timeout=10)
            except requests.RequestException:
                self.stopping.wait(RETRY_S)
                continue
            if answer.status_code not in (429, 502, 503):
                answer.raise_for_status()
                if refused := answer.json().get("refused"):
                    raise RuntimeError(f"the demo sends what is refused: {refused}")
                return
            self.stopping.wait(float(answer.headers.get("Retry-After", RETRY_S)))

    def _headers(self, delivery_id: str, data: str) -> dict[str, str]:
        now = datetime.now(UTC)
        signature = self.webhook.sign(delivery_id, now, data)
        return {
            "webhook-id": delivery_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
            "Content-Type": "application/json",
        }


class Demo:
    """Plays rounds of the match day.

    speed: match minutes per minute. phones: None without emulators.
    """

    def __init__(
        self, client: DemoClient, file: Path, speed: float, stopping: Event, phones: Phones | None = None
    ) -> None:
        self.client, self.file, self.speed, self.stopping, self.phones = client, file, speed, stopping, phones
        self.place = DemoPosition.kept(file, time.time_ns() // 1_000_000)

    def run(self) -> None:
        while not self.stopping.is_set():
            self._round()
            self.stopping.wait(BETWEEN_ROUNDS_S)
            self.place = DemoPosition(round=max(self.place.round + 1, time.time_ns() // 1_000_000_000))

    def _round(self) -> None:
        messages = plan(fixtures(), self.place.round)
        left = messages[self.place.sent :]
        if not left:
            return
        logger.info("demo_round round=%d messages=%d left=%d", self.place.round, len(messages), len(left))
        if self.phones:
            self.phones.watch(message.body["id"] for message in messages if message.kind == "match")
        at_start = max(left[0].at, 0.0) if self.place.sent else 0.0
        started_s = time.time() - at_start * 60 / self.speed
        while left and not self.stopping.is_set():
            due = [message for message in left if message.at <= (time.time() - started_s) * self.speed / 60]
            if due:
                self._tell(due, started_s)
                left = left[len(due) :]
            self.stopping.wait(LOOK_S)

    def _tell(self, due: list[PlannedMessage], started_s: float) -> None:
        """One delivery per instant, with its matches and events."""
        for at, group in groupby(due, key=lambda message: message.at):
            messages = list(group)
            body = {
                "matches": [self._match(message, started_s) for message in messages if message.kind == "match"],
                "events": [self._event(message, at, started_s) for message in messages if message.kind == "event"],
            }
            self.client.send(f"demo-{self.place.round}-{self.place.sent}", body)
            self.place.sent += len(messages)
            self.place.keep(self.file)

    def _match(self, message: PlannedMessage, started_s: float) -> dict[str, Any]:
        return message.body | {"start_time": self._moment(message.start_at, started_s)}

    def _event(self, message: PlannedMessage, at: float, started_s: float) -> dict[str, Any]:
        return message.body | {"timestamp": self._moment(at, started_s)}

    def _moment(self, at: float, started_s: float) -> str:
        return datetime.fromtimestamp(started_s + at * 60 / self.speed, UTC).isoformat()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dev.demo", description=__doc__)
    parser.add_argument("--url", help="the service (default: on this machine, at PORT)")
    parser.add_argument("--speed", type=float, help="match minutes per minute (default: DEMO_SPEED, 30)")
    options = parser.parse_args()
    settings = Settings.load()
    set_up_logs(settings.log_level)
    stopping = Event()
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: stopping.set())
    service_url, var = options.url or f"http://127.0.0.1:{settings.port}", Path(settings.var_dir)
    phones = None
    if settings.control_url:
        phones = Phones(service_url, settings.control_url, var / "demo_phones.json", stopping)
        phones.lay()
    client = DemoClient(f"{service_url}/api/ingest/generic", settings.ingest_secrets("generic")[0], stopping)
    Demo(client, var / "demo.json", options.speed or settings.demo_speed, stopping, phones).run()


if __name__ == "__main__":
    main()
