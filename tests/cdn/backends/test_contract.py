"""One suite over every purge backend, each against its vendor's API, which enforces the documented rules.

What concerns a purge as a whole (chunks, pauses, another try) goes through the Purger and a real Redis.
"""

from __future__ import annotations

import itertools
import json
import logging
import re
import time
from collections.abc import Iterator

import pytest
import redis

from cdn.backends import base, cloudfront, control_plane
from cdn.backends.base import TOTAL_S, Backend, Budget, PurgeResult, no_answer
from cdn.backends.cloudflare import Cloudflare
from cdn.backends.cloudfront import CloudFront
from cdn.backends.fastly import Fastly
from cdn.backends.null import NullBackend
from cdn.backends.registry import NEEDS, check, chosen
from config import Settings
from db.domain.errors import Refused
from db.live.client import connect
from db.live.keys import PURGE_PENDING
from db.live.purges import Purges, entry
from db.live.sharding import ShardedRedis
from dev.system import free_port
from tests.conftest import wait_until
from tests.support import control_planes
from tests.support.control_planes import SERVICE, TOKEN, Answer, Call, Plane
from tests.support.vendors import VENDORS, Vendor
from workers.purge import Purger

NOW = 1_795_600_000_000


@pytest.fixture(params=VENDORS)
def vendor(request: pytest.FixtureRequest) -> Vendor:
    return VENDORS[request.param]


@pytest.fixture
def plane(vendor: Vendor) -> Iterator[Plane]:
    plane = Plane(vendor.rules)
    yield plane
    plane.stop()


@pytest.fixture
def backend(vendor: Vendor, plane: Plane) -> Backend:
    return vendor.build(plane.url, vendor.service, vendor.token)


def keys(count: int) -> list[str]:
    """Of the longest kind."""
    return [f"match-x-{n:056d}" for n in range(count)]


def stable_body(call: Call) -> object:
    """A body as far as it is the same each time."""
    if call.headers.get("Content-Type") == "application/json":
        return json.loads(call.body)
    return re.sub(rb"(?<=<CallerReference>)\w{32}(?=<)", b"new", call.body)


