"""`python -m dev.local`, started as at a terminal, for tests of the command and of the page it serves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import requests

from config import Settings
from dev.replay.ingest_client import signed
from dev.system import free_port
from tests.conftest import ROOT, wait_until

ENDED_S = 60


class Local:
    """One start of the command in a terminal's foreground group, and what it printed."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder, self.port = folder, free_port()
        self.printed = folder / f"printed-{self.port}"
        ours = {field.name.upper() for field in fields(Settings)}
        given = {"PORT": self.port, "VAR_DIR": folder / "var", "HOST": "127.0.0.1", "WEB_CONCURRENCY": 1}
        given |= {"WORKER_PROCESSES": 1} | settings
        env = {name: value for name, value in os.environ.items() if name not in ours}
        with self.printed.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dev.local"],
                cwd=ROOT,
                env=env | {name: str(value) for name, value in given.items()},
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.family: list[psutil.Process] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def var(self) -> Path:
        return self.folder / "var"

    def lock(self) -> str:
        """The process ids of those who hold the folder; "" before there is one."""
        path = self.var / "lock"
        return path.read_text() if path.exists() else ""

    def output(self) -> str:
        return self.printed.read_text()

    def up(self) -> Local:
        wait_until(lambda: "Scores are at" in self.output() or self.process.poll() is not None, "its one line")
        assert self.process.poll() is None, self.output()
        self.look()
        return self

    def look(self) -> list[psutil.Process]:
        """It and all it has started; remembered, so that none can hide by losing its parent."""
        with suppress(psutil.NoSuchProcess):
            own = psutil.Process(self.process.pid)
            self.family = list({*self.family, own, *own.children(recursive=True)})
        return self.family

    def interrupt(self) -> int:
        """Ctrl-C: the terminal signals the whole foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.over()

    def over(self) -> int:
        """Its exit status, once nothing of it is left."""
        status = self.process.wait(ENDED_S)
        assert self.left() == [], self.output()
        return status

    def left(self) -> list[psutil.Process]:
        return psutil.wait_procs(self.family, timeout=ENDED_S)[1]

    def get(self, path: str) -> Any:
        answer = requests.get(self.url + path, headers={"Connection": "close"}, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def board(self) -> dict[str, Any]:
        return {match["match_id"]: match for match in self.get("/api/live")["matches"]}

    def post(self, secret: str, *events: dict[str, Any]) -> int:
        body = json.dumps({"events": events}).encode()
        headers = signed(secret, events[0]["event_id"], body, datetime.now(UTC)) | {"Connection": "close"}
        return requests.post(f"{self.url}/api/ingest/generic", body, headers=headers, timeout=10).status_code

    def shows(self, match_id: str, home: int) -> bool:
        with suppress(requests.HTTPError):
            return bool(self.get(f"/api/score/{match_id}")["home_score"] == home)
        return False
