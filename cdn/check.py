"""Does the edge do as it is told: cache, and forget what is purged by its key. Asked of the canary, unlike any answer
before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import requests

from cdn import keys
from cdn.backends.base import Backend, PurgeResult
from cdn.backends.registry import NEEDS
from cdn.headers import DIALECTS, Dialect

CANARY_PATH = "/api/edge/canary"
CONTROL_PATH = "/api/edge/canary/control"
# The slowest of the CDNs we purge takes five seconds at the 95th percentile (CloudFront).
EFFECT_S = 15.0
LOOK_S = 0.25
# A POP has several caches, each with its own first request.
READS = 6


@dataclass(frozen=True, slots=True)
class Finding:
    ok: bool
    said: str


def check(public_url: str, backend: Backend, dialect: Dialect, origin_url: str | None = None) -> Iterator[Finding]:
    """One finding a step, as it is made; it ends with the first that is not ok. origin_url: the service without its
    CDN. No CDN need show the keys it was sent, so only there can they be seen."""
    with requests.Session() as session:
        public = CanaryAddress(session, public_url)
        steps: list[Callable[[], Finding]] = [lambda: _cached(public), lambda: _purged(public, backend)]
        if origin_url and dialect.key_field:
            origin = CanaryAddress(session, origin_url)
            steps.insert(0, lambda: _tagged(origin, dialect))
        for step in steps:
            finding = step()
            yield finding
            if not finding.ok:
                return


class CanaryAddress:
    """Where the canary can be read."""

    def __init__(self, session: requests.Session, url: str) -> None:
        self.session, self.url = session, url.rstrip("/")

    def get(self, path: str = CANARY_PATH) -> requests.Response:
        """Raises requests.RequestException."""
        return self.session.get(self.url + path, timeout=10)

    def nonce(self, path: str = CANARY_PATH) -> str | None:
        """None if it cannot be read just now."""
        try:
            return _nonce(self.get(path))
        except requests.RequestException:
            return None

    def nonces(self, path: str = CANARY_PATH) -> set[str]:
        return {nonce for _ in range(READS) if (nonce := self.nonce(path))}


def _nonce(answer: requests.Response) -> str | None:
    try:
        return str(answer.json()["nonce"]) if answer.status_code == 200 else None
    except (ValueError, KeyError, TypeError):
        return None


def _tagged(origin: CanaryAddress, dialect: Dialect) -> Finding:
    """On the wire, for a router or a proxy of one's own may take off what the service puts on."""
    try:
        first, answer = origin.get(), origin.get()
    except requests.RequestException as error:
        return Finding(False, f"the origin does not answer: {origin.url} ({type(error).__name__})")
    if _nonce(answer) is None:
        return Finding(
            False, f"the origin is not this service: {origin.url} answered {answer.status_code} to the canary"
        )
    if _nonce(first) == _nonce(answer):
        return Finding(False, f"{origin.url} is no origin: a cache answers there")
    found = answer.headers.get(dialect.key_field, "")
    if keys.CANARY in found.split(dialect.separator):
        return Finding(True, f"the origin sends its keys: {dialect.key_field}: {found}")
    others = [name for name, other in DIALECTS.items() if other.key_field and other.key_field in answer.headers]
    why = f"it runs with CDN={' or '.join(others)}" if others else "it runs with CDN=null, or something on the way"
    return Finding(False, f"no {dialect.key_field} comes from {origin.url}: {why}{'' if others else ' takes it off'}")


def _cached(public: CanaryAddress) -> Finding:
    seen: list[str] = []
    for _ in range(READS):
        try:
            answer = public.get()
        except requests.RequestException as error:
            return Finding(False, f"PUBLIC_URL does not answer: {public.url} ({type(error).__name__})")
        nonce = _nonce(answer)
        if nonce is None:
            said = f"{public.url} answered {answer.status_code} to the canary"
            return Finding(False, f"PUBLIC_URL is not this service: {said}")
        if nonce in seen:
            return Finding(True, "the edge repeats an answer")
        seen.append(nonce)
    return Finding(False, f"nothing is cached: {READS} reads were {READS} requests to the origin.{_why(answer)}")


def _why(answer: requests.Response) -> str:
    status = answer.headers.get("cf-cache-status", "")
    if status in ("DYNAMIC", "BYPASS"):
        return f" Cloudflare says {status}: JSON needs a Cache Rule that makes /api/ eligible (docs/edge.md)."
    return " Is there a CDN at that address, and does it keep what Cache-Control allows?"


def _purged(public: CanaryAddress, backend: Backend) -> Finding:
    """Purged twice: after the first the canary is younger than its control, so that at the second, with the control
    still there, it cannot have gone of age."""
    if backend.name == "null":
        return Finding(True, "CDN=null: nothing is purged, every change is seen by expiry")
    control = public.nonces(CONTROL_PATH)
    if not control:
        return Finding(False, f"PUBLIC_URL is not this version of the service: {public.url} has no {CONTROL_PATH}")
    for _ in range(2):
        finding = _purge(public, backend)
        if not finding.ok:
            return finding
    if control & public.nonces(CONTROL_PATH):
        return finding
    said = f"{backend.name} said yes to a purge that has no effect of its own: what nobody purged went as well"
    why = f"{public.url} keeps answers for moments, whatever it is told (an edge TTL of its own?)"
    return Finding(False, f"{said}. {why}, and the purge may be in vain (see {_names(backend)})")


def _purge(public: CanaryAddress, backend: Backend) -> Finding:
    # A POP has several caches: what any of them held before is no news.
    before = public.nonces()
    outcome = backend.purge([keys.CANARY], soft=False)
    if outcome.result is not PurgeResult.DONE:
        return Finding(False, f"{backend.name} did not purge: {outcome.reason}. See {_names(backend)}.")
    took_s = _seconds_to_news(public, before)
    if took_s is not None:
        return Finding(True, f"a purge takes effect, in {took_s:.2f} s")
    said = f"{backend.name} said yes to a purge that had no effect in {EFFECT_S:.0f} s"
    why = f"what it purges is not what stands at {public.url} (see {_names(backend)})"
    return Finding(False, f"{said}: {why}, or the keys are taken off before it sees the answer")


def _names(backend: Backend) -> str:
    return " and ".join(name.upper() for name in NEEDS[backend.name])


def _seconds_to_news(public: CanaryAddress, before: set[str]) -> float | None:
    """None if nothing but what was there before is seen in EFFECT_S."""
    started = time.monotonic()
    while time.monotonic() - started < EFFECT_S:
        nonce = public.nonce()
        if nonce is not None and nonce not in before:
            return time.monotonic() - started
        time.sleep(LOOK_S)
    return None
