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


AHEAD = [replace(DOCUMENT, score=Score(2, 0))]


def test_it_is_counted_once_and_stands_if_its_document_did_not_repair_it() -> None:
    reconciliation = Reconciliation()
    assert len(reconciliation.compare(AHEAD, {"m": MATCH}, NOW)) == 1
    assert reconciliation.compare(AHEAD, {"m": MATCH}, NOW + 1) == []
    assert reconciliation.due(NOW + STANDING_MS - 1) == []
    assert reconciliation.due(NOW + STANDING_MS) == ["m"]
    reconciliation.recheck({"m": replace(MATCH, minute=12)}, NOW + STANDING_MS)
    assert reconciliation.standing() == ["m"]


@pytest.mark.parametrize(
    "present",
    [
        {"m": replace(MATCH, score=Score(2, 0))},
        {"m": replace(MATCH, score=Score(3, 0))},
        {},
    ],
    ids=["repaired", "moved on", "over"],
)
def test_what_was_repaired_or_has_moved_on_or_is_over_stands_no_more(present: dict[str, Match]) -> None:
    """Although no other document of the match comes."""
    reconciliation = Reconciliation()
    reconciliation.compare(AHEAD, {"m": MATCH}, NOW)
    reconciliation.recheck(present, NOW + STANDING_MS)
    assert (reconciliation.standing(), reconciliation.differences) == ([], {})


def test_what_we_do_not_know_yet_does_not_differ() -> None:
    assert Reconciliation().compare([DOCUMENT], {}, NOW) == []


def test_a_match_in_play_that_the_list_lacks_is_absent_until_it_is_listed() -> None:
    reconciliation = Reconciliation()
    assert [one.field for one in reconciliation.compare_list(["other"], [MATCH], NOW)] == ["absent"]
    reconciliation.compare([DOCUMENT], {"m": MATCH}, NOW + 1)
    reconciliation.recheck({"m": MATCH}, NOW + STANDING_MS)
    assert reconciliation.standing() == ["m"]
    assert reconciliation.compare_list(["m"], [MATCH], NOW + 2) == []
    assert reconciliation.standing() == []


def test_an_absent_match_that_ends_is_forgotten() -> None:
    reconciliation = Reconciliation()
    reconciliation.compare_list([], [MATCH], NOW)
    reconciliation.recheck({"m": replace(MATCH, status=Status.FINISHED)}, NOW + STANDING_MS)
    assert reconciliation.differences == {}


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
