"""Verify that the CDN caches responses and honours purge by key, with a canary that is never the same twice."""

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
    """The result of one step.

    ok: whether the edge passed it.
    message: for an operator.
    """

    ok: bool
    message: str


def check(public_url: str, backend: Backend, dialect: Dialect, origin_url: str | None = None) -> Iterator[Finding]:
    """One finding a step, each as soon as it is known; ends with the first that is not ok.

    origin_url: the service without its CDN. A CDN may hide the keys it was sent, so only there can they be seen.
    """
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
    """Where the canary is read."""

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
    """Looks at the wire: a router or proxy may remove what the service sends."""
    try:
        first, answer = origin.get(), origin.get()
    except requests.RequestException as error:
        return Finding(False, f"the origin does not answer: {origin.url} ({type(error).__name__})")
    if _nonce(answer) is None:
        return Finding(
            False, f"the origin is not this service: {origin.url} answered {answer.status_code} to the canary"
        )
    if _nonce(first) == _nonce(answer):
        return Finding(False, f"{origin.url} is not an origin: a cache answers there")
    sent_keys = answer.headers.get(dialect.key_field, "")
    if keys.CANARY in sent_keys.split(dialect.separator):
        return Finding(True, f"the origin sends its keys: {dialect.key_field}: {sent_keys}")
    others = [name for name, other in DIALECTS.items() if other.key_field and other.key_field in answer.headers]
    why = f"it runs with CDN={' or '.join(others)}" if others else "it runs with CDN=null, or a proxy removes the field"
    return Finding(False, f"{origin.url} sends no {dialect.key_field}: {why}")


def _cached(public: CanaryAddress) -> Finding:
    seen: list[str] = []
    for _ in range(READS):
        try:
            answer = public.get()
        except requests.RequestException as error:
            return Finding(False, f"PUBLIC_URL does not answer: {public.url} ({type(error).__name__})")
        nonce = _nonce(answer)
        if nonce is None:
            reason = f"{public.url} answered {answer.status_code} to the canary"
            return Finding(False, f"PUBLIC_URL is not this service: {reason}")
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
    """Purges twice. After the first purge the canary is younger than its control; so if it goes at the second while the
    control stays, it cannot have expired by age."""
    if backend.name == "null":
        return Finding(True, "CDN=null: nothing is purged, changes are seen by expiry")
    control = public.nonces(CONTROL_PATH)
    if not control:
        return Finding(False, f"PUBLIC_URL is not this version of the service: {public.url} has no {CONTROL_PATH}")
    for _ in range(2):
        finding = _purge(public, backend)
        if not finding.ok:
            return finding
    if control & public.nonces(CONTROL_PATH):
        return finding
    symptom = f"{backend.name} accepted a purge with no effect of its own: what was not purged went as well"
    why = f"{public.url} keeps answers only for moments (an edge TTL of its own?)"
    return Finding(False, f"{symptom}. {why}, so purging is unproven (see {_names(backend)})")


def _purge(public: CanaryAddress, backend: Backend) -> Finding:
    # A POP has several caches; what any of them held before is not new.
    before = public.nonces()
    outcome = backend.purge([keys.CANARY], soft=False)
    if outcome.result is not PurgeResult.DONE:
        return Finding(False, f"{backend.name} did not purge: {outcome.reason}. See {_names(backend)}.")
    took_s = _seconds_until_new(public, before)
    if took_s is not None:
        return Finding(True, f"a purge takes effect, in {took_s:.2f} s")
    symptom = f"{backend.name} accepted a purge that had no effect in {EFFECT_S:.0f} s"
    why = f"it does not purge what answers at {public.url} (see {_names(backend)})"
    return Finding(False, f"{symptom}: {why}, or the keys are removed before it sees the answer")


def _names(backend: Backend) -> str:
    return " and ".join(name.upper() for name in NEEDS[backend.name])


def _seconds_until_new(public: CanaryAddress, before: set[str]) -> float | None:
    """None if only known answers are seen in EFFECT_S."""
    started = time.monotonic()
    while time.monotonic() - started < EFFECT_S:
        nonce = public.nonce()
        if nonce is not None and nonce not in before:
            return time.monotonic() - started
        time.sleep(LOOK_S)
    return None
