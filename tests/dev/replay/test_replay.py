"""The replay's arguments, its secrets, and its manners at the endpoint."""

from __future__ import annotations

import json
import threading
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from config import Settings
from db.domain.errors import Refused
from dev.replay import __main__, settlement
from dev.replay.disorder import WINDOW
from dev.replay.ingest_client import signed
from tests.conftest import SECRET, SHARED_SECRET, free_port

CUP = {
    "name": "Cup 2024/25",
    "matches": [
        {"date": "2024-08-01", "time": "18:00", "team1": "A", "team2": "B", "score": {"ht": [1, 0], "ft": [2, 1]}},
        {"date": "2024-08-02", "time": "18:00", "team1": "C", "team2": "D", "score": {"ht": [0, 0], "ft": [0, 0]}},
    ],
}


@pytest.fixture
def cup(tmp_path: Path) -> Path:
    path = tmp_path / "cup.json"
    path.write_text(json.dumps(CUP))
    return path


def options(*words: str) -> Namespace:
    return __main__.parser().parse_args(["file", *words])


class TestArguments:
    def test_speed_is_a_number_or_max(self) -> None:
        assert (options("--speed", "120").speed, options("--speed", "max").speed, options().speed) == (120.0, 0.0, 60.0)

    @pytest.mark.parametrize(
        "words",
        [
            ("--speed", "0"),
            ("--speed", "fast"),
            ("--speed", "nan"),
            ("--connections", "0"),
            ("--duplicates", "101"),
            ("--batch", "-1"),
            ("--shuffle", "0"),
            ("--shuffle", "some"),
        ],
    )
    def test_a_senseless_value_is_refused_with_status_2(
        self, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit, match="2"):
            options(*words)
        assert words[0] in capsys.readouterr().err

    def test_the_window_of_a_shuffle_is_a_number_or_the_whole_match(self) -> None:
        windows = [options(*words).shuffle for words in ((), ("--shuffle",), ("--shuffle", "20"), ("--shuffle", "all"))]
        assert windows == [0, WINDOW, 20, None]

    def test_all_shuffles_each_match_whole(self, cup: Path) -> None:
        chosen = __main__.parser().parse_args([str(cup), "--match", "a-b", "--shuffle", "all", "--seed", "3"])
        messages = __main__.load(chosen)[0] * 20
        order = [delivery.message.body for delivery in __main__.plan(messages, chosen, "n")]
        assert order != [message.body for message in messages]
        assert sorted(order) == sorted(message.body for message in messages)

    def test_help_shows_examples_and_exit_status(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit, match="0"):
            options("--help")
        shown = capsys.readouterr().out
        assert "examples:" in shown
        assert "exit status" in shown
        for words in ("NFL and MLB push", "v4", "--shuffle [N|all]", "--twice included"):
            assert words in shown

    def test_a_file_that_is_not_there_is_told_with_status_2(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert __main__.main(["absent.json", "--secret", SECRET]) == 2
        assert "absent.json: No such file" in capsys.readouterr().err

    def test_a_match_that_no_file_has_is_told_with_those_there_are(
        self, cup: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert __main__.main([str(cup), "--secret", SECRET, "--match", "final"]) == 2
        assert "cup-2024-08-01-a-b" in capsys.readouterr().err

    def test_only_the_matches_asked_for_are_loaded_under_their_new_ids(self, cup: Path) -> None:
        chosen = __main__.parser().parse_args([str(cup), "--match", "a-b", "--suffix", ".2"])
        messages, expected = __main__.load(chosen)
        assert {message.match_id for message in messages} == set(expected) == {"cup-2024-08-01-a-b.2"}
        assert b'"cup-2024-08-01-a-b.2"' in messages[-1].body

    def test_the_same_seed_gives_the_same_deliveries(self, cup: Path) -> None:
        words = [str(cup), "--shuffle", "--twice", "--duplicates", "30", "--seed"]
        plans = []
        for seed in ("5", "5", "6"):
            chosen = __main__.parser().parse_args([*words, seed])
            plans.append(__main__.plan(__main__.load(chosen)[0], chosen, "n"))
        assert plans[0] == plans[1] != plans[2]


class TestSecrets:
    def test_the_one_given_opens_every_door(self) -> None:
        assert set(__main__.provider_secrets("s", Settings(), {"sportradar"}).values()) == {"s"}

    def test_the_environments_are_used(self) -> None:
        settings = Settings(ingest_secret_generic=SECRET, ingest_secret_sportradar=SHARED_SECRET)
        keys = __main__.provider_secrets(None, settings, {"generic", "sportradar"})
        assert (keys["generic"], keys["sportradar"]) == (SECRET, SHARED_SECRET)

    def test_the_embedded_runs_own_is_found(self, tmp_path: Path) -> None:
        (tmp_path / "ingest_secret_generic").write_text(SECRET + "\n")
        assert __main__.provider_secrets(None, Settings(var_dir=str(tmp_path)), {"generic"})["generic"] == SECRET

    def test_a_door_without_one_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(Refused, match="INGEST_SECRET_STATSPERFORM"):
            __main__.provider_secrets(None, Settings(var_dir=str(tmp_path)), {"statsperform"})

    def test_one_that_cannot_sign_is_refused(self) -> None:
        with pytest.raises(Refused, match="whsec_"):
            __main__.provider_secrets("x", Settings(), {"generic"})


def test_what_is_signed_verifies_at_the_door() -> None:
    body = b'{"events": []}'
    headers = signed(SECRET, "replay-1", body, datetime.now(UTC))
    assert Webhook(SECRET).verify(body, headers) == {"events": []}


class FakeEndpoint(ThreadingHTTPServer):
    """Answers as told, then 202; remembers what it took; serves the score of a 2-1 and a goalless match.

    backlogs: what /readyz says waits, one after another, the last for good; None is a service that does not say. Once
    looks at scores are more than `right_for`, all scores are 9-9, as if a late message had been applied. Each look
    meets a new version, unless `still`.
    """

    def __init__(self) -> None:
        self.backlogs: list[int | None] = [0]
        self.right_for: float = float("inf")
        self.looks = 0
        self.still = False
        self.age: str | None = None
        self.first_answers: list[tuple[int, dict[str, Any]]] = []
        self.taken: list[tuple[str, bytes]] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: FakeEndpoint
    protocol_version = "HTTP/1.1"
    # An answer is two writes; the second would wait until the first is acknowledged, 40 ms on an open connection.
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Webhook(SECRET).verify(body, dict(self.headers))
        self.server.taken.append((self.headers["webhook-id"], body))
        self.answer(*(self.server.first_answers.pop(0) if self.server.first_answers else (202, {"accepted": 1})))

    def do_GET(self) -> None:
        if self.path == "/readyz":
            backlogs = self.server.backlogs
            waiting = backlogs.pop(0) if len(backlogs) > 1 else backlogs[0]
            self.answer(*((404, {}) if waiting is None else (200, {"ingest_waiting": waiting})))
            return
        self.server.looks += 1
        home, away = (2, 1) if self.path.endswith("a-b") else (0, 0)
        if self.server.looks > self.server.right_for:
            home = away = 9
        version = 1 if self.server.still else self.server.looks
        body = {"home_score": home, "away_score": away, "status": "finished", "shootout": None, "version": version}
        self.answer(200, body)

    def answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Retry-After", "0")
        if self.server.age is not None:
            self.send_header("Age", self.server.age)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[FakeEndpoint]:
    server = FakeEndpoint()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def run(cup: Path, url: str, *words: str) -> int:
    return __main__.main([str(cup), "--url", url, "--secret", SECRET, "--speed", "max", *words])


class TestAtTheDoor:
    def test_all_matches_arrive_and_the_table_says_so(
        self, cup: Path, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(cup, endpoint.url) == 0
        rows = [[cell.strip() for cell in line.split("|")] for line in capsys.readouterr().out.splitlines()]
        assert rows == [
            ["match", "expected", "got", ""],
            ["cup-2024-08-01-a-b", "2-1 finished", "2-1 finished", "ok"],
            ["cup-2024-08-02-c-d", "0-0 finished", "0-0 finished", "ok"],
            ["2 of 2 as recorded"],
        ]

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_busy_endpoint_gets_the_same_delivery_again(self, cup: Path, endpoint: FakeEndpoint, status: int) -> None:
        endpoint.first_answers = [(status, {}), (status, {})]
        assert run(cup, endpoint.url, "--match", "a-b") == 0
        assert endpoint.taken[0] == endpoint.taken[1] == endpoint.taken[2]
        assert endpoint.taken[2] != endpoint.taken[3]

    def test_a_refusal_ends_it_with_every_fault(
        self, cup: Path, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]
    ) -> None:
        faults = [{"field": "events[0].minute", "message": "must be a whole number"}]
        endpoint.first_answers = [(422, {"error": {"code": "invalid", "message": "Not taken.", "fields": faults}})]
        assert run(cup, endpoint.url, "--connections", "1") == 2
        assert len(endpoint.taken) == 1
        shown = capsys.readouterr().err
        assert "422" in shown
        assert "events[0].minute: must be a whole number" in shown

    def test_a_delivery_refused_in_part_ends_it_too(
        self, cup: Path, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fields = [{"field": "events[0].minute", "message": "must be a whole number"}]
        endpoint.first_answers = [(202, {"accepted": 1, "refused": [{"list": "events", "index": 0, "fields": fields}]})]
        assert run(cup, endpoint.url, "--connections", "1") == 2
        assert len(endpoint.taken) == 1
        assert "events[0].minute: must be a whole number" in capsys.readouterr().err

    def test_another_end_than_recorded_is_status_1(
        self, cup: Path, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(cup, endpoint.url, "--suffix", ".2", "--match", "a-b", "--settle", "0") == 1
        assert "2-1 finished | 0-0 finished | differs" in capsys.readouterr().out

    def test_nobody_at_the_door_is_told_with_a_hint(self, cup: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(cup, f"http://127.0.0.1:{free_port()}") == 2
        assert "--url" in capsys.readouterr().err

    def test_an_interrupted_replay_says_how_far_it_came(
        self, cup: Path, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(__main__, "settle", interrupted)
        assert run(cup, endpoint.url) == 130
        assert f"interrupted after {len(endpoint.taken)} of {len(endpoint.taken)}" in capsys.readouterr().err


class TestTheEnd:
    """A match that shows its end may still have messages to apply: those of the second telling above all."""

    @pytest.fixture(autouse=True)
    def _quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settlement, "ROUND_S", 0.01)
        monkeypatch.setattr(settlement, "QUIET_S", 0.2)
        monkeypatch.setattr(settlement, "EDGE_S", 0.2)

    def test_a_second_telling_that_changes_the_end_is_waited_for(self, cup: Path, endpoint: FakeEndpoint) -> None:
        endpoint.backlogs, endpoint.right_for = [7, 3, 0], 2
        assert run(cup, endpoint.url, "--match", "a-b", "--twice", "--settle", "1") == 1

    def test_all_that_waits_is_waited_for(self, cup: Path, endpoint: FakeEndpoint) -> None:
        endpoint.backlogs = [7, 3, 0]
        assert run(cup, endpoint.url, "--twice") == 0
        assert endpoint.backlogs == [0]

    def test_where_nothing_is_said_a_match_that_still_changes_is_waited_for(
        self, cup: Path, endpoint: FakeEndpoint
    ) -> None:
        endpoint.backlogs, endpoint.right_for = [None], 10
        assert run(cup, endpoint.url, "--match", "a-b", "--twice", "--settle", "1") == 1

    def test_where_others_send_too_a_match_that_stands_still_is_taken(self, cup: Path, endpoint: FakeEndpoint) -> None:
        endpoint.backlogs, endpoint.still = [5], True
        assert run(cup, endpoint.url, "--match", "a-b", "--settle", "5") == 0

    def test_a_match_that_has_more_to_apply_when_the_time_is_up_is_not_right(
        self, cup: Path, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]
    ) -> None:
        endpoint.backlogs = [5]
        assert run(cup, endpoint.url, "--match", "a-b", "--settle", "0") == 1
        assert "2-1 finished, more to apply" in capsys.readouterr().out

    def test_an_edge_s_copy_is_asked_for_again(self, cup: Path, endpoint: FakeEndpoint) -> None:
        endpoint.age, endpoint.right_for = "1", 2
        assert run(cup, endpoint.url, "--match", "a-b", "--settle", "1") == 1
