"""Our own Varnish: `PURGEKEYS` on its admin port, as cdn/varnish/score.vcl takes it. Nodes are told side by side."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from urllib.parse import urlsplit

from cdn.backends.base import DONE, Budget, Outcome, PurgeResult, later
from cdn.backends.control_plane import ControlPlane

# For a node that did not answer the last time nobody waits longer than purges are gathered for anyway (workers.purge).
ILL_S = 0.05


class Node:
    """One varnishd. It is told one thing at a time, on a warm connection of its own."""

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self.place = f"{urlsplit(url).hostname}:{urlsplit(url).port or 80}"
        self.wire = ControlPlane({"X-Purge-Secret": secret})
        self.last: Future[Outcome] | None = None
        # Why it is taken to be away.
        self.away: Outcome | None = None

    def tell(self, pool: ThreadPoolExecutor, keys: str) -> Future[Outcome] | None:
        """None while the call before is not over."""
        if self.last and not self.last.done():
            return None
        self.last = pool.submit(self._tell, keys)
        return self.last

    def _tell(self, keys: str) -> Outcome:
        headers = {"Surrogate-Key": keys}
        # How many answers went; nobody but score.vcl says so.
        said = self.wire.send("PURGEKEYS", self.url, lambda said: said.headers["X-Purged"].isdecimal(), headers)
        said = replace(said, reason=f"{self.place}: {said.reason}") if said.reason else said
        self.away = said if said.result is PurgeResult.LATER else None
        return said

    def outcome(self, call: Future[Outcome] | None) -> Outcome:
        return call.result() if call and call.done() else self.away or later(f"{self.place}: it was away")


class Varnish:
    """urls: admin ports, such as http://127.0.0.1:6083. All nodes must say yes, else all are asked again: what a node
    that is away has missed, it hears when it is back, unless that has expired. The others wait for it once."""

    name = "varnish"
    # 100 keys of 64 characters and a space are 6.5 KB; varnishd takes a header of 7 KB (http_req_hdr_len).
    most = 100
    # The VCL decides by the path what may be served once more: one kind of purge, one call.
    soft = False
    floor_s = 0
    rebound = True

    def __init__(self, urls: Sequence[str], secret: str) -> None:
        # xkey takes one global lock for a purge; twenty calls a second are far below what it bears.
        self.budget = Budget(50, 100)
        self.nodes = [Node(url, secret) for url in urls]
        self.pool = ThreadPoolExecutor(len(self.nodes), thread_name_prefix="varnish")

    def purge(self, keys: Sequence[str], *, soft: bool) -> Outcome:  # noqa: ARG002 - it knows only one kind
        worth_a_wait = [node for node in self.nodes if not node.away]
        calls = {node: node.tell(self.pool, " ".join(keys)) for node in self.nodes}
        wait([call for node in worth_a_wait if (call := calls[node])])
        wait([call for call in calls.values() if call], timeout=ILL_S)
        outcomes = [node.outcome(call) for node, call in calls.items()]
        return next((outcome for outcome in outcomes if outcome.result is not PurgeResult.DONE), DONE)
