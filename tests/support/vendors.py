"""Each purge backend with the emulated API of its vendor, and what that vendor documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cdn.backends.base import Backend
from cdn.backends.bunny import Bunny
from cdn.backends.cloudflare import Cloudflare
from cdn.backends.cloudfront import CloudFront
from cdn.backends.fastly import Fastly
from cdn.backends.varnish import Varnish
from tests.support import control_planes
from tests.support.control_planes import SERVICE, TOKEN, Answer, Call, Plane

AWS_PATH = f"/2020-05-31/distribution/{control_planes.DISTRIBUTION}/invalidation"
AWS_BODY = (
    b'<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Paths><Quantity>2</Quantity>'
    b"<Items><Path>#match-1</Path><Path>#live</Path></Items></Paths>"
    b"<CallerReference>new</CallerReference></InvalidationBatch>"
)


@dataclass(frozen=True)
class Vendor:
    """most: keys that its documentation lets one call hold. hard, soft: a purge of match-1 and live, or of as many of
    them as it takes: method, path, headers that have to be there, body."""

    rules: Callable[[Plane, Call], Answer]
    build: Callable[[str, str, str], Backend]
    most: int
    hard: tuple[str, str, dict[str, str], object]
    soft: tuple[str, str, dict[str, str], object] | None = None
    service: str = SERVICE
    token: str = TOKEN


VENDORS = {
    "varnish": Vendor(
        control_planes.varnish,
        lambda url, _service, token: Varnish([url], token),
        # Of 64 characters, in a header line of 7 KB.
        110,
        ("PURGEKEYS", "/", {"X-Purge-Secret": TOKEN, "Surrogate-Key": "match-1 live"}, b""),
    ),
    "fastly": Vendor(
        control_planes.fastly,
        lambda url, service, token: Fastly(service, token, url),
        256,
        ("POST", f"/service/{SERVICE}/purge", {"Fastly-Key": TOKEN}, {"surrogate_keys": ["match-1", "live"]}),
        (
            "POST",
            f"/service/{SERVICE}/purge",
            {"Fastly-Key": TOKEN, "Fastly-Soft-Purge": "1"},
            {"surrogate_keys": ["match-1", "live"]},
        ),
    ),
    "cloudflare": Vendor(
        control_planes.cloudflare,
        lambda url, service, token: Cloudflare(service, token, "pro", url),
        100,
        ("POST", f"/zones/{SERVICE}/purge_cache", {"Authorization": f"Bearer {TOKEN}"}, {"tags": ["match-1", "live"]}),
        (
            "POST",
            f"/zones/{SERVICE}/invalidate_cache",
            {"Authorization": f"Bearer {TOKEN}"},
            {"tags": ["match-1", "live"]},
        ),
    ),
    "bunny": Vendor(
        control_planes.bunny,
        lambda url, service, token: Bunny(service, token, url),
        1,
        ("POST", "/pullzone/12345/purgeCache", {"AccessKey": TOKEN}, {"CacheTag": "match-1"}),
        service="12345",
    ),
    "cloudfront": Vendor(
        control_planes.cloudfront,
        lambda url, service, token: CloudFront(service, token, "secret", api=url),
        3000,
        ("POST", AWS_PATH, {}, AWS_BODY),
        service=control_planes.DISTRIBUTION,
        token="AKIDTESTS",
    ),
}
