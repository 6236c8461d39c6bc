"""Our own Varnish: `PURGEKEYS` on its admin port, as cdn/vcl/score.vcl takes it. Nodes are told side by side."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from cdn.backend import DONE, Budget, Outcome, Result
from cdn.wire import Wire


class Varnish:
    """urls: admin ports, such as http://127.0.0.1:6083. All nodes must say yes, else all are asked again."""

    name = "varnish"
    # 100 keys of 64 characters and a space are 6.5 KB; varnishd takes a header of 8 KB (http_req_hdr_len).
    most = 100
    # The VCL decides by the path what may be served once more: one kind of purge, one call.
    soft = False
    floor_s = 0
    rebound = True

    def __init__(self, urls: Sequence[str], secret: str) -> None:
        self.urls = urls
        # xkey takes one global lock for a purge; twenty calls a second are far below what it bears.
        self.budget = Budget(50, 100)
        # A wire for each node, so that a dead one does not cost the others their warm connection.
        self.wires = [Wire({"X-Purge-Secret": secret}) for _ in urls]
        # One that hangs costs the others nothing.
        self.pool = ThreadPoolExecutor(len(self.wires), thread_name_prefix="varnish")

    def purge(self, keys: Sequence[str], *, soft: bool) -> Outcome:  # noqa: ARG002 - it knows only one kind
        headers = {"Surrogate-Key": " ".join(keys)}
        outcomes = list(self.pool.map(lambda wire, url: wire.send("PURGEKEYS", url, headers), self.wires, self.urls))
        return next((outcome for outcome in outcomes if outcome.result is not Result.DONE), DONE)
