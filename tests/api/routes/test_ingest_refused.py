"""What an endpoint refuses once it has looked at it: all of a body, or single matches; kept with the reason."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.conftest import Site, error, event, fields, fixture
from tests.conftest import RedisServer

GOOD = json.dumps({"events": [event()]}).encode()


def rfc3339(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()


# All of a body.


def deep(levels: int) -> bytes:
    return b'{"events": ' + b"[" * levels + b"]" * levels + b"}"


NOT_JSON = [
    pytest.param(b"", id="empty"),
    pytest.param(b"goal!", id="words"),
    pytest.param(b'{"events": [', id="cut off"),
    pytest.param(b'{"events": []} x', id="more behind"),
    pytest.param(b"{'events': []}", id="single quotes"),
    pytest.param(b'{"events": [], "x": NaN}', id="NaN"),
    pytest.param(b'{"events": [], "x": -Infinity}', id="Infinity"),
    pytest.param(b'{"events": [], "x": ' + b"9" * 5_000 + b"}", id="a number of 5,000 digits"),
    pytest.param(deep(100_000), id="100,000 levels deep"),
    pytest.param(b'{"events": [], "x": "\xff\xfe"}', id="not UTF-8"),
]


@pytest.mark.parametrize("body", NOT_JSON)
def test_what_is_not_json_is_kept_and_answered_400(site: Site, body: bytes) -> None:
    answer = site.deliver(body)
    assert error(answer) == (400, "not_json")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert (site.waiting(), site.refused()) == (0, [("not_json", body)])


def faulty(**wrong: Any) -> dict[str, Any]:
    return {"events": [event(), event(**wrong)]}


def alone(**wrong: Any) -> dict[str, Any]:
    """For an id that cannot be read: it refuses its own entry only."""
    return {"events": [event(**wrong)]}


def without(name: str) -> dict[str, Any]:
    return {"events": [event(), {key: value for key, value in event().items() if key != name}]}


ENDLESS = GOOD.replace(b'"home_score": 1', b'"home_score": 1e999')
INVALID: list[tuple[str, Any, list[str]]] = [
    ("a negative score", faulty(home_score=-1), ["events[1].home_score"]),
    ("a score of 10,000", faulty(away_score=10_000), ["events[1].away_score"]),
    ("half a goal", faulty(home_score=1.5), ["events[1].home_score"]),
    ("a true score", faulty(home_score=True), ["events[1].home_score"]),
    ("a score without end", ENDLESS, ["events[0].home_score"]),
    ("a huge score", faulty(home_score=10**300), ["events[1].home_score"]),
    ("a huge sequence", faulty(sequence=10**400), ["events[1].sequence"]),
    ("a negative sequence", faulty(sequence=-1), ["events[1].sequence"]),
    ("a name of 4,000 letters", faulty(player="x" * 4_000), ["events[1].player.name"]),
    ("a remark of 4,000 letters", faulty(detail="x" * 4_000), ["events[1].detail"]),
    ("a NUL in a name", faulty(player="Zi\0zou"), ["events[1].player.name"]),
    ("a NUL in a remark", faulty(detail="\0"), ["events[1].detail"]),
    ("an escape in a name", faulty(assist={"name": "\x1b[2J"}), ["events[1].assist.name"]),
    ("half a surrogate pair in a name", faulty(player="\ud800"), ["events[1].player.name"]),
    ("half a surrogate pair in an id", alone(match_id="\ud800"), ["events[0].match_id"]),
    ("an id with a blank", alone(match_id="a b"), ["events[0].match_id"]),
    ("an id with a slash", alone(match_id="../etc"), ["events[0].match_id"]),
    ("an id with braces", alone(match_id="{m}"), ["events[0].match_id"]),
    ("an id with a line end", alone(match_id="m\n"), ["events[0].match_id"]),
    ("an id that is a step of a path", alone(match_id=".."), ["events[0].match_id"]),
    ("an id of 65", alone(match_id="m" * 65), ["events[0].match_id"]),
    ("an empty id", alone(match_id=""), ["events[0].match_id"]),
    ("an id in Arabic digits", alone(match_id="٣"), ["events[0].match_id"]),
    ("no match_id", {"events": [{**event(), "match_id": None}]}, ["events[0].match_id"]),
    ("a minute before kick-off", faulty(minute=-1), ["events[1].minute"]),
    ("a minute in words", faulty(minute="ninety"), ["events[1].minute"]),
    ("a minute of 1,000", faulty(minute=1_000), ["events[1].minute"]),
    ("a day of 32", faulty(timestamp="2026-05-32T00:00:00Z"), ["events[1].timestamp"]),
    ("a time in seconds", faulty(timestamp=1_767_225_600), ["events[1].timestamp"]),
    ("a time without a zone", faulty(timestamp="2026-05-01T18:00:00"), ["events[1].timestamp"]),
    ("a time before any", faulty(timestamp="0001-01-01T00:00:00+14:00"), ["events[1].timestamp"]),
    ("a time after all", faulty(timestamp="9999-12-31T23:59:59-14:00"), ["events[1].timestamp"]),
    ("the day after tomorrow", faulty(timestamp=rfc3339(time.time() + 2 * 86_400)), ["events[1].timestamp"]),
    ("a third side", faulty(team="referee"), ["events[1].team"]),
    ("a type of odd letters", faulty(event_type="go al!"), ["events[1].event_type"]),
    ("a type of 65", faulty(event_type="x" * 65), ["events[1].event_type"]),
    ("no type", faulty(event_type=None), ["events[1].event_type"]),
    ("half a shoot-out", faulty(shootout={"home": 1}), ["events[1].shootout.away"]),
    ("an event of words", {"events": ["goal"]}, ["events[0]"]),
    ("events that are no list", {"events": {}}, ["events"]),
    ("events that are nothing", {"events": None}, ["events"]),
    ("neither events nor matches", {"goals": []}, [""]),
    ("a list", [event()], [""]),
    ("a word", "goal", [""]),
    ("nothing", None, [""]),
    ("a match without its id", {"matches": [{"home_team": "A"}]}, ["matches[0].id"]),
    ("a start before any", {"matches": [fixture(start_time="0001-01-01T00:00:00Z")]}, ["matches[0].start_time"]),
    ("a team without a name", {"matches": [fixture(home_team={"id": "a"})]}, ["matches[0].home_team.name"]),
    ("a venue with a NUL", {"matches": [fixture(venue="a\0")]}, ["matches[0].venue"]),
    ("deep lists", deep(200), ["events[0]"]),
]  # fmt: skip
INVALID += [
    (f"no {name}", without(name), [f"events[1].{name}"])
    for name in ("home_score", "away_score", "minute", "event_type", "timestamp")
]


@pytest.mark.parametrize(("body", "wrong"), [pytest.param(body, wrong, id=name) for name, body, wrong in INVALID])
def test_what_is_wrong_is_named_kept_and_nothing_of_it_applied(site: Site, body: Any, wrong: list[str]) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = site.deliver(raw)
    assert error(answer) == (422, "invalid")
    assert fields(answer) == wrong
    index = answer.get_json()["error"]["fields"][0].get("index")
    assert index == (int(wrong[0].split("[")[1].split("]")[0]) if "[" in wrong[0] else None)
    assert (site.waiting(), site.refused()) == (0, [("invalid", raw)])


def test_every_fault_is_named(site: Site) -> None:
    answer = site.deliver({"events": [event(minute=-1, home_score=-1), event(), event(team="x")]})
    assert fields(answer) == ["events[0].home_score", "events[0].minute", "events[2].team"]


def test_a_body_of_faults_is_not_answered_with_as_many(site: Site) -> None:
    answer = site.deliver({"events": [{}] * 3_000})
    assert error(answer) == (422, "invalid")
    assert len(fields(answer)) == 100
    assert "18000" in answer.get_json()["error"]["message"]


def test_a_refused_delivery_may_come_again_mended_under_its_id(site: Site) -> None:
    assert site.deliver(faulty(minute=-1), id_="msg_x").status_code == 422
    assert site.deliver({"events": [event()]}, id_="msg_x").get_json() == {"accepted": 1}


@pytest.mark.parametrize(
    ("provider", "body", "code"),
    [
        ("sportradar", b"", (400, "not_json")),
        ("sportradar", b"{", (400, "not_json")),
        ("sportradar", b"\xff\xfe", (400, "not_json")),
        ("sportradar", b"[" * 100_000, (400, "not_json")),
        ("sportradar", b"{}", (422, "invalid")),
        ("sportradar", b"[1]", (422, "invalid")),
        ("sportradar", b'{"payload": {}, "metadata": {"sport_event_id": "x"}}', (422, "invalid")),
        ("statsperform", b"{", (400, "not_json")),
        ("statsperform", b"{}", (422, "invalid")),
        ("statsperform", b"null", (422, "invalid")),
    ],
)
def test_recorded_formats_are_refused_alike(site: Site, provider: str, body: bytes, code: tuple[int, str]) -> None:
    assert error(site.hand_over(provider, body)) == code
    assert (site.waiting(), site.refused()) == (0, [(code[1], body)])


# Single matches of a body.

WRONG = {
    "events": [event("good"), event("bad", minute=-1), event("bad"), event("good", home_score=2)],
    "matches": [fixture("bad"), fixture("good")],
}
COMPANION = "another entry of its match is refused"


def test_a_match_that_is_wrong_is_refused_and_the_rest_accepted(site: Site) -> None:
    answer = site.deliver(WRONG)
    assert answer.status_code == 202
    body = answer.get_json()
    message = body["refused"][0]["fields"][0]["message"]
    assert body == {
        "accepted": 3,
        "refused": [
            {"list": "events", "index": 1, "fields": [{"field": "events[1].minute", "message": message}]},
            {"list": "events", "index": 2, "fields": [{"field": "events[2]", "message": COMPANION}]},
            {"list": "matches", "index": 0, "fields": [{"field": "matches[0]", "message": COMPANION}]},
        ],
    }
    site.work()
    assert site.get("/api/score/good").get_json()["home_score"] == 2
    assert site.get("/api/score/bad").status_code == 404


def test_only_what_was_refused_is_kept_with_its_reason(site: Site) -> None:
    site.deliver(WRONG)
    [(_, kept)] = site.services.live.refusals.entries(100)
    assert (kept.provider, kept.code) == ("generic", "invalid")
    assert json.loads(kept.body) == {"events": WRONG["events"][1:3], "matches": WRONG["matches"][:1]}
    assert kept.reason.splitlines()[1].startswith("events[0].minute: ")


def test_what_was_refused_is_kept_once_however_often_it_comes(site: Site) -> None:
    first = site.deliver(WRONG, id_="msg_x").get_json()
    again = site.deliver(WRONG, id_="msg_x").get_json()
    assert (first["accepted"], again["accepted"]) == (3, 0)
    assert again["refused"] == first["refused"]
    site.work()
    assert len(site.services.history.refused_payloads.newest(10)) == 1


def test_a_delivery_that_is_to_come_again_is_refused_again(make_site: Callable[..., Site], sqlite_url: str) -> None:
    """Busy: neither part of it is taken, so neither is lost when it comes again."""
    site = make_site(sqlite_url, ingest_backlog=0)
    assert site.deliver({"events": [event("first")]}).status_code == 202
    assert error(site.deliver(WRONG, id_="msg_x")) == (429, "busy")
    site.work()
    assert site.deliver(WRONG, id_="msg_x").get_json()["accepted"] == 3
    assert len(site.refused()) == 1


def test_every_refused_entry_is_named_and_the_first_hundred_faults(site: Site) -> None:
    answer = site.deliver({"events": [event("good"), *[{"match_id": f"m{n}"} for n in range(200)]]})
    refused = answer.get_json()["refused"]
    assert [entry["index"] for entry in refused] == list(range(1, 201))
    assert sum(len(entry["fields"]) for entry in refused) == 100


def test_a_delivery_too_far_ahead_in_one_match_keeps_no_other_from_being_taken(site: Site) -> None:
    late = event("late", timestamp=rfc3339(time.time() + 2 * 86_400))
    answer = site.deliver({"events": [late, event("good")]}).get_json()
    assert answer["accepted"] == 1
    assert [field["field"] for field in answer["refused"][0]["fields"]] == ["events[0].timestamp"]


def test_where_redis_is_away_nothing_is_said_to_be_refused(site: Site, redis_server: RedisServer) -> None:
    if site.services.live.sharded.is_cluster:
        pytest.skip("six to stop")
    redis_server.stop()
    try:
        assert error(site.deliver(WRONG, id_="msg_x")) == (503, "unavailable")
    finally:
        redis_server.start()
    assert site.deliver(WRONG, id_="msg_x").get_json()["accepted"] == 3


def test_a_byte_order_mark_is_skipped_at_every_endpoint(site: Site) -> None:
    mark = b"\xef\xbb\xbf"
    assert site.deliver(mark + GOOD).get_json() == {"accepted": 1}
    body = {"sport_event": {"id": "sr:sport_event:1"}, "sport_event_status": {"status": "live"}}
    assert site.hand_over("sportradar", mark + json.dumps(body).encode()).get_json() == {"accepted": 1}
    ma1 = json.dumps({"matchInfo": {"id": "u1"}, "liveData": {}}).encode()
    assert site.hand_over("statsperform", mark + ma1).status_code == 202


def test_a_match_decided_after_extra_time_says_so(site: Site) -> None:
    site.tell(event("et", event_type="score", status="AET", minute=None))
    site.tell(event("pens", event_type="score", status="After Penalties", minute=None))
    decided = [site.get(f"/api/score/{id_}").get_json()["decided_by"] for id_ in ("et", "pens")]
    assert decided == ["extra_time", "penalties"]
