"""The ingest endpoint: what is taken, what is refused with which word, and what is kept of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import signal
import time
from collections.abc import Callable

import pytest
import redis

from config import new_secret
from tests.api.conftest import Site, error, event, fixture, signature
from tests.conftest import SHARED_SECRET, RedisServer

GOOD = json.dumps({"events": [event()]}).encode()


# Taken.


def test_a_signed_event_is_safe_in_redis_when_202_is_said(site: Site) -> None:
    answer = site.deliver({"events": [event(), event("n")], "matches": [fixture()]})
    assert (answer.status_code, answer.get_json()) == (202, {"accepted": 3})
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert site.waiting() == 3
    assert {job.func_name for job in site.services.bells.queues["ingest"].jobs} == {"workers.ingest.drain_shard"}


def test_a_delivery_seen_before_is_taken_and_changes_nothing(site: Site) -> None:
    assert site.deliver({"events": [event()]}, id_="msg_x").get_json() == {"accepted": 1}
    again = site.deliver({"events": [event(home_score=5)]}, id_="msg_x")
    assert (again.status_code, again.get_json()) == (202, {"accepted": 0})
    assert len(site.services.live.inbox.head("m", 10).ids) == 1


def test_an_empty_delivery_is_taken_and_means_nothing(site: Site) -> None:
    for body in ({"events": []}, {"matches": []}, {"events": [], "matches": []}):
        assert site.deliver(body).get_json() == {"accepted": 0}
    assert site.waiting() == 0


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_the_content_type_is_of_no_matter(site: Site, kind: str) -> None:
    assert site.deliver({"events": [event()]}, **{"Content-Type": kind}).status_code == 202


def test_one_of_several_signatures_is_enough(site: Site) -> None:
    """Standard Webhooks: a sender that changes its key signs with both for a while."""
    old = signature(GOOD, "msg_1", time.time(), new_secret())["webhook-signature"]
    good = signature(GOOD, "msg_1", time.time())
    good["webhook-signature"] = f"v1a,abc {old} {good['webhook-signature']}"
    assert site.client.post("/api/ingest/generic", data=GOOD, headers=good).status_code == 202


def test_the_signature_is_the_one_the_convention_describes(site: Site) -> None:
    """Worked out by hand, for a library that agrees with itself proves nothing."""
    from tests.conftest import SECRET

    now = str(int(time.time()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = hmac.new(key, b"msg_hand." + now.encode() + b"." + GOOD, hashlib.sha256).digest()
    signed = {"webhook-id": "msg_hand", "webhook-timestamp": now}
    signed["webhook-signature"] = "v1," + base64.b64encode(digest).decode()
    assert site.client.post("/api/ingest/generic", data=GOOD, headers=signed).status_code == 202


def test_an_unknown_type_and_an_unknown_match_are_taken(site: Site) -> None:
    site.tell(event("never-heard-of", event_type="streaker", detail="fast"))
    [shown] = site.get("/api/matches/never-heard-of/events").get_json()["events"]
    assert (shown["event_type"], shown["detail"]) == ("streaker", "fast")


def test_of_a_key_told_twice_the_last_counts(site: Site) -> None:
    body = GOOD.replace(b'"home_score": 1', b'"home_score": 1, "home_score": 2')
    assert site.deliver(body).status_code == 202
    site.work()
    assert site.get("/api/score/m").get_json()["home_score"] == 2


def test_keys_that_nobody_knows_are_ignored(site: Site) -> None:
    assert site.deliver({"events": [event(weather="rain")], "sender": "us"}).status_code == 202


def test_the_clocks_may_differ_by_less_than_five_minutes(site: Site) -> None:
    assert [site.deliver({"events": [event()]}, at=time.time() + s).status_code for s in (-290, 290)] == [202, 202]


def test_recorded_formats_enter_with_the_shared_secret(site: Site) -> None:
    beat = {"heartbeat": {"type": "events"}}
    assert site.hand_over("sportradar", beat).get_json() == {"accepted": 0}
    body = {"sport_event": {"id": "sr:sport_event:1"}, "sport_event_status": {"status": "live"}}
    assert site.hand_over("sportradar", body).get_json() == {"accepted": 1}
    assert site.hand_over("statsperform", {"matchInfo": {"id": "u1"}, "liveData": {}}).status_code == 202
    assert site.waiting() == 3


# Refused before anything is looked at: nothing is kept.


def bad_headers() -> dict[str, dict[str, str]]:
    now = time.time()
    good = signature(GOOD, "msg_1", now)
    wrong: list[tuple[str, dict[str, str]]] = [
        ("another key", signature(GOOD, "msg_1", now, new_secret())),
        ("another body", signature(GOOD + b" ", "msg_1", now)),
        ("another id", good | {"webhook-id": "msg_2"}),
        ("another time", good | {"webhook-timestamp": str(int(now) + 1)}),
        ("six minutes old", signature(GOOD, "msg_1", now - 360)),
        ("six minutes ahead", signature(GOOD, "msg_1", now + 360)),
        ("no headers", {}),
        ("no id", {name: value for name, value in good.items() if name != "webhook-id"}),
        ("no timestamp", {name: value for name, value in good.items() if name != "webhook-timestamp"}),
        ("no signature", {name: value for name, value in good.items() if name != "webhook-signature"}),
        ("empty id", good | {"webhook-id": ""}),
        ("timestamp is no number", good | {"webhook-timestamp": "yesterday"}),
        ("timestamp is NaN", good | {"webhook-timestamp": "nan"}),
        ("timestamp is endless", good | {"webhook-timestamp": "inf"}),
        ("timestamp is huge", good | {"webhook-timestamp": "9" * 400}),
        ("signature without version", good | {"webhook-signature": good["webhook-signature"][3:]}),
        ("signature of another version", good | {"webhook-signature": "v2" + good["webhook-signature"][2:]}),
        ("signature is not base64", good | {"webhook-signature": "v1,@@@"}),
        ("signature is not ASCII", good | {"webhook-signature": "v1,é"}),
        ("signature with too many parts", good | {"webhook-signature": "v1,a,b"}),
        ("the shared secret instead", {"X-Ingest-Secret": SHARED_SECRET}),
    ]
    return dict(wrong)


@pytest.mark.parametrize("wrong", bad_headers())
def test_a_delivery_that_is_not_signed_rightly_is_not_looked_at(site: Site, wrong: str) -> None:
    """Signed now, not when the tests were collected: minutes later what was ahead of its time is not."""
    answer = site.client.post("/api/ingest/generic", data=GOOD, headers=bad_headers()[wrong])
    assert error(answer) == (401, "signature")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert (site.waiting(), site.refused()) == (0, [])


@pytest.mark.parametrize("secret", ["", "x", SHARED_SECRET[:-1], SHARED_SECRET + "x", "é" * 20, SHARED_SECRET.upper()])
def test_a_wrong_shared_secret_opens_no_door(site: Site, secret: str) -> None:
    answer = site.hand_over("sportradar", {"heartbeat": {}}, **{"X-Ingest-Secret": secret})
    assert error(answer) == (401, "signature")
    assert site.refused() == []


def test_no_answer_tells_the_secret(site: Site) -> None:
    from tests.conftest import SECRET

    answer = site.client.post("/api/ingest/generic", data=GOOD, headers=signature(GOOD, "m", 0))
    assert SECRET not in answer.get_data(as_text=True)


def test_a_door_without_a_secret_is_not_there(make_site: Callable[..., Site], sqlite_url: str) -> None:
    site = make_site(sqlite_url, ingest_secret_sportradar="", ingest_secret_generic="")
    for provider in ("sportradar", "generic", "nobody", "settings", "__class__"):
        assert error(site.hand_over(provider, GOOD)) == (404, "unknown_route")
    assert error(site.hand_over("sportradar", GOOD, **{"X-Ingest-Secret": ""})) == (404, "unknown_route")


def test_a_megabyte_is_too_much_and_is_not_kept(site: Site) -> None:
    body = b'{"events": [' + b" " * (1024 * 1024) + b"]}"
    assert error(site.deliver(body)) == (413, "too_large")
    assert site.refused() == []


def test_a_quarter_megabyte_is_just_enough(site: Site) -> None:
    most = 256 * 1024
    padded = b'{"events": []' + b" " * (most - 14) + b"}"
    assert (len(padded), site.deliver(padded).status_code) == (most, 202)
    assert error(site.deliver(padded + b" ")) == (413, "too_large")


def test_recorded_formats_may_be_four_megabytes(site: Site) -> None:
    most = 4 * 1024 * 1024
    beat = b'{"heartbeat": {}}'
    assert site.hand_over("sportradar", beat + b" " * (most - len(beat))).status_code == 202
    assert error(site.hand_over("sportradar", beat + b" " * most)) == (413, "too_large")


@pytest.mark.parametrize(("provider", "size"), [("generic", 300 * 1024), ("sportradar", 5 * 1024 * 1024)])
def test_a_body_in_chunks_without_a_length_is_bounded_too(site: Site, provider: str, size: int) -> None:
    body = b"[" + b" " * size + b"]"
    headers = signature(body, "msg_1", time.time()) | {"X-Ingest-Secret": SHARED_SECRET, "Transfer-Encoding": "chunked"}
    chunked = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    answer = site.client.post(f"/api/ingest/{provider}", headers=headers, environ_overrides=chunked)
    assert error(answer) == (413, "too_large")
    assert site.refused() == []


def test_a_body_in_chunks_is_read_whole(site: Site) -> None:
    headers = signature(GOOD, "msg_1", time.time()) | {"Transfer-Encoding": "chunked"}
    chunked = {"wsgi.input": io.BytesIO(GOOD), "wsgi.input_terminated": True}
    answer = site.client.post("/api/ingest/generic", headers=headers, environ_overrides=chunked)
    assert answer.get_json() == {"accepted": 1}


def test_a_delivery_id_of_any_length_is_no_way_to_fill_redis(site: Site) -> None:
    assert error(site.deliver({"events": []}, id_="x" * 201)) == (400, "bad_request")
    assert site.deliver({"events": []}, id_="x" * 200).status_code == 202


def test_a_long_delivery_id_is_not_cut_to_that_of_another_delivery(site: Site) -> None:
    body = {"sport_event": {"id": "sr:sport_event:1"}, "sport_event_status": {"status": "live"}}
    assert error(site.hand_over("sportradar", body, **{"webhook-id": "x" * 201})) == (400, "bad_request")
    assert site.hand_over("sportradar", body, **{"webhook-id": "x" * 200}).get_json() == {"accepted": 1}


def test_a_job_queue_that_refuses_is_no_failure_of_the_delivery(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full Redis, a replica that was the primary: the clock rings again."""

    def full(*_args: object, **_options: object) -> None:
        raise redis.exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'")

    monkeypatch.setattr(site.services.bells.queues["ingest"], "enqueue", full)
    assert site.deliver({"events": [event()]}).status_code == 202
    assert site.waiting() == 1


