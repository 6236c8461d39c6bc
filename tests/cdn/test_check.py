"""What the check of the edge says of edges that are sound, deaf, forgetful or somebody else's."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from cdn import check as checking
from cdn.backends.base import Backend
from cdn.backends.varnish import Varnish as VarnishBackend
from cdn.check import CANARY_PATH, CONTROL_PATH, Finding, check
from cdn.headers import DIALECTS
from dev.system import free_port
from tests.support import control_planes
from tests.support.control_planes import TOKEN, Plane
from tests.support.edge import SECRET, Asked, Origin, Reply, Varnish
from tests.support.vendors import VENDORS, Vendor

KEYS = {CANARY_PATH: "canary", CONTROL_PATH: "canary-control"}
nonces = map(str, itertools.count())


def nonce(**headers: str) -> Reply:
    return Reply(json.dumps({"nonce": next(nonces)}).encode(), headers)


@dataclass
class Kept:
    reply: Reply
    until_s: float
    purges: int


class Cdn:
    """A vendor's control plane, and an edge that keeps what it says for lifetime_s and does as the plane is told."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.plane, self.edge = Plane(vendor.rules), Origin()
        self.lifetime_s, self.is_deaf = 3_600.0, False
        self.kept: dict[str, Kept] = {}
        self.edge.replies |= dict.fromkeys(KEYS, self.answer)
        self.edge.start()

    def answer(self, request: Asked) -> Reply:
        kept, purges = self.kept.get(request.path), self.plane.purged.count(KEYS[request.path])
        if kept is None or time.monotonic() > kept.until_s or (purges > kept.purges and not self.is_deaf):
            kept = self.kept[request.path] = Kept(nonce(), time.monotonic() + self.lifetime_s, purges)
        return kept.reply

    def backend(self, *, service: str = "", token: str = "") -> Backend:
        return self.vendor.build(self.plane.url, service or self.vendor.service, token or self.vendor.token)

    def check(self, backend: Backend | None = None, origin: Origin | None = None) -> list[Finding]:
        backend = backend or self.backend()
        return list(check(url(self.edge), backend, DIALECTS[backend.name], url(origin) if origin else None))

    def stop(self) -> None:
        self.plane.stop()
        self.edge.stop()


def url(place: Origin) -> str:
    return f"http://127.0.0.1:{place.port}"


def complaint(findings: list[Finding]) -> str:
    """The last word of the check, which has to be a fault, and all before it none."""
    assert [finding.ok for finding in findings] == [*[True] * (len(findings) - 1), False], findings
    return findings[-1].message


@pytest.fixture(params=VENDORS)
def cdn(request: pytest.FixtureRequest) -> Iterator[Cdn]:
    cdn = Cdn(VENDORS[request.param])
    yield cdn
    cdn.stop()


@pytest.fixture
def service() -> Iterator[Origin]:
    """Where nothing is between it and the check."""
    service = Origin()
    service.start()
    yield service
    service.stop()


@pytest.fixture(autouse=True)
def in_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "EFFECT_S", 1.0)
    monkeypatch.setattr(checking, "LOOK_S", 0.05)


class TestPurging:
    def test_an_edge_that_does_as_it_is_told_is_sound(self, cdn: Cdn) -> None:
        assert [finding.ok for finding in cdn.check()] == [True, True]
        assert cdn.plane.purged == ["canary", "canary"]

    def test_an_edge_that_ignores_purges_is_named(self, cdn: Cdn, monkeypatch: pytest.MonkeyPatch) -> None:
        cdn.is_deaf = True
        monkeypatch.setattr(checking, "EFFECT_S", 0.2)
        message = complaint(cdn.check())
        assert "had no effect" in message
        assert "keys are removed" in message

    @pytest.mark.parametrize("cdn", ["fastly"], indirect=True)
    def test_a_canary_that_merely_expires_is_not_taken_for_a_purge(self, cdn: Cdn) -> None:
        cdn.is_deaf, cdn.lifetime_s = True, 0.4
        message = complaint(cdn.check())
        assert "purge with no effect of its own" in message

    @pytest.mark.parametrize("cdn", ["fastly"], indirect=True)
    def test_nor_is_one_that_is_older_than_its_control(self, cdn: Cdn) -> None:
        """Somebody read the canary a while ago, so it goes first; of the young one after it nobody is deceived."""
        cdn.is_deaf, cdn.lifetime_s = True, 0.7
        cdn.kept[CANARY_PATH] = Kept(nonce(), time.monotonic() + 0.3, 0)
        assert "no effect of its own" in complaint(cdn.check())

    def test_wrong_credentials_are_named_with_their_setting(self, cdn: Cdn) -> None:
        message = complaint(cdn.check(cdn.backend(token="wrong")))
        assert "credentials are wrong" in message
        setting = {
            "varnish": "EDGE_PURGE_SECRET",
            "fastly": "FASTLY_API_TOKEN",
            "cloudflare": "CLOUDFLARE_API_TOKEN",
            "bunny": "BUNNY_API_KEY",
            "cloudfront": "CLOUDFRONT_DISTRIBUTION_ID",
        }
        assert setting[cdn.backend().name] in message

    def test_a_wrong_zone_is_named_with_its_setting(self, cdn: Cdn) -> None:
        setting = {
            "fastly": "FASTLY_SERVICE_ID",
            "cloudflare": "CLOUDFLARE_ZONE_ID",
            "bunny": "BUNNY_PULL_ZONE_ID",
            "cloudfront": "CLOUDFRONT_DISTRIBUTION_ID",
        }
        if cdn.backend().name not in setting:
            pytest.skip("Varnish has no zones")
        message = complaint(cdn.check(cdn.backend(service="99999")))
        assert "it knows no such" in message
        assert setting[cdn.backend().name] in message

    def test_a_cdn_that_is_out_of_reach_is_named(self, cdn: Cdn) -> None:
        cdn.plane.stop()
        assert "did not purge" in complaint(cdn.check())

    def test_a_service_without_the_control_is_named(self, cdn: Cdn) -> None:
        del cdn.edge.replies[CONTROL_PATH]
        assert CONTROL_PATH in complaint(cdn.check())


