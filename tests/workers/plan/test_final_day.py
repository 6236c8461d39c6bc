"""The last day of a season: ten kick-offs in one minute, an emulated Platform API, and clocks that die meanwhile."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask

from db.domain import Competition, MatchInfo, Stamp, Status, Team, Update
from db.domain.errors import Unavailable
from dev.emulators.heroku import Formation, PlatformServer
from workers import cli
from workers.boot import WorkerServices
from workers.history import write_batch
from workers.ingest import Drain
from workers.plan.booking import MINUTE_MS
from workers.plan.turns import KickoffTurns, readiness

# 19 May 2024, the Premier League's last: all at 16:00 in England.
MATCHES = (
    ("Arsenal", "Everton"),
    ("Brentford", "Newcastle"),
    ("Brighton", "Man United"),
    ("Burnley", "Forest"),
    ("Chelsea", "Bournemouth"),
    ("Crystal Palace", "Aston Villa"),
    ("Liverpool", "Wolves"),
    ("Luton", "Fulham"),
    ("Man City", "West Ham"),
    ("Sheffield United", "Tottenham"),
)
IDS = [f"pl-{number}" for number in range(len(MATCHES))]
NOW = time.time_ns() // 1_000_000
START = (NOW // MINUTE_MS + 60) * MINUTE_MS
CEILING = {"web": 6, "worker": 2}


class Edge:
    """Counts what is read."""

    def __init__(self) -> None:
        self.reads: Counter[str] = Counter()
        self.status = 200
        edge = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                edge.reads[self.path] += 1
                self.send_response(edge.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Day:
    """Redis, a database, an edge, Heroku, and clocks that take their turns."""

    def __init__(self, make_services: Callable[..., WorkerServices], database_url: str) -> None:
        self.edge = Edge()
        self.app = Formation("scores", "a-token", {"web": 1, "worker": 1, "clock": 1})
        self.platform = PlatformServer(self.app)
        self.services = make_services(
            database_url,
            public_url=self.edge.url,
            scale_heroku_app="scores",
            scale_heroku_token="a-token",
            scale_heroku_url=self.platform.url,
            scale_ceiling="web=6,worker=2",
        )
        self.tell(*(Update(id_, Stamp(NOW), NOW, info=info(n)) for n, id_ in enumerate(IDS)))
        self.services.kickoffs.say("competition:pl", 8_000)
        self.clocks = [self.clock(), self.clock()]
        self.most = dict(self.app.processes)

    def clock(self) -> KickoffTurns:
        return KickoffTurns(readiness(self.services), self.services.kickoffs, threading.Event())

    def tell(self, *updates: Update) -> None:
        self.services.live.inbox.accept(updates, now_ms=NOW)
        drain = Drain(self.services.live, self.services.bells)
        for update in updates:
            drain.match(update.match_id)
        while write_batch(self.services.live, self.services.history):
            pass

    def pass_(self, since: int, until: int) -> None:
        """Minutes from the start; both clocks try for each turn."""
        for minute in range(since, until):
            for clock in self.clocks:
                clock.take(START + minute * MINUTE_MS)
            self.most = {kind: max(count, self.most[kind]) for kind, count in self.app.processes.items()}

    @property
    def changes(self) -> list[dict[str, int]]:
        return [
            {update["type"]: update["quantity"] for update in document["updates"]}
            for method, document in self.app.calls
            if method == "PATCH"
        ]

    def close(self) -> None:
        self.edge.close()
        self.platform.close()


def info(number: int) -> MatchInfo:
    home, away = MATCHES[number]
    return MatchInfo(Team(home, home), Team(away, away), Competition("pl", "Premier League"), start_time=START)


@pytest.fixture
def day(make_services: Callable[..., WorkerServices], sqlite_url: str) -> Iterator[Day]:
    made = Day(make_services, sqlite_url)
    yield made
    made.close()


def paths(match_id: str) -> list[str]:
    details = [f"/api/matches/{match_id}", f"/api/score/{match_id}", f"/api/matches/{match_id}/events"]
    return [*details, f"/match/{match_id}"]


def test_scaled_once_and_back_once_and_no_match_missed_though_clocks_die(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    day.pass_(-60, -30)
    assert day.changes == []
    assert sum(day.edge.reads.values()) == 0

    # Killed between Heroku's yes and the note of it; the next clock asks again for the same.
    with monkeypatch.context() as killed:
        killed.setattr(type(day.services.kickoffs), "keep_wanted", die)
        with pytest.raises(Killed):
            day.clocks[0].take(START - 30 * MINUTE_MS)
    day.clocks = [day.clock(), day.clock()]
    day.pass_(-30, -5)
    # 80,000 viewers, twice, of 15,000 a process and two processes a dyno: the ceiling allows it.
    assert day.changes == [{"web": 6}]
    assert day.app.processes == {"web": 6, "worker": 1, "clock": 1}
    assert {path: day.edge.reads[path] for path in paths(IDS[0])} == dict.fromkeys(paths(IDS[0]), 1)

    # Killed while the edge is read: what was read is read again.
    with monkeypatch.context() as killed:
        killed.setattr(type(day.services.kickoffs), "note_warmed", die)
        with pytest.raises(Killed):
            day.clocks[1].take(START - 5 * MINUTE_MS)
    day.clocks = [day.clock(), day.clock()]
    day.pass_(-5, 1)
    assert all(day.edge.reads[path] >= 6 for id_ in IDS for path in paths(id_))

    day.tell(*(Update(id_, Stamp(NOW + 1), NOW, status=Status.FINISHED) for id_ in IDS[1:]))
    day.pass_(1, 100)
    assert day.changes[1:] == [{"web": 1}], "one match is left"
    day.tell(Update(IDS[0], Stamp(NOW + 1), NOW, status=Status.FINISHED))
    day.pass_(100, 160)
    assert day.changes[1:] == [{"web": 1}]
    assert day.app.processes == {"web": 1, "worker": 1, "clock": 1}
    assert all(day.most[kind] <= most for kind, most in CEILING.items())
    assert day.app.calls_left > 4_490


class Killed(BaseException):
    """As SIGKILL: nothing catches it."""


def die(*_args: object, **_kwargs: object) -> None:
    raise Killed


def test_a_match_that_redis_lost_is_back_before_its_readers(day: Day) -> None:
    day.services.live.redis.flushdb()
    day.pass_(-30, -29)
    assert None not in day.services.live.matches.versions(IDS)


def test_what_cannot_be_read_at_the_edge_is_tried_again_each_minute(day: Day) -> None:
    day.edge.status = 503
    day.pass_(-20, -18)
    day.edge.status = 200
    day.pass_(-18, -10)
    assert {day.edge.reads[path] for id_ in IDS for path in paths(id_)} == {3}


def test_a_platform_that_does_not_answer_is_asked_again_and_the_edge_is_warm_meanwhile(day: Day) -> None:
    day.app.broken = [503, 500]
    day.pass_(-30, -27)
    assert day.app.processes["web"] == 6
    assert day.edge.reads[paths(IDS[0])[0]] == 1


def test_a_limit_of_the_platform_is_met_once_and_not_asked_for_again(day: Day) -> None:
    day.app.sizes = {"web": "basic"}
    day.pass_(-30, 0)
    assert day.changes == [{"web": 6}]
    assert day.app.processes["web"] == 1, "a basic dyno is alone of its type"
    assert day.edge.reads[paths(IDS[0])[0]] >= 5


def test_an_operators_hand_is_left_alone_between_two_changes(day: Day) -> None:
    day.pass_(-30, -20)
    day.app.processes["web"] = 9
    day.pass_(-20, 0)
    assert day.app.processes["web"] == 9


def test_without_a_database_everything_stays_as_it_is(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    day.pass_(-30, -29)

    def away(*_args: object) -> None:
        raise Unavailable("gone")

    monkeypatch.setattr(type(day.services.history), "matches", away)
    day.pass_(-29, 10)
    assert day.app.processes["web"] == 6


def test_printed_it_does_nothing(day: Day) -> None:
    app = Flask("plan")
    cli.register(app, day.services.settings)
    at = time.strftime("%Y-%m-%dT%H:%M", time.gmtime((START - 60 * MINUTE_MS) / 1000))
    shown = app.test_cli_runner().invoke(args=["plan", "--at", at])
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert lines[0] == "2 times what is expected; floor web=1 worker=1, ceiling web=6 worker=2."
    assert lines[1] == "Without a CDN every viewer is a connection of the origin."
    kickoff = time.strftime("%H:%MZ", time.gmtime((START - 30 * MINUTE_MS) / 1000))
    assert f"{kickoff}  warm 10; web=6 worker=1  for 10 matches" in lines[2]
    assert "web=1 worker=1  for 0 matches" in lines[3]
    assert len([line for line in lines if "Man City - West Ham" in line and "8,000  word" in line]) == 1
    assert day.app.calls == []
    assert sum(day.edge.reads.values()) == 0


def test_an_operator_says_what_is_expected_and_takes_it_back(day: Day) -> None:
    app = Flask("plan")
    cli.register(app, day.services.settings)
    run = app.test_cli_runner().invoke
    assert "1,000,000 viewers" in run(args=["plan", "expect", "1000000", "--match", IDS[3]]).output
    assert day.services.kickoffs.words() == {"competition:pl": 8_000, f"match:{IDS[3]}": 1_000_000}
    assert "Taken back" in run(args=["plan", "expect", "0", "--match", IDS[3]]).output
    assert run(args=["plan", "expect", "5"]).exit_code == 2


@pytest.mark.parametrize("at", ["0001-01-01T00:00", "9999-12-31T23:59"])
def test_a_time_beyond_the_calendar_is_a_wrong_use(day: Day, at: str) -> None:
    app = Flask("plan")
    cli.register(app, day.services.settings)
    assert app.test_cli_runner().invoke(args=["plan", "--at", at]).exit_code == 2
