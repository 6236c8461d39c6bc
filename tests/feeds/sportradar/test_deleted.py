"""Soccer events that a push message deletes, as those of Sportradar's US sports do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from db.domain import Score
from tests.support.feeds import RECEIVED, match_after, sportradar_updates


def at(seconds: float) -> str:
    return datetime.fromtimestamp(RECEIVED / 1000 + seconds, UTC).isoformat()


GOAL = {"id": 1, "type": "score_change", "time": at(-60), "competitor": "home", "home_score": 1, "away_score": 0}
BARE = {"id": "1", "type": "score_change"}


def message(event: dict[str, Any], home: int | None, operation: str = "update") -> dict[str, Any]:
    status = {"status": "live", "match_status": "1st_half", "home_score": home, "away_score": 0}
    metadata = {"sport_event_id": "sr:sport_event_id:9", "operation": operation}
    return {"payload": {"event": event, "sport_event_status": status if home is not None else {}}, "metadata": metadata}


@pytest.mark.parametrize("home", [0, None])
@pytest.mark.parametrize(
    ("event", "operation"),
    [
        (BARE, "delete"),
        (GOAL, "delete"),
        (BARE | {"deleted": at(-5)}, "delete"),
        (GOAL | {"updated_time": at(-5)}, "delete"),
        (GOAL | {"deleted": True}, "update"),
    ],
)
def test_a_goal_is_void_and_stays_on_the_timeline(event: dict[str, Any], operation: str, home: int | None) -> None:
    match = match_after(sportradar_updates(message(GOAL, 1), message(event, home, operation)))
    assert match.score == Score(0, 0)
    [goal] = match.timeline
    assert not goal.counts


def test_it_may_be_restored() -> None:
    deleted = message(BARE | {"deleted": at(-30)}, 0, "delete")
    restored = message(GOAL | {"updated": True, "updated_time": at(-10)}, 1)
    match = match_after(sportradar_updates(message(GOAL, 1), deleted, restored))
    assert match.score == Score(1, 0)
    assert [event.counts for event in match.timeline] == [True]
