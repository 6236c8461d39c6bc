"""A feed reader against an emulated provider and a real Redis, with a worker that applies what it accepts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from db.domain import Match
from db.live.feeds import FeedHealth, FeedStates, Lease
from db.live.store import LiveStore
from tests.conftest import wait_until
from workers.boot import WorkerServices
from workers.feed.runner import FeedRunner
from workers.feed.session import FeedReader, FeedSession
from workers.ingest import Drain


class FeedWorld:
    """The live state that a feed fills."""

    def __init__(self, services: WorkerServices) -> None:
        self.services = services
        self.live: LiveStore = services.live
        self.states = FeedStates(services.live.sharded)
        self._stop = Event()
        self._worker = threading.Thread(target=self._drain, daemon=True)
        self._worker.start()

    def session(self, reader: FeedReader, halt: Event) -> FeedSession:
        return self._session(reader, reader.name, halt)

    def runner(self, reader: FeedReader, stopping: Event) -> FeedRunner:
        return FeedRunner(reader, Lease(self.live.sharded, reader.name, reader.places), self._session, stopping)

    @contextmanager
    def reading(self, *readers: FeedReader) -> Iterator[None]:
        """While the block runs, the feeds are read as their process would."""
        stopping = Event()
        runners = [self.runner(reader, stopping) for reader in readers]
        for runner in runners:
            runner.start()
        try:
            yield
        finally:
            stopping.set()
            for runner in runners:
                runner.join(60)

    def match(self, match_id: str) -> Match | None:
        return self.live.matches.timeline(match_id)

    def shown(self, match_id: str) -> str:
        """`2-1 live`, or "" while nothing is known."""
        match = self.match(match_id)
        if match is None:
            return ""
        score = f"{match.score.home}-{match.score.away}" if match.score else "?"
        return f"{score} {match.status.value}"

    def wait_for(self, match_id: str, shown: str, timeout_s: float = 60.0) -> None:
        wait_until(lambda: self.shown(match_id) == shown, f"{shown} of {match_id}", timeout_s)

    def health(self, name: str) -> FeedHealth:
        """Once it has read of itself."""
        states: list[FeedHealth] = []

        def read() -> list[FeedHealth]:
            states[:] = [health for health in self.states.all() if health.name == name]
            return states

        wait_until(read, f"{name} to tell its health")
        return states[0]

    def close(self) -> None:
        self._stop.set()
        self._worker.join(60)

    def _session(self, reader: FeedReader, place: str, halt: Event) -> FeedSession:
        return FeedSession(reader, self.live, self.services.bells, self.states, place, halt, backlog_max=50_000)

    def _drain(self) -> None:
        drain = Drain(self.live, self.services.bells)
        while not self._stop.is_set():
            shards = self.live.inbox.overdue(2**53)
            for shard in shards:
                for match_id in self.live.inbox.pending(shard):
                    drain.match(match_id)
            if not shards:
                for shard in self.live.sharded.shards:
                    self.live.inbox.clear_bell(shard.number)
                time.sleep(0.02)
