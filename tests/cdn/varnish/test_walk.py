"""Every route of the app through a real Varnish: kept, passed or refused as the table says."""

from __future__ import annotations

from tests.support.edge import MISSING, Origin, Reply, Varnish, send_as_written
from tests.support.walk import KEEP, PASS, REFUSE, Step, Treatment, is_as_told, steps_for_an_origin

# Of the key "any", which the walk purges.
FRESH = Reply(b"{}", {"Surrogate-Control": "max-age=5", "Surrogate-Key": "any"})


def test_every_route_of_the_app_is_kept_passed_or_refused_as_the_table_says(edge: Varnish, origin: Origin) -> None:
    """But a WebSocket, which needs a handshake: test_passing.py."""
    edge.forget()
    walk = [step for step in steps_for_an_origin() if not step.target.startswith("/api/ws")]
    origin.otherwise = FRESH
    done = [treat(edge, origin, step) for step in walk]
    origin.otherwise = MISSING
    assert [(step, what) for step, what in zip(walk, done, strict=True) if not is_as_told(step, what)] == []


def treat(edge: Varnish, origin: Origin, step: Step) -> Treatment:
    edge.purge("any")
    origin.asked.clear()
    answer = send_as_written(edge.url, step.target, step.method)
    if answer.status_code in (404, 405):
        assert origin.asked == []
        return Treatment(REFUSE)
    (asked,) = origin.asked
    return Treatment(PASS if answer.headers["X-Cache"] == "PASS" else KEEP, asked.path)