class TestKeysOnTheWire:
    """At the origin, where nobody has read them yet."""

    @pytest.fixture
    def cdn(self) -> Iterator[Cdn]:
        cdn = Cdn(VENDORS["fastly"])
        yield cdn
        cdn.stop()

    def test_they_are_seen(self, cdn: Cdn, service: Origin) -> None:
        service.replies[CANARY_PATH] = lambda _: nonce(**{"Surrogate-Key": "other canary"})
        findings = cdn.check(origin=service)
        assert [finding.ok for finding in findings] == [True, True, True]
        assert "Surrogate-Key: other canary" in findings[0].message

    def test_what_takes_them_off_is_looked_for(self, cdn: Cdn, service: Origin) -> None:
        service.replies[CANARY_PATH] = lambda _: nonce()
        message = complaint(cdn.check(origin=service))
        assert "sends no Surrogate-Key" in message
        assert "CDN=null, or a proxy removes the field" in message

    def test_a_service_that_speaks_to_another_cdn_is_named(self, cdn: Cdn, service: Origin) -> None:
        service.replies[CANARY_PATH] = lambda _: nonce(**{"Cache-Tag": "canary"})
        assert "it runs with CDN=cloudflare or cloudfront" in complaint(cdn.check(origin=service))

    def test_another_key_is_not_ours(self, cdn: Cdn, service: Origin) -> None:
        service.replies[CANARY_PATH] = lambda _: nonce(**{"Surrogate-Key": "canary-control"})
        assert "sends no Surrogate-Key" in complaint(cdn.check(origin=service))

    def test_an_edge_is_no_origin(self, cdn: Cdn) -> None:
        assert "is not an origin" in complaint(cdn.check(origin=cdn.edge))

    def test_who_is_not_this_service_is_named(self, cdn: Cdn, service: Origin) -> None:
        assert "answered 404" in complaint(cdn.check(origin=service))
        service.stop()
        assert "does not answer" in complaint(cdn.check(origin=service))


class TestThroughVarnish:
    @pytest.fixture
    def elsewhere(self) -> Iterator[VarnishBackend]:
        """Says yes to every purge, and is not what stands in front."""
        plane = Plane(control_planes.varnish)
        yield VarnishBackend([plane.url], TOKEN)
        plane.stop()

    def test_a_short_life_is_not_taken_for_a_purge(
        self, edge: Varnish, origin: Origin, elsewhere: VarnishBackend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(checking, "EFFECT_S", 5.0)
        for path, key in KEYS.items():
            origin.replies[path] = lambda _, key=key: nonce(**{"Surrogate-Control": "max-age=1", "Surrogate-Key": key})
        findings = list(check(edge.url, elsewhere, DIALECTS["varnish"]))
        assert "no effect of its own" in complaint(findings)

    def test_keys_that_are_taken_off_before_it_are_noticed(self, edge: Varnish, origin: Origin) -> None:
        for path in KEYS:
            origin.replies[path] = lambda _: nonce(**{"Surrogate-Control": "max-age=3600"})
        ours = VarnishBackend([edge.admin], SECRET)
        assert "keys are removed before it sees the answer" in complaint(
            list(check(edge.url, ours, DIALECTS["varnish"]))
        )


def test_nobody_there_is_named() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    findings = list(check(nobody, VarnishBackend([nobody], TOKEN), DIALECTS["varnish"]))
    assert "PUBLIC_URL does not answer" in complaint(findings)
