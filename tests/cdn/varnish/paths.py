"""Paths of the tests on a shared Varnish: each test asks for ones that nobody has asked for before."""

from __future__ import annotations

import itertools
import threading

from tests.support.edge import Reply

SCORE = "/api/score/m1"
_numbers = itertools.count(1)


def new_path(prefix: str) -> str:
    """The score of a match whose id begins so."""
    return f"/api/score/{prefix}-{next(_numbers)}"


def wait_path() -> str:
    return f"/api/score/m1/wait/{next(_numbers)}.0"


def board_wait_path() -> str:
    return f"/api/live/wait/{next(_numbers)}.0"


def held_answer(version: int, held: threading.Event | None = None, seconds: int = 20) -> Reply:
    body = f'{{"version":{version},"next":"/api/score/m1/wait/{version}.0"}}'.encode()
    return Reply(body, {"Cache-Control": f"public, max-age=0, s-maxage={seconds}"}, held=held)
