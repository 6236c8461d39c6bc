"""The files in deploy/cdn/ are what the table of routes says today, and each vendor does what it says."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import cdn.configuration as configuration_package
from cdn import headers
from cdn.configuration import CONFIGURATIONS, HOST
from cdn.configuration.cloudfront_function import MAX_BYTES, code
from cdn.routes import KEPT, ROUTES, Handling
from tests.support.edges import bunny, cloudflare, cloudfront, fastly
from tests.support.paths import ROOT
from tests.support.walk import is_as_told, sample_path, steps

READERS = {"bunny": bunny.treat, "cloudflare": cloudflare.treat, "cloudfront": cloudfront.treat, "fastly": fastly.treat}
# nginx and Caddy are run for real: test_nginx.py, test_caddy.py.
FROM_THE_TABLE = sorted(set(CONFIGURATIONS) - {"fastly-service"})
# A hold is 20 s (docs/protocol.md), and the answer needs a moment.
HOLD_S = 25


def rendered(vendor: str) -> str:
    configuration = CONFIGURATIONS[vendor]
    return configuration.render(configuration.origin, HOST)


@pytest.mark.parametrize("vendor", CONFIGURATIONS)
def test_a_file_is_up_to_date(vendor: str) -> None:
    """Else: make edge-files."""
    assert (ROOT / "deploy" / "cdn" / CONFIGURATIONS[vendor].file).read_text() == rendered(vendor)


@pytest.mark.parametrize("vendor", CONFIGURATIONS)
def test_a_file_says_first_whether_it_was_ever_run(vendor: str) -> None:
    first = rendered(vendor).splitlines()[:2]
    assert f"flask edge config {vendor}" in first[0]
    assert any(
        word in " ".join(first) for word in ("Never run", "Never applied", "Never deployed", "never run", "Run for")
    )


@pytest.mark.parametrize("vendor", CONFIGURATIONS)
def test_a_file_names_the_origin_and_the_host_that_it_is_for(vendor: str) -> None:
    text = CONFIGURATIONS[vendor].render("other.example:443", "readers.example")
    assert "other.example" in text
    assert vendor == "fastly" or "readers.example" in text


@pytest.mark.parametrize("vendor", FROM_THE_TABLE)
def test_a_file_changes_with_the_table(vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rendered(vendor)
    board = next(route for route in ROUTES if route.path == "/api/live")
    other = replace(board, path="/api/other", parameters=("nonesuch",))
    for module in pkgutil.iter_modules(configuration_package.__path__):
        loaded = importlib.import_module(f"cdn.configuration.{module.name}")
        for table in ("ROUTES", "PUBLIC"):
            if hasattr(loaded, table):
                monkeypatch.setattr(loaded, table, (*getattr(loaded, table), other))
    after = rendered(vendor)
    assert "nonesuch" not in before
    assert "nonesuch" in after
    assert "other" in after


@pytest.mark.parametrize("vendor", READERS)
def test_every_route_of_the_app_is_kept_passed_or_refused_as_the_table_says(vendor: str) -> None:
    walk = steps()
    if vendor == "cloudflare":
        # An asterisk also matches what no id may have; the service refuses it.
        walk = [step for step in walk if ";" not in step.target]
    done = READERS[vendor](rendered(vendor), walk, HOST)
    assert [(step, what) for step, what in zip(walk, done, strict=True) if not is_as_told(step, what)] == []


class TestCloudflare:
    @pytest.fixture
    def text(self) -> str:
        return rendered("cloudflare")

    def test_lifetimes_are_those_of_the_service(self, text: str) -> None:
        rules = cloudflare.rules(text, "http_request_cache_settings")
        keeping = [rule["action_parameters"] for rule in rules if rule["action_parameters"]["cache"]]
        assert {rule["edge_ttl"]["mode"] for rule in keeping} == {"bypass_by_default"}
        assert {rule["browser_ttl"]["mode"] for rule in keeping} == {"respect_origin"}
        settings = {call["path"]: call["body"] for call in json.loads(text)["calls"]}
        assert settings["/zones/{id}/settings/browser_cache_ttl"] == {"value": 0}
        assert settings["/zones/{id}/argo/tiered_caching"] == {"value": "on"}

    def test_a_held_answer_is_never_stale(self, text: str) -> None:
        for route in ROUTES:
            fields = {"http.host": HOST, "http.request.method": "GET", "http.request.uri.path": sample_path(route)}
            last = cloudflare.matching(text, "http_request_cache_settings", fields)[-1]["action_parameters"]
            assert ("serve_stale" in last) == (route.handling is Handling.HELD)

    def test_other_hosts_of_the_zone_are_left_alone(self, text: str) -> None:
        fields = {"http.host": "www.example.com", "http.request.method": "GET", "http.request.uri.path": "/shop",
                  "raw.http.request.uri.path": "/shop", "http.request.uri.args.names": ["x"]}  # fmt: skip
        phases = [call["path"].split("/")[-2] for call in json.loads(text)["calls"] if "/phases/" in call["path"]]
        assert [cloudflare.matching(text, phase, fields) for phase in phases] == [[], [], [], []]

    def test_a_rule_has_room(self, text: str) -> None:
        """4,096 characters; Free has five rules of one kind (WAF custom rules)."""
        rules = [call["body"]["rules"] for call in json.loads(text)["calls"] if "rules" in call["body"]]
        assert max(len(rule["expression"]) for phase in rules for rule in phase) < 4_096
        assert len(cloudflare.rules(text, "http_request_firewall_custom")) <= 5


class TestCloudFront:
    def test_aws_schemas_accept_it(self) -> None:
        """cfn-lint has them with it."""
        file = ROOT / "deploy" / "cdn" / CONFIGURATIONS["cloudfront"].file
        command = [Path(sys.executable).parent / "cfn-lint", "--regions", "us-east-1", "--", file]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.stdout, done.returncode) == ("", 0)

    @pytest.fixture
    def resources(self) -> dict[str, dict[str, dict[str, object]]]:
        return dict(cloudfront.template(rendered("cloudfront"))["Resources"])

    @pytest.fixture
    def distribution(self, resources: dict[str, dict[str, dict[str, object]]]) -> dict[str, object]:
        return dict(resources["Distribution"]["Properties"]["DistributionConfig"])  # type: ignore[call-overload]

    def test_lifetimes_and_keys_are_those_of_the_service(self, resources, distribution) -> None:  # type: ignore[no-untyped-def]
        policies = [
            resource["Properties"]["CachePolicyConfig"]
            for resource in resources.values()
            if resource["Type"] == "AWS::CloudFront::CachePolicy"
        ]
        longest = max(policy.edge for policy in vars(headers).values() if isinstance(policy, headers.Policy))
        assert {policy["MinTTL"] for policy in policies} == {0}
        assert min(policy["MaxTTL"] for policy in policies) >= longest
        assert {row["ErrorCachingMinTTL"] for row in distribution["CustomErrorResponses"]} == {0}
        assert distribution["CacheTagConfig"]["HeaderName"] == headers.DIALECTS["cloudfront"].key_field

    def test_only_a_held_path_and_what_is_forwarded_has_the_longer_timeout(self, distribution) -> None:  # type: ignore[no-untyped-def]
        timeouts = {
            origin["Id"]: origin["CustomOriginConfig"]["OriginReadTimeout"] for origin in distribution["Origins"]
        }
        for route in ROUTES:
            row = cloudfront.behaviour(distribution, sample_path(route))
            assert (timeouts[row["TargetOriginId"]] > HOLD_S) == (route.handling is not Handling.STORED), route

    def test_authorization_is_forwarded_where_it_is_private_and_nowhere_else(self, distribution) -> None:  # type: ignore[no-untyped-def]
        for route in ROUTES:
            row = cloudfront.behaviour(distribution, sample_path(route))
            all_headers = row.get("OriginRequestPolicyId") == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
            assert all_headers == (route.handling is Handling.PASSED), route
            assert row["Compress"] == (route.handling in KEPT or route.handling is Handling.PASSED), route

    def test_it_has_room(self, distribution) -> None:  # type: ignore[no-untyped-def]
        assert len(distribution["CacheBehaviors"]) <= 75
        assert len(code().encode()) < MAX_BYTES


def test_bunny_keeps_what_the_service_says_and_collapses_for_longer_than_a_hold() -> None:
    (zone,) = bunny.calls(rendered("bunny"), "/pullzone/{id}")
    assert (zone["CacheControlMaxAgeOverride"], zone["CacheControlPublicMaxAgeOverride"]) == (-1, -1)
    assert zone["EnableRequestCoalescing"]
    assert zone["EnableOriginShield"]
    assert not zone["CacheErrorResponses"]
    assert min(zone["RequestCoalescingTimeout"], zone["OriginResponseTimeout"]) > HOLD_S
    # What the API takes (github.com/BunnyWay/terraform-provider-bunnynet, internal/provider/resource_pullzone.go).
    assert zone["RequestCoalescingTimeout"] in (3, 5, 10, 15, 30, 60)
    assert zone["OriginResponseTimeout"] in (5, 15, 30, 45, 60)
    assert zone["OriginConnectTimeout"] in (3, 5, 10)


def test_fastly_waits_longer_than_a_hold_and_serves_the_last_good_answer() -> None:
    text = rendered("fastly")
    miss = text[text.index("sub vcl_miss") : text.index("sub vcl_pass")]
    assert 'X-Route == "held"' in miss
    assert "first_byte_timeout = 30s" in miss
    assert text.count("return(deliver_stale);") == 2
    assert [
        macro
        for macro in ("recv", "hash", "miss", "pass", "fetch", "error", "deliver")
        if f"#FASTLY {macro}" not in text
    ] == []


def test_fastly_keeps_what_is_moved_and_nothing_for_long_that_was_slow() -> None:
    """By itself it keeps no 308, and asks for those who wait for it one after the other
    (fastly.com/documentation/reference/vcl/variables/backend-response/beresp-cacheable)."""
    text = rendered("fastly")
    fetch = text[text.index("sub vcl_fetch") : text.index("sub vcl_error")]
    assert re.search(r"if \(beresp\.status == 308\) \{[^}]*set beresp\.cacheable = true;\s*\}", fetch)
    # Nor for long what may have been asked for before a change and come after its second purge.
    assert re.search(r"if \([^)]*time\.elapsed > 1500ms[^)]*\) \{[^}]*set beresp\.ttl = 2s;\s*\}", fetch)


def test_the_fastly_service_has_what_the_vcl_needs() -> None:
    service = json.loads(rendered("fastly-service"))["resource"]["fastly_service_vcl"]["scores"]
    (backend,) = service["backend"]
    assert backend["shield"] == "${var.shield}"
    assert backend["first_byte_timeout"] < HOLD_S * 1_000
    assert "application/json" in service["gzip"][0]["content_types"]
    assert service["vcl"][0]["main"]
    assert CONFIGURATIONS["fastly"].file in service["vcl"][0]["content"]