# Whatever got in must get through.


@pytest.mark.parametrize(
    "name", ["﷽" * 200, "ﷺ" * 200, "a\tb", "\u202eevil", "👩‍👩‍👧‍👦", "<script>", "x" * 200, "´` '\"\\%_"]
)
def test_odd_names_that_are_taken_reach_history_and_readers(either: Site, name: str) -> None:
    teams = {"home_team": name, "away_team": {"id": "b", "name": name}, "competition": name, "venue": name}
    either.tell(event("odd", player=name, detail=name), matches=(fixture("odd", **teams),))
    assert either.services.live.outbox.waiting_since() is None
    match = either.get("/api/matches").get_json()["matches"][0]
    assert (match["home_team"]["name"], match["competition"]["name"]) == (name, name)
    assert either.get("/api/matches/odd/events").get_json()["events"][0]["player"]["name"] == name


def test_the_oldest_and_the_latest_times_reach_history_and_readers(either: Site) -> None:
    for n, year in enumerate((1900, 1930, 2099)):
        either.tell(matches=(fixture(f"m{n}", start_time=f"{year}-12-31T23:59:59Z"),))
    either.tell(event("m0", timestamp="1900-01-01T00:00:00+14:00"), event("m0", voids="ghost", event_id="v"))
    starts = [match["start_time"][:4] for match in either.get("/api/matches").get_json()["matches"]]
    assert starts == ["1900", "1930", "2099"]
    assert either.get("/api/matches/m0/events").status_code == 200


