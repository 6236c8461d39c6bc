"""`flask secret` and `flask refused …`: what was refused is listed, shown, mended and replayed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from api.services import now_ms
from db.live import keys
from db.refusal import RefusedPayload
from feeds import FEEDS
from feeds.result import ParseResult
from tests.api.conftest import Site, event


def run(site: Site, *args: str) -> Result:
    return site.app.test_cli_runner().invoke(args=args)


def refuse(site: Site, body: Any = b"{") -> str:
    """Have a delivery refused; its id."""
    assert site.deliver(body).status_code in (400, 422)
    return run(site, "refused", "list").stdout.split()[0]


def mended(body: bytes, *, received_at: int) -> ParseResult:
    return FEEDS["sportradar"](b'{"sport_event": {"id": "sr:match:1"}}', received_at=received_at)


def test_a_secret_is_fresh_and_fits_the_door(site: Site) -> None:
    first, second = (run(site, "secret").stdout.strip() for _ in range(2))
    assert first.startswith("whsec_")
    assert len(base64.b64decode(first.removeprefix("whsec_"))) == 32
    assert first != second


def test_nothing_refused_is_said_so(site: Site) -> None:
    result = run(site, "refused", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "Nothing was refused" in result.stderr


def test_what_was_refused_is_listed_newest_first(either: Site) -> None:
    first = refuse(either, b"{")
    second = refuse(either, {"events": [event(minute=-1)]})
    lines = run(either, "refused", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [second, first]
    assert "invalid: events[0].minute: " in lines[0]
    assert "not_json: The body is not JSON." in lines[1]
    assert len(run(either, "refused", "list", "--limit", "1").stdout.splitlines()) == 1


def test_a_provider_that_repeats_itself_fills_one_row(site: Site) -> None:
    assert refuse(site) == refuse(site)
    assert len(run(site, "refused", "list").stdout.splitlines()) == 1


def test_a_refused_body_is_shown_as_it_came(either: Site) -> None:
    body = '{"events": ["Zoë \\u0000"]}'.encode()
    shown = run(either, "refused", "show", refuse(either, body))
    assert shown.stdout_bytes.rstrip(b"\n") == body
    assert "generic" in shown.stderr


@pytest.mark.parametrize("command", ["show", "replay"])
def test_an_unknown_id_is_an_error(site: Site, command: str) -> None:
    result = run(site, "refused", command, "nobody")
    assert result.exit_code == 1
    assert "no refused payload nobody" in result.stderr


def test_a_payload_that_is_still_wrong_stays_refused(site: Site) -> None:
    id_ = refuse(site, {"events": [event(minute=-1)]})
    result = run(site, "refused", "replay", id_)
    assert result.exit_code == 1
    assert "still refused" in result.stderr
    assert "events[0].minute" in result.stderr
    assert (site.waiting(), run(site, "refused", "list").stdout.split()[0]) == (0, id_)


def test_a_mended_payload_is_replayed_and_listed_no_more(either: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = refuse(either)
    monkeypatch.setitem(FEEDS, "generic", mended)
    result = run(either, "refused", "replay", id_)
    assert result.exit_code == 0, result.output
    assert f"{id_}  1 updates accepted" in result.stdout
    either.work()
    assert either.get("/api/score/sr:sport_event:1").status_code == 200
    assert run(either, "refused", "list").stdout == ""
    assert run(either, "refused", "list", "--all").stdout.split()[0] == id_


def test_what_is_still_wrong_of_a_payload_becomes_a_payload_of_its_own(either: Site) -> None:
    """As a release that reads more of it leaves it: what could not be read at all is right in part now."""
    body = json.dumps({"events": [event("good"), event("bad", minute=-1)]}).encode()
    kept = RefusedPayload("older", "generic", now_ms(), "invalid", "unread", body)
    either.services.history.refused_payloads.keep([kept])
    result = run(either, "refused", "replay", "older")
    assert result.exit_code == 0, result.output
    assert "older  1 updates accepted" in result.stdout
    either.work()
    assert either.get("/api/score/good").status_code == 200
    [line] = run(either, "refused", "list").stdout.splitlines()
    assert "invalid: events[0].minute: " in line
    assert f"1 entries are still refused: {line.split()[0]}" in result.stdout
    assert run(either, "refused", "replay", line.split()[0]).exit_code == 1


def test_replaying_twice_changes_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = refuse(site)
    monkeypatch.setitem(FEEDS, "generic", mended)
    run(site, "refused", "replay", id_)
    site.work()
    before = site.get("/api/score/sr:sport_event:1").get_json()["version"]
    run(site, "refused", "replay", id_)
    site.work()
    assert site.get("/api/score/sr:sport_event:1").get_json()["version"] == before


def test_without_redis_the_commands_do_not_pretend(make_site: Callable[..., Site], sqlite_url: str) -> None:
    away = make_site(sqlite_url, redis_url="redis://127.0.0.1:1/0")
    assert run(away, "refused", "list").exit_code != 0


def test_a_payload_that_sql_or_redis_cannot_give_back_hides_no_other(either: Site) -> None:
    good = refuse(either)
    either.services.live.refusals.keep(RefusedPayload("bad", "generic", 10**17, "invalid", "after the year 9999", b"x"))
    either.services.live.redis.xadd(keys.REFUSED, {"id": "torn", "body": b"not compressed"})
    result = run(either, "refused", "list")
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.stdout.splitlines()] == [good]
    assert either.services.live.refusals.waiting() == 0


def test_a_replay_whose_bell_cannot_be_rung_is_a_replay(
    make_site: Callable[..., Site], sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The updates are safe, and the clock rings."""
    site = make_site(sqlite_url, rq_redis_url="redis://127.0.0.1:1/0")
    id_ = refuse(site)
    monkeypatch.setitem(FEEDS, "generic", mended)
    result = run(site, "refused", "replay", id_)
    assert (result.exit_code, site.waiting()) == (0, 1), result.output
    assert run(site, "refused", "list").stdout == ""


SUMMARY = b'{"sport_event": {"id": "sr:sport_event:7"}, "sport_event_status": {"status": "live"}}'
LEAGUE = b'[{"matchID": 7, "matchIsFinished": true}]'


@pytest.mark.parametrize(
    ("feed", "body", "match_id"),
    [("sportradar_rest", SUMMARY, "sr:sport_event:7"), ("openligadb", LEAGUE, "openligadb-7")],
)
def test_what_a_connected_feed_refused_is_replayed_by_its_own_parser(
    site: Site, feed: str, body: bytes, match_id: str
) -> None:
    site.services.history.refused_payloads.keep([RefusedPayload("kept", feed, now_ms(), "invalid", "a fault", body)])
    result = run(site, "refused", "replay", "kept")
    assert result.exit_code == 0, result.output
    site.work()
    assert site.get(f"/api/score/{match_id}").status_code == 200


def test_a_feed_that_is_no_longer_configured_is_named(site: Site) -> None:
    site.services.history.refused_payloads.keep([RefusedPayload("kept", "gone", now_ms(), "invalid", "a fault", b"{}")])
    result = run(site, "refused", "replay", "kept")
    assert result.exit_code == 1
    assert "gone" in result.stderr
