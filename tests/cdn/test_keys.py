"""What an answer carries and what a change purges, and that the two meet."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn import headers, keys
from cdn.keys import Purge, purges
from db.domain import Competition, Fact, FactKind, Match, Score, Status, Team

KICK_OFF = 1_795_600_000_000  # 2026-11-25 09:46:40 UTC
LIVE = Match("m1", status=Status.FIRST_HALF, competition=Competition("cup", "Cup"), start_time=KICK_OFF)
IDS = st.text("abcXYZ019_.:-", min_size=1, max_size=64)


def purged(before: Match | None, after: Match, *kinds: FactKind) -> set[str]:
    return {purge.key for purge in purges(before, after, [Fact(kind) for kind in kinds])}


@given(IDS)
def test_a_key_is_taken_by_every_cdn(match_id: str) -> None:
    for key in (keys.match(match_id), keys.competition(match_id), keys.table(match_id), keys.team(match_id)):
        assert re.fullmatch(r"[a-z0-9-]{1,64}", key)


@given(IDS, IDS, IDS, IDS)
def test_a_meeting_has_one_key_whoever_is_at_home(one: str, other: str, third: str, fourth: str) -> None:
    assert re.fullmatch(r"[a-z0-9-]{1,64}", keys.meeting(one, other))
    assert keys.meeting(one, other) == keys.meeting(other, one)
    assert (keys.meeting(one, other) == keys.meeting(third, fourth)) == ({one, other} == {third, fourth})


@given(IDS, IDS)
def test_two_ids_never_share_a_key(first: str, second: str) -> None:
    assert (keys.match(first) == keys.match(second)) == (first == second)


def test_a_plain_id_cannot_look_like_a_digest() -> None:
    digest = keys.match("A").removeprefix("match-")
    assert keys.match(digest) != keys.match("A")


def test_ids_that_differ_in_case_alone_have_two_keys() -> None:
    assert len({keys.match("sr:match:1"), keys.match("SR:match:1"), keys.match("sr-match-1")}) == 3


class TestWhatAChangePurges:
    def test_a_goal_goes_from_the_match_the_board_and_the_lists(self) -> None:
        after = replace(LIVE, score=Score(1, 0))
        assert purged(LIVE, after, FactKind.ADDED, FactKind.SCORE) == {
            "match-m1", "live", "day-2026-11-25", "competition-cup", "table-cup"
        }  # fmt: skip

    def test_a_goal_goes_from_both_teams_and_their_meetings(self) -> None:
        playing = replace(LIVE, home=Team("h", "H"), away=Team("sr:a", "A"))
        assert purged(playing, playing, FactKind.SCORE) >= {
            "team-h", keys.team("sr:a"), keys.meeting("sr:a", "h")
        }  # fmt: skip
        assert purged(playing, playing, FactKind.ADDED) == {"match-m1", "live"}
        assert not any(key.startswith("meeting-") for key in purged(LIVE, replace(playing, away=None), FactKind.SCORE))

    def test_the_clock_is_left_to_expire(self) -> None:
        assert purged(LIVE, replace(LIVE, minute=7)) == set()

    def test_a_card_goes_from_the_match_and_the_board_alone(self) -> None:
        assert purged(LIVE, LIVE, FactKind.ADDED) == {"match-m1", "live"}

    def test_the_final_whistle_takes_the_match_off_the_board(self) -> None:
        assert "live" in purged(LIVE, replace(LIVE, status=Status.FINISHED), FactKind.STATUS)

    def test_the_kick_off_puts_it_there(self) -> None:
        assert "live" in purged(replace(LIVE, status=Status.SCHEDULED), LIVE, FactKind.STATUS)

    def test_a_match_that_is_not_live_leaves_the_board_alone(self) -> None:
        over = replace(LIVE, status=Status.FINISHED)
        assert "live" not in purged(over, replace(over, score=Score(2, 2)), FactKind.SCORE)

    def test_a_match_that_moves_goes_from_both_days_and_both_competitions(self) -> None:
        moved = replace(LIVE, start_time=KICK_OFF + 86_400_000, competition=Competition("A", "A"))
        assert purged(LIVE, moved, FactKind.INFO) >= {
            "day-2026-11-25", "day-2026-11-26", "competition-cup", keys.competition("A"), "table-cup", keys.table("A")
        }  # fmt: skip

    def test_a_new_match_purges_the_404_it_was(self) -> None:
        assert "match-m1" in purged(None, Match("m1"), FactKind.INFO)

    @pytest.mark.parametrize("kind", FactKind)
    def test_every_kind_of_fact_has_its_row(self, kind: FactKind) -> None:
        assert "match-m1" in purged(LIVE, LIVE, kind)


class TestHowLongAPurgeMatters:
    def lifetime(self, before: Match, after: Match) -> int:
        return next(p.lifetime_s for p in purges(before, after, [Fact(FactKind.STATUS)]) if p.key == "match-m1")

    def test_it_is_that_of_the_answers_out_there_not_of_those_to_come(self) -> None:
        over = replace(LIVE, status=Status.FINISHED)
        assert self.lifetime(LIVE, over) == headers.LIST.lifetime_s
        assert self.lifetime(over, LIVE) == headers.FINAL.lifetime_s

    def test_no_answer_of_a_key_outlives_it(self) -> None:
        for status in Status:
            shown = replace(LIVE, status=status)
            longest = max(headers.for_phase(shown.phase).lifetime_s, headers.for_detail(shown.phase).lifetime_s)
            assert self.lifetime(shown, LIVE) == longest


def test_lists_are_purged_softly_and_scores_are_not() -> None:
    soft = {purge.key for purge in purges(LIVE, LIVE, [Fact(FactKind.SCORE)]) if keys.is_soft(purge.key)}
    assert soft == {"day-2026-11-25", "competition-cup", "table-cup"}


def test_a_calendar_day_of_any_zone_is_two_days_of_ours_at_most() -> None:
    assert keys.days(KICK_OFF, KICK_OFF + 86_400_000) == ("day-2026-11-25", "day-2026-11-26")
    midnight = 1_795_564_800_000
    assert keys.days(midnight, midnight + 86_400_000) == ("day-2026-11-25",)
    assert keys.days(midnight, midnight + 25 * 3_600_000) == ("day-2026-11-25", "day-2026-11-26")


def test_an_open_long_or_empty_stretch_has_no_days() -> None:
    assert keys.days(None, KICK_OFF) == keys.days(KICK_OFF, None) == keys.days(KICK_OFF, KICK_OFF) == ()
    assert keys.days(KICK_OFF, KICK_OFF + 30 * 86_400_000) == ()


def test_a_purge_is_a_value() -> None:
    assert Purge("live", 3) == Purge("live", 3)
