"""When the listener hears of a goal, seen from outside: by a match of its own with one reader."""

from __future__ import annotations

import json
import time
from http.client import HTTPConnection
from threading import Thread

from db.domain import Score, Stamp, Status, Update, reduce
from db.live.client import connect
from db.live.store import LiveStore
from dev.system import System


class OtherMatch:
    """One reader of another match, who measures how long after its commit a goal is heard of."""

    def __init__(self, system: System, match_id: str) -> None:
        self.system, self.match_id = system, match_id
        self.lags_ms: list[float] = []
        # By score, when it was committed (ms since the epoch), until the reader has it or a higher one.
        self.committed_at: dict[int, int] = {}
        self.ending = False
        self.live = LiveStore(connect(system.redis_url), system.settings.live_shards)
        self.commit(1)
        self.committed_at.clear()
        Thread(target=self._read, daemon=True).start()

    def commit(self, n: int) -> None:
        """As a worker does, without one: the score is n-0 from now on."""
        now = time.time_ns() // 1_000_000
        update = Update(self.match_id, Stamp(now, source="bench"), now, score=Score(n, 0), status=Status.FIRST_HALF)
        held = self.live.matches.load(self.match_id, ())
        after, facts = reduce(held.match, update)
        self.committed_at[n] = now
        if not self.live.commits.commit(held, after, facts, (), visible=True).done:
            raise RuntimeError(f"{self.match_id} was changed by somebody else")

    def end(self) -> None:
        self.ending = True
        self.live.redis.close()

    def _read(self) -> None:
        connection = HTTPConnection("127.0.0.1", self.system.port, timeout=60)
        path = f"/api/score/{self.match_id}"
        while not self.ending:
            connection.request("GET", path)
            answer = connection.getresponse()
            heard_ms = time.time() * 1000
            body = json.loads(answer.read())
            for score in [score for score in list(self.committed_at) if score <= body["home_score"]]:
                self.lags_ms.append(heard_ms - self.committed_at.pop(score))
            path = body["next"]
