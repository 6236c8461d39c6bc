"""`python -m dev.demo`: plays a match day through the signed door, over and over, at a visible pace.

It is a sender like any other: it knows the door's URL and its secret. Where it stands is kept under VAR_DIR, so a
second start plays on from there.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import time
from dataclasses import asdict, dataclass
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

# Messages of one look at the clock travel together, as a relay would send them.
LOOK_S = 0.2
BETWEEN_ROUNDS_S = 20
RETRY_S = 1.0


@dataclass
class DemoPosition:
    """Where the demo stands: which round, and how many messages of its plan are told."""

    round: int
    told: int = 0

    @classmethod
    def kept(cls, file: Path, now_ms: int) -> DemoPosition:
        try:
            return cls(**json.loads(file.read_text()))
        except (OSError, ValueError, TypeError):
            return cls(round=now_ms // 1000)

    def keep(self, file: Path) -> None:
        written = file.with_suffix(".new")
        written.write_text(json.dumps(asdict(self)))
        written.replace(file)


class DemoClient:
    """The generic door, signed, and knocked at until it opens."""

    def __init__(self, url: str, secret: str, stopping: Event) -> None:
        self.url, self.webhook, self.stopping = url, Webhook(secret), stopping
        self.http = requests.Session()
        self.http.trust_env = False  # the door is on this machine, where no proxy of the environment leads

    def send(self, delivery_id: str, body: dict[str, Any]) -> None:
        """Returns once it is accepted. A refusal is a bug of ours and propagates; a busy door is asked again."""
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
    """Rounds of the match day. speed: match minutes a minute."""

    def __init__(self, door: DemoClient, file: Path, speed: float, stopping: Event) -> None:
        self.door, self.file, self.speed, self.stopping = door, file, speed, stopping
        self.place = DemoPosition.kept(file, time.time_ns() // 1_000_000)

    def run(self) -> None:
        while not self.stopping.is_set():
            self._round()
            self.stopping.wait(BETWEEN_ROUNDS_S)
            self.place = DemoPosition(round=max(self.place.round + 1, time.time_ns() // 1_000_000_000))

    def _round(self) -> None:
        told = plan(fixtures(), self.place.round)
        left = told[self.place.told :]
        if not left:
            return
        logger.info("demo_round round=%d messages=%d left=%d", self.place.round, len(told), len(left))
        at_start = max(left[0].at, 0.0) if self.place.told else 0.0
        started_s = time.time() - at_start * 60 / self.speed
        while left and not self.stopping.is_set():
            due = [one for one in left if one.at <= (time.time() - started_s) * self.speed / 60]
            if due:
                self._tell(due, started_s)
                left = left[len(due) :]
            self.stopping.wait(LOOK_S)

    def _tell(self, due: list[PlannedMessage], started_s: float) -> None:
        """In as many deliveries as there are instants; matches and events of one instant travel together."""
        for at, group in groupby(due, key=lambda one: one.at):
            ones = list(group)
            body = {
                "matches": [self._match(one, started_s) for one in ones if one.kind == "match"],
                "events": [self._event(one, at, started_s) for one in ones if one.kind == "event"],
            }
            self.door.send(f"demo-{self.place.round}-{self.place.told}", body)
            self.place.told += len(ones)
            self.place.keep(self.file)

    def _match(self, one: PlannedMessage, started_s: float) -> dict[str, Any]:
        return one.body | {"start_time": self._moment(one.start_at, started_s)}

    def _event(self, one: PlannedMessage, at: float, started_s: float) -> dict[str, Any]:
        return one.body | {"timestamp": self._moment(at, started_s)}

    def _moment(self, at: float, started_s: float) -> str:
        return datetime.fromtimestamp(started_s + at * 60 / self.speed, UTC).isoformat()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dev.demo", description=__doc__)
    parser.add_argument("--speed", type=float, help="match minutes a minute (default: DEMO_SPEED, 30)")
    asked = parser.parse_args()
    settings = Settings.load()
    set_up_logs(settings.log_level)
    stopping = Event()
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: stopping.set())
    here, var = f"http://127.0.0.1:{settings.port}", Path(settings.var_dir)
    if settings.control_url:
        Phones(here, settings.control_url, var / "demo_phones.json", stopping).lay()
    door = DemoClient(f"{here}/api/ingest/generic", settings.ingest_secret_generic, stopping)
    Demo(door, var / "demo.json", asked.speed or settings.demo_speed, stopping).run()


if __name__ == "__main__":
    main()
