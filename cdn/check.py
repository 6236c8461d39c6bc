"""Does the edge do as it is told: cache, carry keys, forget on purge. Asked of the canary, unlike any answer before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import requests

from cdn import keys
from cdn.backend import Backend, Result
from cdn.backends import NEEDS
from cdn.headers import Dialect

CANARY_PATH = "/api/edge/canary"
# The slowest of the CDNs we purge takes five seconds at the 95th percentile (CloudFront).
EFFECT_S = 15.0
LOOK_S = 0.25
# A POP has several caches, each with its own first request.
READS = 6


@dataclass(frozen=True, slots=True)
class Finding:
    ok: bool
    said: str


def check(public_url: str, backend: Backend, dialect: Dialect, from_origin: Mapping[str, str]) -> Iterator[Finding]:
    """One finding a step, as it is made; it ends with the first that is not ok. from_origin: the canary's headers as
    the service sends them."""
    with requests.Session() as session:
        steps: list[Callable[[], Finding]] = [
            lambda: _tagged(backend, dialect, from_origin),
            lambda: _cached(session, public_url),
            lambda: _purged(session, public_url, backend),
        ]
        for step in steps:
            finding = step()
            yield finding
            if not finding.ok:
                return


def _tagged(backend: Backend, dialect: Dialect, sent: Mapping[str, str]) -> Finding:
    if not dialect.key_field:
        return Finding(True, f"CDN={backend.name}: answers carry no cache keys, for nobody purges by them")
    found = sent.get(dialect.key_field, "")
    if keys.CANARY not in found.split(dialect.separator):
        return Finding(False, f"the service sends no {dialect.key_field} with its answers: it runs with another CDN=")
    return Finding(True, f"answers carry their keys: {dialect.key_field}: {found}")


def _cached(session: requests.Session, url: str) -> Finding:
    seen: list[str] = []
    for _ in range(READS):
        try:
            answer = session.get(url.rstrip("/") + CANARY_PATH, timeout=10)
        except requests.RequestException as error:
            return Finding(False, f"PUBLIC_URL does not answer: {url} ({type(error).__name__})")
        nonce = _nonce(answer)
        if nonce is None:
            return Finding(False, f"PUBLIC_URL is not this service: {url} answered {answer.status_code} to the canary")
        if nonce in seen:
            return Finding(True, "the edge repeats an answer")
        seen.append(nonce)
    return Finding(False, f"nothing is cached: {READS} reads were {READS} requests to the origin.{_why(answer)}")


def _why(answer: requests.Response) -> str:
    status = answer.headers.get("cf-cache-status", "")
    if status in ("DYNAMIC", "BYPASS"):
        return f" Cloudflare says {status}: JSON needs a Cache Rule that makes /api/ eligible (docs/edge.md)."
    return " Is there a CDN at that address, and does it keep what Cache-Control allows?"


def _purged(session: requests.Session, url: str, backend: Backend) -> Finding:
    if backend.name == "null":
        return Finding(True, "CDN=null: nothing is purged, every change is seen by expiry")
    # A POP has several caches: what any of them held before is no news.
    before = {None, *(_read(session, url) for _ in range(READS))}
    outcome = backend.purge([keys.CANARY], soft=False)
    names = " and ".join(name.upper() for name in NEEDS[backend.name])
    if outcome.result is not Result.DONE:
        return Finding(False, f"{backend.name} did not purge: {outcome.reason}. See {names}.")
    started = time.monotonic()
    while time.monotonic() - started < EFFECT_S:
        if _read(session, url) not in before:
            return Finding(True, f"a purge takes effect, in {time.monotonic() - started:.2f} s")
        time.sleep(LOOK_S)
    said = (
        f"{backend.name} said yes to a purge that had no effect in {EFFECT_S:.0f} s: what it purges is not what stands"
    )
    return Finding(False, f"{said} at {url} (see {names}), or the keys are taken off before it sees the answer")


def _read(session: requests.Session, url: str) -> str | None:
    try:
        return _nonce(session.get(url.rstrip("/") + CANARY_PATH, timeout=10))
    except requests.RequestException:
        return None


def _nonce(answer: requests.Response) -> str | None:
    try:
        return str(answer.json()["nonce"]) if answer.status_code == 200 else None
    except (ValueError, KeyError, TypeError):
        return None
