"""One suite over every purge backend, each against its vendor's API, which enforces the documented rules."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from bench.system import free_port
from cdn.backend import TOTAL_S, Backend, Budget, Result
from cdn.backends import NEEDS, check, chosen
from cdn.bunny import Bunny
from cdn.cloudflare import Cloudflare
from cdn.cloudfront import CloudFront
from cdn.fastly import Fastly
from cdn.null import Null
from cdn.varnish import Varnish
from config import Settings
from db.errors import Refused
from tests.cdn import planes
from tests.cdn.planes import SERVICE, TOKEN, Answer, Plane


@dataclass
class Vendor:
    plane: Plane
    build: Callable[[str, str, str], Backend]

    @property
    def backend(self) -> Backend:
        return self.build(self.plane.url, self.service, self.token)

    service: str = SERVICE
    token: str = TOKEN


VENDORS: dict[str, tuple[Callable[[Plane, planes.Call], Answer], Callable[[str, str, str], Backend], str, str]] = {
    "varnish": (planes.varnish, lambda url, _service, token: Varnish([url], token), SERVICE, TOKEN),
    "fastly": (planes.fastly, lambda url, service, token: Fastly(service, token, url), SERVICE, TOKEN),
    "cloudflare": (
        planes.cloudflare,
        lambda url, service, token: Cloudflare(service, token, "pro", url),
        SERVICE,
        TOKEN,
    ),
    "bunny": (planes.bunny, lambda url, service, token: Bunny(service, token, url), "12345", TOKEN),
    "cloudfront": (
        planes.cloudfront,
        lambda url, service, token: CloudFront(service, token, "secret", api=url),
        planes.DISTRIBUTION,
        "AKIDTESTS",
    ),
}


@pytest.fixture(params=VENDORS)
def vendor(request: pytest.FixtureRequest) -> Iterator[Vendor]:
    rules, build, service, token = VENDORS[request.param]
    plane = Plane(rules)
    yield Vendor(plane, build, service, token)
    plane.stop()


def keys(count: int) -> list[str]:
    return [f"match-{n}" for n in range(count)]


def test_a_purge_is_done_as_the_vendor_wants_it(vendor: Vendor) -> None:
    backend = vendor.backend
    wanted = keys(min(3, backend.most))
    assert backend.purge(wanted, soft=False).result is Result.DONE
    assert vendor.plane.purged == wanted
    assert len(vendor.plane.calls) == 1


def test_as_many_keys_as_the_backend_says_are_taken(vendor: Vendor) -> None:
    backend = vendor.backend
    wanted = keys(backend.most)
    assert backend.purge(wanted, soft=False).result is Result.DONE
    assert vendor.plane.purged == wanted


def test_soft_is_soft_where_the_vendor_can(vendor: Vendor) -> None:
    backend = vendor.backend
    if not backend.soft:
        pytest.skip(f"{backend.name} knows only hard purges")
    assert backend.purge(["day-2026-11-25"], soft=True).result is Result.DONE
    assert (vendor.plane.soft, vendor.plane.purged) == (["day-2026-11-25"], [])


def test_a_wrong_token_is_refused_and_named_so(vendor: Vendor) -> None:
    outcome = vendor.build(vendor.plane.url, vendor.service, "wrong").purge(["live"], soft=False)
    assert outcome.result is Result.REFUSED
    assert "credentials" in outcome.reason
    assert vendor.plane.purged == []


def test_a_wrong_zone_is_refused_and_named_so(vendor: Vendor) -> None:
    backend = vendor.build(vendor.plane.url, "99999", vendor.token)
    if backend.name == "varnish":
        pytest.skip("Varnish has no zones")
    outcome = backend.purge(["live"], soft=False)
    assert outcome.result is Result.REFUSED
    assert "no such" in outcome.reason


def test_the_limit_of_calls_is_later_and_says_when(vendor: Vendor) -> None:
    backend = vendor.backend
    vendor.plane.answer_next = [Answer(429, b"slow down", {"Retry-After": "7"})]
    outcome = backend.purge(["live"], soft=False)
    assert outcome.result is Result.LATER
    if backend.name != "cloudfront":
        assert outcome.retry_after_s == 7
    assert backend.purge(["live"], soft=False).result is Result.DONE


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_fault_of_the_vendor_is_later(vendor: Vendor, status: int) -> None:
    vendor.plane.answer_next = [Answer(status, b"<html>oops</html>")]
    assert vendor.backend.purge(["live"], soft=False).result is Result.LATER


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1", b"null", b'{"success":false}', b"\xff\xfe"])
def test_an_answer_that_is_not_understood_is_never_a_yes(vendor: Vendor, body: bytes) -> None:
    backend = vendor.backend
    vendor.plane.answer_next = [Answer(200, body)]
    outcome = backend.purge(["live"], soft=False)
    by_status = ("varnish", "bunny", "cloudfront")
    if backend.name in by_status or (backend.name == "fastly" and body.startswith(b"{")):
        assert outcome.result in (Result.DONE, Result.LATER)
    else:
        assert outcome.result is Result.LATER


def test_a_vendor_that_hangs_costs_its_time_limit_and_no_more(vendor: Vendor) -> None:
    backend = vendor.backend
    vendor.plane.answer_next = [planes.hang(20)]
    outcomes = []
    took_s = planes.wall(lambda: outcomes.append(backend.purge(["live"], soft=False)))
    assert outcomes[0].result is Result.LATER
    assert took_s < TOTAL_S + 1
    assert backend.purge(["live"], soft=False).result is Result.DONE


def test_a_vendor_that_drips_costs_its_time_limit_and_no_more(vendor: Vendor) -> None:
    backend = vendor.backend
    vendor.plane.answer_next = [Answer(200, b" " * 60 + b'{"success":true}', drip_s=0.2)]
    outcomes = []
    took_s = planes.wall(lambda: outcomes.append(backend.purge(["live"], soft=False)))
    assert outcomes[0].result is Result.LATER
    assert took_s < TOTAL_S + 1


def test_a_host_that_is_dead_is_later(vendor: Vendor) -> None:
    backend = vendor.build(f"http://127.0.0.1:{free_port()}", vendor.service, vendor.token)
    outcome = backend.purge(["live"], soft=False)
    assert outcome.result is Result.LATER
    assert "unreachable" in outcome.reason


def test_a_redirect_is_not_followed_with_our_credentials(vendor: Vendor) -> None:
    elsewhere = Plane(lambda _plane, _call: Answer(200, b'{"success":true}'))
    try:
        vendor.plane.answer_next = [Answer(307, b"", {"Location": f"{elsewhere.url}/steal"})]
        vendor.backend.purge(["live"], soft=False)
        assert elsewhere.calls == []
    finally:
        elsewhere.stop()


def test_no_secret_is_in_a_reason_a_log_or_a_repr(vendor: Vendor, caplog: pytest.LogCaptureFixture) -> None:
    backend = vendor.backend
    with caplog.at_level(logging.DEBUG):
        for answer in (Answer(401, TOKEN.encode()), Answer(500, TOKEN.encode()), Answer(400, TOKEN.encode())):
            vendor.plane.answer_next = [answer]
            assert TOKEN not in backend.purge(["live"], soft=False).reason
    assert TOKEN not in repr(backend)
    ours = [record for record in caplog.records if not record.name.startswith(("botocore", "urllib3"))]
    assert all(TOKEN not in record.getMessage() for record in ours)


class TestExactRequests:
    def test_fastly(self) -> None:
        plane = Plane(planes.fastly)
        Fastly(SERVICE, TOKEN, plane.url).purge(["match-1", "live"], soft=True)
        (call,) = plane.calls
        plane.stop()
        assert (call.method, call.path) == ("POST", f"/service/{SERVICE}/purge")
        assert call.headers["Fastly-Key"] == TOKEN
        assert call.headers["Fastly-Soft-Purge"] == "1"
        assert call.json == {"surrogate_keys": ["match-1", "live"]}

    def test_cloudflare(self) -> None:
        plane = Plane(planes.cloudflare)
        Cloudflare(SERVICE, TOKEN, api=plane.url).purge(["match-1", "live"], soft=False)
        (call,) = plane.calls
        plane.stop()
        assert (call.method, call.path) == ("POST", f"/zones/{SERVICE}/purge_cache")
        assert call.headers["Authorization"] == f"Bearer {TOKEN}"
        assert call.json == {"tags": ["match-1", "live"]}

    def test_cloudfront(self) -> None:
        plane = Plane(planes.cloudfront)
        CloudFront(planes.DISTRIBUTION, "AKIDTESTS", "secret", api=plane.url).purge(["match-1", "live"], soft=False)
        (call,) = plane.calls
        plane.stop()
        assert b"<Path>#match-1</Path><Path>#live</Path>" in call.body
        assert b"<Quantity>2</Quantity>" in call.body
        assert "SignedHeaders=" in call.headers["Authorization"]

    def test_varnish_tells_every_node(self) -> None:
        nodes = [Plane(planes.varnish) for _ in range(3)]
        assert Varnish([node.url for node in nodes], TOKEN).purge(["live"], soft=False).result is Result.DONE
        assert [node.purged for node in nodes] == [["live"]] * 3
        nodes[1].stop()
        assert Varnish([node.url for node in nodes], TOKEN).purge(["live"], soft=False).result is Result.LATER
        assert nodes[2].purged == ["live", "live"]
        for node in (nodes[0], nodes[2]):
            node.stop()


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
    assert Null().purge(["live"], soft=True).result is Result.DONE