# Pressure and outage.


def test_a_backlog_is_answered_429(make_site: Callable[..., Site], sqlite_url: str) -> None:
    site = make_site(sqlite_url, ingest_backlog=1)
    assert site.deliver({"events": [event("a"), event("b")]}).status_code == 202
    answer = site.deliver({"events": [event("c")]})
    assert error(answer) == (429, "busy")
    assert int(answer.headers["Retry-After"]) >= 1
    site.work()
    assert site.deliver({"events": [event("c")]}).status_code == 202


def test_without_redis_the_sender_is_told_to_come_again(make_site: Callable[..., Site], sqlite_url: str) -> None:
    site = make_site(sqlite_url, redis_url="redis://127.0.0.1:1/0")
    answer = site.deliver({"events": [event()]})
    assert error(answer) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) >= 1


def test_without_the_job_queue_the_event_is_safe_and_taken(make_site: Callable[..., Site], sqlite_url: str) -> None:
    site = make_site(sqlite_url, rq_redis_url="redis://127.0.0.1:1/0")
    assert site.deliver({"events": [event()]}).status_code == 202
    assert site.waiting() == 1


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_the_door_takes_posts_only(site: Site, method: str) -> None:
    answer = getattr(site.client, method)("/api/ingest/generic")
    assert error(answer) == (405, "wrong_method")
    assert "POST" in answer.headers["Allow"]


def test_a_redis_that_takes_a_command_and_never_answers_is_a_503(site: Site, redis_server: RedisServer) -> None:
    if site.services.live.sharded.is_cluster:
        pytest.skip("tests/db/live/test_cluster.py has a master that hangs")
    assert site.deliver(GOOD).status_code == 202
    assert redis_server.process
    redis_server.process.send_signal(signal.SIGSTOP)
    try:
        answer = site.deliver(GOOD, id_="msg_hanging")
    finally:
        redis_server.process.send_signal(signal.SIGCONT)
    assert error(answer) == (503, "unavailable")
    assert site.deliver(GOOD, id_="msg_hanging").status_code == 202
