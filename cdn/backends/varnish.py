"""Our own Varnish: `PURGEKEYS` on the admin port of each node, as cdn/varnish/score.vcl takes it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from urllib.parse import urlsplit

from cdn.backends.base import DONE, Budget, Outcome, PurgeResult, later
from cdn.backends.control_plane import ControlPlane

# A node that did not answer the last time is given only as long as purges are gathered for anyway (workers.purge).
AWAY_WAIT_S = 0.05


class Node:
    """One varnishd. It gets one call at a time, on a connection that is kept open."""

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self.address = f"{urlsplit(url).hostname}:{urlsplit(url).port or 80}"
        self.control_plane = ControlPlane({"X-Purge-Secret": secret})
        self.last_call: Future[Outcome] | None = None
        # The failure after which it is taken to be away.
        self.failure: Outcome | None = None

    def purge(self, pool: ThreadPoolExecutor, keys: str) -> Future[Outcome] | None:
        """None while the call before is not over."""
        if self.last_call and not self.last_call.done():
            return None
        self.last_call = pool.submit(self._purge, keys)
        return self.last_call

    def _purge(self, keys: str) -> Outcome:
        headers = {"Surrogate-Key": keys}
        # The number of answers purged; only score.vcl sends it.
        outcome = self.control_plane.send(
            "PURGEKEYS", self.url, lambda answer: answer.headers["X-Purged"].isdecimal(), headers
        )
        if outcome.reason:
            outcome = replace(outcome, reason=f"{self.address}: {outcome.reason}")
        self.failure = outcome if outcome.result is PurgeResult.LATER else None
        return outcome

    def outcome(self, call: Future[Outcome] | None) -> Outcome:
        return call.result() if call and call.done() else self.failure or later(f"{self.address}: it was away")


class Varnish:
    """Succeeds when all nodes do; else all are called again until what the absent node missed has expired.

    urls: admin ports, such as http://127.0.0.1:6083.
    """

    name = "varnish"
    # 100 keys of 64 characters and a space are 6.5 KB; varnishd takes a header of 7 KB (http_req_hdr_len).
    max_keys = 100
    # The VCL decides by the path what may be served stale: one kind of purge, one call.
    soft = False
    floor_s = 0
    rebound_above_s = 0.0

    def __init__(self, urls: Sequence[str], secret: str) -> None:
        # xkey takes one global lock for a purge; twenty calls a second are far below its limit.
        self.budget = Budget(50, 100)
        self.nodes = [Node(url, secret) for url in urls]
        self.pool = ThreadPoolExecutor(len(self.nodes), thread_name_prefix="varnish")

    def purge(self, keys: Sequence[str], *, soft: bool) -> Outcome:  # noqa: ARG002 - it knows only one kind
        present = [node for node in self.nodes if not node.failure]
        calls = {node: node.purge(self.pool, " ".join(keys)) for node in self.nodes}
        wait([call for node in present if (call := calls[node])])
        wait([call for call in calls.values() if call], timeout=AWAY_WAIT_S)
        outcomes = [node.outcome(call) for node, call in calls.items()]
        return next((outcome for outcome in outcomes if outcome.result is not PurgeResult.DONE), DONE)
