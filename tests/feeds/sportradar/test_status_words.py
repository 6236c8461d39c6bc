"""Two status words that Sportradar sends side by side, and may not change at the same time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from db.domain import Status
from tests.support.feeds import RECEIVED, sportradar_updates

GENERATED_AT = datetime.fromtimestamp(RECEIVED / 1000, UTC).isoformat()


@pytest.mark.parametrize(
    ("broad", "fine", "status"),
    [
        ("live", "1st_half", Status.FIRST_HALF),
        ("live", "interrupted", Status.INTERRUPTED),
        ("not_started", "start_delayed", Status.DELAYED),
        ("interrupted", "1st_half", Status.INTERRUPTED),
        ("suspended", "2nd_half", Status.SUSPENDED),
        ("suspended", "interrupted", Status.SUSPENDED),
        ("abandoned", "interrupted", Status.ABANDONED),
        ("abandoned", "2nd_half", Status.ABANDONED),
        ("postponed", "not_started", Status.POSTPONED),
        ("cancelled", "not_started", Status.CANCELLED),
        ("delayed", "not_started", Status.DELAYED),
        ("live", "not_started", Status.LIVE),
        ("ended", "2nd_half", Status.ENDED),
        ("closed", "ended", Status.FINISHED),
        ("closed", "interrupted", Status.FINISHED),
        ("closed", "abandoned", Status.ABANDONED),
        ("closed", "cancelled", Status.CANCELLED),
        ("closed", "walkover", Status.WALKOVER),
        ("closed", "unheard_of", Status.FINISHED),
        ("suspended", "unheard_of", Status.SUSPENDED),
        ("unheard_of", "not_started", Status.SCHEDULED),
        ("interrupted", "abandoned", Status.ABANDONED),
    ],
)
def test_neither_word_hides_that_a_match_is_not_played(broad: str, fine: str, status: Status) -> None:
    state = {"status": broad, "match_status": fine}
    document = {"generated_at": GENERATED_AT, "sport_event": {"id": "sr:sport_event:1"}, "sport_event_status": state}
    assert sportradar_updates(document)[-1].status is status