class TestRequests:
    @pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
    def test_a_purge_is_the_request_that_the_vendor_documents(
        self, vendor: Vendor, plane: Plane, backend: Backend, soft: bool
    ) -> None:
        if soft and not backend.soft:
            pytest.skip(f"{backend.name} knows only hard purges")
        wanted = ["match-1", "live"][: backend.max_keys]
        assert backend.purge(wanted, soft=soft).result is PurgeResult.DONE
        (call,) = plane.calls
        method, path, headers, body = (vendor.soft if soft else vendor.hard) or ()
        assert (call.method, call.path, stable_body(call)) == (method, path, body)
        assert headers.items() <= call.headers.items()
        assert ("Fastly-Soft-Purge" in call.headers) == ("Fastly-Soft-Purge" in headers)
        assert (plane.soft, plane.purged) == ((wanted, []) if soft else ([], wanted))

    def test_cloudfront_signs_what_it_sends(self) -> None:
        plane = Plane(control_planes.cloudfront)
        CloudFront(control_planes.DISTRIBUTION, "AKIDTESTS", "secret", api=plane.url).purge(["live"], soft=False)
        plane.stop()
        signed = plane.calls[0].headers["Authorization"]
        assert re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=AKIDTESTS/\d{8}/us-east-1/cloudfront/aws4_request, "
            r"SignedHeaders=[a-z0-9;-]*host[a-z0-9;-]*, Signature=[0-9a-f]{64}",
            signed,
        )

    def test_a_wrong_token_is_refused_and_named_so(self, vendor: Vendor, plane: Plane) -> None:
        outcome = vendor.build(plane.url, vendor.service, "wrong").purge(["live"], soft=False)
        assert outcome.result is PurgeResult.REFUSED
        assert "credentials" in outcome.reason
        assert plane.purged == []

    def test_a_wrong_zone_is_refused_and_named_so(self, vendor: Vendor, plane: Plane) -> None:
        backend = vendor.build(plane.url, "99999", vendor.token)
        if backend.name == "varnish":
            pytest.skip("Varnish has no zones")
        outcome = backend.purge(["live"], soft=False)
        assert outcome.result is PurgeResult.REFUSED
        assert "no such" in outcome.reason

    def test_a_redirect_is_not_followed_with_our_credentials(self, plane: Plane, backend: Backend) -> None:
        elsewhere = Plane(lambda _plane, _call: Answer(200, b'{"success":true}'))
        try:
            plane.answer_next = [Answer(307, b"", {"Location": f"{elsewhere.url}/steal"})]
            assert backend.purge(["live"], soft=False).result is PurgeResult.REFUSED
            assert elsewhere.calls == []
        finally:
            elsewhere.stop()

    def test_no_secret_is_in_a_reason_a_log_or_a_repr(
        self, plane: Plane, backend: Backend, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            for answer in (Answer(401, TOKEN.encode()), Answer(500, TOKEN.encode()), Answer(400, TOKEN.encode())):
                plane.answer_next = [answer]
                assert TOKEN not in backend.purge(["live"], soft=False).reason
        assert TOKEN not in repr(backend)
        ours = [record for record in caplog.records if not record.name.startswith(("botocore", "urllib3"))]
        assert all(TOKEN not in record.getMessage() for record in ours)


# What a vendor may answer in place of a yes: said in its place by a proxy, or by a vendor that has changed its mind.
NO_YES = {
    "nothing": Answer(200, b""),
    "a page": Answer(200, b"<html>welcome</html>"),
    "half of it": Answer(200, b"[1"),
    "null": Answer(200, b"null"),
    "a list": Answer(200, b'["live"]'),
    "other JSON": Answer(200, b'{"success":false,"result":null}'),
    "nearly a yes": Answer(200, b'{"success":"true","status":"ok"}'),
    "no text": Answer(200, b"\xff\xfe"),
    "accepted": Answer(202, b"{}"),
}


# s. In place of TOTAL_S, for what never answers in time.
SHORT_S = 0.2


@pytest.fixture
def in_short(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (base, control_plane, cloudfront):
        monkeypatch.setattr(module, "TOTAL_S", SHORT_S)


class TestFailures:
    @pytest.mark.parametrize("answer", NO_YES.values(), ids=NO_YES)
    def test_only_the_vendors_own_yes_is_one(self, plane: Plane, backend: Backend, answer: Answer) -> None:
        plane.answer_next = [answer]
        outcome = backend.purge(["live"], soft=False)
        assert outcome.result is PurgeResult.LATER
        assert "answer" in outcome.reason

    def test_fastly_has_to_name_every_key_that_was_asked(self) -> None:
        plane = Plane(control_planes.fastly)
        plane.answer_next = [Answer(200, b'{"match-1":"1-2"}'), Answer(200, b'{"match-1":"1-2","live":"3-4"}')]
        backend = Fastly(SERVICE, TOKEN, plane.url)
        results = [backend.purge(["match-1", "live"], soft=False).result for _ in range(2)]
        plane.stop()
        assert results == [PurgeResult.LATER, PurgeResult.DONE]

    @pytest.mark.parametrize("status", [408, 500, 502, 503])
    def test_a_fault_of_the_vendor_is_later_and_named(self, plane: Plane, backend: Backend, status: int) -> None:
        if backend.name == "cloudfront" and status == 408:
            pytest.skip("CloudFront documents no 408")
        plane.answer_next = [Answer(status, b"<html>oops</html>")]
        outcome = backend.purge(["live"], soft=False)
        assert outcome.result is PurgeResult.LATER
        assert f"failed ({status})" in outcome.reason

    @pytest.mark.usefixtures("in_short")
    def test_a_vendor_that_hangs_costs_its_time_limit_and_no_more(self, plane: Plane, backend: Backend) -> None:
        plane.answer_next = [control_planes.hang(20)]
        outcomes = []
        took_s = control_planes.wall(lambda: outcomes.append(backend.purge(["live"], soft=False)))
        assert outcomes[0].result is PurgeResult.LATER
        assert outcomes[0].reason.endswith(no_answer().reason)
        # A limit that does not hold would let the 20 s pass.
        assert took_s < 10 * TOTAL_S

    @pytest.mark.usefixtures("in_short")
    def test_a_hang_has_one_reason_whichever_limit_ends_it(
        self, plane: Plane, backend: Backend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Here the read's own, without that of the whole call."""
        for module in (control_plane, cloudfront):
            monkeypatch.setattr(module, "within", lambda _seconds, call, _late: call())
        plane.answer_next = [control_planes.hang(20)]
        assert backend.purge(["live"], soft=False).reason.endswith(no_answer().reason)

    @pytest.mark.usefixtures("in_short")
    def test_a_vendor_that_drips_costs_its_time_limit_and_no_more(self, plane: Plane, backend: Backend) -> None:
        plane.answer_next = [Answer(200, b" " * 600 + b'{"success":true}', drip_s=0.2)]
        outcomes = []
        took_s = control_planes.wall(lambda: outcomes.append(backend.purge(["live"], soft=False)))
        assert outcomes[0].result is PurgeResult.LATER
        assert took_s < 10 * TOTAL_S

    def test_a_host_that_is_dead_is_later(self, vendor: Vendor) -> None:
        backend = vendor.build(f"http://127.0.0.1:{free_port()}", vendor.service, vendor.token)
        outcome = backend.purge(["live"], soft=False)
        assert outcome.result is PurgeResult.LATER
        assert "unreachable" in outcome.reason


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    client = connect(redis_url)
    yield client
    client.close()


class Mailbox:
    """A Purger and what waits for it. The answers purged live for eleven minutes: no vendor leaves them to expire."""

    def __init__(self, client: redis.Redis, backend: Backend) -> None:
        self.client = client
        self.purges = Purges(ShardedRedis(client, 1))
        self.purger = Purger(self.purges, backend)

    def put(self, keys: list[str], at_ms: int = NOW) -> None:
        self.client.zadd(PURGE_PENDING, {entry(key, 660): at_ms for key in keys})


@pytest.fixture
def mailbox(client: redis.Redis, backend: Backend) -> Mailbox:
    return Mailbox(client, backend)


class TestThroughThePurger:
    @pytest.mark.parametrize("more", [0, 1], ids=["the limit", "one more"])
    def test_as_many_keys_as_a_call_holds_are_one_call_and_one_more_is_two(
        self, plane: Plane, backend: Backend, mailbox: Mailbox, more: int
    ) -> None:
        wanted = keys(backend.max_keys + more)
        mailbox.put(wanted)
        mailbox.purger.round(NOW)
        assert sorted(plane.purged) == wanted
        assert len(plane.calls) == 1 + more
        assert mailbox.purges.waiting() == 0

    def test_the_limit_that_we_keep_is_within_the_vendors(self, vendor: Vendor, backend: Backend) -> None:
        assert backend.max_keys <= vendor.most

    def test_one_key_more_than_the_vendor_takes_is_refused_whole_if_it_is_not_cut(
        self, vendor: Vendor, plane: Plane, backend: Backend
    ) -> None:
        """What the chunks are for."""
        if backend.name == "bunny":
            tags = {"CacheTag": ",".join(keys(vendor.most + 1))}
            outcome = backend.control_plane.send(
                "POST", backend.url, lambda answer: answer.status == 204, document=tags
            )
        else:
            outcome = backend.purge(keys(vendor.most + 1), soft=False)
        assert outcome.result is not PurgeResult.DONE
        assert plane.purged == []
        assert len(plane.calls) == 1

    def test_429_shuts_it_for_as_long_as_the_vendor_asks_counted_from_its_answer(
        self, plane: Plane, mailbox: Mailbox
    ) -> None:
        plane.answer_next = [Answer(429, b"slow down", {"Retry-After": "7"}, after_s=0.5)]
        mailbox.put(["match-1"])
        mailbox.purger.round(NOW)
        # What is committed meanwhile waits, too.
        mailbox.put(["match-2"], NOW + 7_000)
        mailbox.purger.round(NOW + 7_400)
        assert len(plane.calls) == 1
        mailbox.purger.round(NOW + 60_000)
        assert sorted(plane.purged) == ["match-1", "match-2"]

    def test_after_429_in_a_later_chunk_the_pause_is_counted_from_that_answer(
        self, plane: Plane, backend: Backend, mailbox: Mailbox
    ) -> None:
        rules, slow = plane.rules, Answer(429, b"", {"Retry-After": "7"})
        plane.rules = lambda plane, call: (time.sleep(0.5), slow if plane.purged else rules(plane, call))[1]
        mailbox.put(keys(backend.max_keys + 1))
        mailbox.purger.round(NOW)
        assert mailbox.purger.paused_until_ms >= NOW + 8_000

    def test_429_without_a_time_is_tried_again_after_a_pause_of_ours(self, plane: Plane, mailbox: Mailbox) -> None:
        plane.answer_next = [Answer(429, b"slow down")]
        mailbox.put(["match-1"])
        mailbox.purger.round(NOW)
        mailbox.purger.round(NOW + 30_000)
        assert plane.purged == ["match-1"]

    @pytest.mark.parametrize("retry_after", ["9" * 400, "86400", "-1", "soon", "Wed, 25 Nov 2026 12:00:00 GMT"])
    def test_a_senseless_retry_after_does_not_shut_it_for_ever(
        self, plane: Plane, mailbox: Mailbox, retry_after: str
    ) -> None:
        plane.answer_next = [Answer(429, b"", {"Retry-After": retry_after})]
        mailbox.put(["match-1"])
        mailbox.purger.round(NOW)
        assert mailbox.purger.paused_until_ms <= NOW + 3_700_000

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(500, b"oops"),
            Answer(200, b"<html>"),
            Answer(200, b'{"success":false}'),
            Answer(503, b"", {"Retry-After": "1"}),
            control_planes.hang(20),
        ],
        ids=["a fault", "no JSON", "wrong JSON", "busy", "no answer"],
    )
    def test_what_failed_waits_says_so_once_and_is_purged_by_the_next_try(
        self,
        plane: Plane,
        mailbox: Mailbox,
        answer: Answer,
        caplog: pytest.LogCaptureFixture,
        request: pytest.FixtureRequest,
    ) -> None:
        if answer.after_s:
            request.getfixturevalue("in_short")
        plane.answer_next = [answer, answer]
        mailbox.put(["match-1"])
        with caplog.at_level(logging.WARNING):
            for n in range(2):
                mailbox.purger.round(NOW + 30_000 * n)
                assert (mailbox.purges.waiting(), plane.purged) == (1, [])
            # One of our Varnishes is asked again only when it has been given up.
            later_ms = itertools.count(NOW + 90_000, 1_000)
            # On a busy machine an answer may come too late, and the same key is purged once more.
            wait_until(lambda: (mailbox.purger.round(next(later_ms)), mailbox.purges.waiting())[1] == 0, "the purge")
        assert set(plane.purged) == {"match-1"}
        assert caplog.text.count("purge_failed") == 1

    def test_a_host_that_was_dead_gets_it_when_it_is_back(
        self, vendor: Vendor, plane: Plane, client: redis.Redis
    ) -> None:
        mailbox = Mailbox(client, vendor.build(f"http://127.0.0.1:{free_port()}", vendor.service, vendor.token))
        mailbox.put(["match-1"])
        mailbox.purger.round(NOW)
        assert mailbox.purges.waiting() == 1
        mailbox.purger.backend = vendor.build(plane.url, vendor.service, vendor.token)
        mailbox.purger.round(NOW + 30_000)
        assert (mailbox.purges.waiting(), plane.purged) == (0, ["match-1"])


def test_a_budget_is_a_burst_and_then_a_rate() -> None:
    budget = Budget(per_s=5, burst=3)
    assert [budget.take(0.0) for _ in range(3)] == [0, 0, 0]
    assert budget.take(0.0) == pytest.approx(0.2)
    assert budget.take(0.2) == 0
    assert budget.take(100.0) == 0
    assert [budget.take(100.0) for _ in range(2)] == [0, 0]
    assert budget.take(100.0) > 0


@pytest.mark.parametrize("name", NEEDS)
def test_each_cdn_is_chosen_by_its_name_with_its_credentials(name: str) -> None:
    given = dict.fromkeys(NEEDS[name], "x")
    assert chosen(Settings(cdn=name, **given)).name == name


@pytest.mark.parametrize("name", [name for name in NEEDS if NEEDS[name]])
def test_what_is_missing_stops_the_start_by_name(name: str) -> None:
    with pytest.raises(Refused, match=NEEDS[name][-1].upper()):
        check(Settings(cdn=name, varnish_urls=""))


def test_an_unknown_cdn_or_plan_stops_the_start() -> None:
    with pytest.raises(Refused, match="varnish"):
        check(Settings(cdn="akamai"))
    with pytest.raises(Refused, match="CLOUDFLARE_PLAN"):
        Cloudflare("z", "t", "gold")


def test_the_null_cdn_says_yes_to_all() -> None:
    assert NullBackend().purge(["live"], soft=True).result is PurgeResult.DONE
