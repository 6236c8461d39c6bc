"""The score of a Stats Perform document, of whose parts each may be missing or null."""

from __future__ import annotations

import json
from typing import Any

import pytest

from db.domain import Score
from feeds.statsperform.parse import parse
from tests.support.feeds import RECEIVED


def points(home: int, away: int) -> dict[str, int]:
    return {"home": home, "away": away}


@pytest.mark.parametrize(
    ("scores", "score"),
    [
        ({"total": points(1, 0)}, Score(1, 0)),
        ({"ht": None, "ft": None, "et": None, "pen": None, "total": points(1, 0)}, Score(1, 0)),
        ({"ht": points(1, 0), "ft": points(2, 0)}, Score(2, 0)),
        ({"ft": points(1, 1), "et": points(2, 1), "total": None}, Score(2, 1)),
        ({"ft": points(1, 1), "et": points(2, 2), "pen": points(4, 3), "total": points(6, 5)}, Score(2, 2)),
        ({"ft": points(1, 1), "pen": points(4, 3), "total": points(5, 4)}, Score(1, 1)),
        ({"ht": points(1, 0)}, None),
    ],
)
def test_it_is_the_total_without_kicks(scores: dict[str, Any], score: Score | None) -> None:
    details = {"matchStatus": "Playing", "periodId": 2, "scores": scores}
    document = {"matchInfo": {"id": "m"}, "liveData": {"matchDetails": details}}
    assert parse(json.dumps(document).encode(), received_at=RECEIVED)[-1].score == score
