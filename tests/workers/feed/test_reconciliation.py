"""A provider's documents against the live state: what differs is counted once, and told for as long as it stands."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import pytest

from db.domain import Match, MatchInfo, Score, Stamp, Status, Update
from tests.support.feed_world import FeedWorld
from tests.workers.feed.test_session import NullReader
from workers.feed.reconciliation import STANDING_MS, Reconciliation
from workers.feed.session import now_ms

NOW = 1_800_000_000_000
MATCH = Match("m", source="openligadb", status=Status.LIVE, score=Score(1, 0), start_time=NOW)
DOCUMENT = Update("m", Stamp(NOW, source="openligadb"), NOW, status=Status.LIVE, score=Score(1, 0), is_document=True)


@pytest.mark.parametrize(
    ("document", "match", "fields"),
    [
        (DOCUMENT, MATCH, []),
        (replace(DOCUMENT, score=Score(2, 0)), MATCH, ["score"]),
        (replace(DOCUMENT, score=Score(0, 0), status=Status.FINISHED), MATCH, ["score", "status"]),
        (replace(DOCUMENT, score=Score(2, 0)), replace(MATCH, source="sportradar"), ["source"]),
        (replace(DOCUMENT, is_document=False, score=Score(2, 0)), MATCH, []),
        (
            replace(DOCUMENT, score=None, status=Status.SCHEDULED, info=MatchInfo(start_time=NOW + 1)),
            replace(MATCH, status=Status.SCHEDULED),
            ["start"],
        ),
    ],
)
def test_what_differs(document: Update, match: Match, fields: list[str]) -> None:
    differences = Reconciliation().compare([document], {"m": match}, NOW)
    assert [difference.field for difference in differences] == fields


def test_it_is_counted_once_and_stands_until_it_is_repaired() -> None:
    reconciliation, ahead = Reconciliation(), [replace(DOCUMENT, score=Score(2, 0))]
    assert len(reconciliation.compare(ahead, {"m": MATCH}, NOW)) == 1
    assert reconciliation.compare(ahead, {"m": MATCH}, NOW + 1) == []
    assert reconciliation.standing(NOW + STANDING_MS - 1) == []
    assert reconciliation.standing(NOW + STANDING_MS) == ["m"]
    reconciliation.compare(ahead, {"m": replace(MATCH, score=Score(2, 0))}, NOW + STANDING_MS)
    assert reconciliation.standing(NOW + 2 * STANDING_MS) == []


def test_what_we_do_not_know_yet_does_not_differ() -> None:
    assert Reconciliation().compare([DOCUMENT], {}, NOW) == []


def test_a_match_in_play_that_the_list_lacks_is_absent_until_it_is_listed() -> None:
    reconciliation = Reconciliation()
    assert [one.field for one in reconciliation.compare_list(["other"], [MATCH], NOW)] == ["absent"]
    reconciliation.compare([DOCUMENT], {"m": MATCH}, NOW + 1)
    assert reconciliation.standing(NOW + STANDING_MS) == ["m"]
    assert reconciliation.compare_list(["m"], [MATCH], NOW + 2) == []
    assert reconciliation.standing(NOW + STANDING_MS) == []


def test_matches_that_are_over_are_forgotten() -> None:
    reconciliation = Reconciliation()
    reconciliation.compare_list([], [MATCH], NOW)
    reconciliation.forget(["other"])
    assert reconciliation.standing(NOW + STANDING_MS) == []


def test_health_tells_how_many_differ_and_how_many_stand(world: FeedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    session = world.session(NullReader(), Event())
    stamp = Stamp(now_ms(), source="openligadb")
    session.put([Update("m", stamp, now_ms(), status=Status.LIVE, score=Score(1, 0))])
    world.wait_for("m", "1-0 live")
    assert session.reconcile_list([], "openligadb") == []
    monkeypatch.setattr("workers.feed.reconciliation.STANDING_MS", 0)
    assert session.reconcile_list([], "openligadb") == ["m"]
    assert (session.health.differences, session.health.differing) == (1, 1)
    assert session.reconcile_list(["m"], "openligadb") == []
    assert (session.health.differences, session.health.differing) == (1, 0)
