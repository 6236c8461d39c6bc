"""Who waits for what changes on the board: whose version grows with minutes that release nobody."""

from __future__ import annotations

import pytest

from api.delivery.board_changes import BoardChanges, LoggedChange
from api.delivery.snapshot import CHANGES
from db.domain import HOLD_MS, Phase
from tests.support.hub import V1, V2, Clock, CountingHub, ask, body, hold


@pytest.fixture
def clock() -> Clock:
    return Clock()


def board(version: int, told: int) -> BoardChanges:
    log = (LoggedChange(told, "a", b'{"match_id":"a"}', on_board=False),)
    return BoardChanges(CHANGES, version, "/api/live", b'{"whole":true}', 2_000, Phase.LIVE, told, since=V1, log=log)


@pytest.fixture
def board_hub(clock: Clock) -> CountingHub:
    made = CountingHub(10, clock.later)
    made.watch(CHANGES)
    made.know(board(V1, V1))
    return made


def test_a_minute_that_ticks_is_known_and_releases_nobody(board_hub: CountingHub, clock: Clock) -> None:
    client = hold(board_hub, clock, topic=CHANGES)
    newest = board(V2, V1)
    board_hub.know(newest)
    assert (client.answers, board_hub.snapshot(CHANGES)) == ([], newest)
    clock.pass_(HOLD_MS)
    assert client.told == {
        "version": V1,
        "changed": [],
        "gone": [],
        "changes": f"/api/live/changes/{V1}.1",
        "poll_after_ms": 2_000,
        "held": "timeout",
    }


def test_each_is_told_the_difference_to_what_he_has(board_hub: CountingHub, clock: Clock) -> None:
    waiting = hold(board_hub, clock, topic=CHANGES)
    board_hub.know(board(V2, V2))
    assert (waiting.told["gone"], waiting.told["changes"]) == (["a"], f"/api/live/changes/{V2}.0")
    _, late = ask(board_hub, clock, V1, topic=CHANGES)
    assert (body(late)["gone"], body(late)["held"]) == (["a"], "behind")
    # Too old, and of another Redis.
    for version, why in ((V1 - 1, "behind"), (V2 + 1, "ahead")):
        _, answer = ask(board_hub, clock, version, topic=CHANGES)
        assert (body(answer)["whole"], body(answer)["held"]) == (True, why)


def test_one_answer_serves_all_whose_board_is_too_old(board_hub: CountingHub, clock: Clock) -> None:
    answers = {id(ask(board_hub, clock, version, topic=CHANGES)[1]) for version in range(50)}
    assert len(answers) == 1
