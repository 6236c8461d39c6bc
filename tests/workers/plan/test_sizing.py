"""When a match needs readiness, how many are expected, and what that takes. Pure: no clock, no server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.domain import Competition, Match, Status
from workers.plan.booking import AFTER_MS, AHEAD_MS, LIKELY_MS, LONGEST_MS, MINUTE_MS, Booking, Expectation
from workers.plan.expectation import expected
from workers.plan.figures import BenchFigures
from workers.plan.readiness import shares
from workers.plan.sizing import Hosting, origin_connections, wanted
from workers.plan.timetable import steps
from workers.plan.warming import is_cold, turn

START = 1_716_130_800_000  # 2024-05-19 15:00 UTC
FIGURES = BenchFigures.load()
ORIGIN = Hosting(0, 2, 20_000, 3, 2.0, {"web": 1, "worker": 1}, {"web": 40, "worker": 8})
BEHIND = replace(ORIGIN, caches=60)


def booked(match_id: str = "m", viewers: int = 0, start_ms: int = START, followers: int = 0, **changed: Any) -> Booking:
    match = Match(match_id, start_time=start_ms, competition=Competition("pl", "Premier League"), **changed)
    return Booking(match, Expectation(viewers, followers, "word"))


class TestWhen:
    @pytest.mark.parametrize(
        ("status", "now_ms", "is_due"),
        [
            (Status.SCHEDULED, START - AHEAD_MS - 1, False),
            (Status.SCHEDULED, START - AHEAD_MS, True),
            (Status.SCHEDULED, START + LIKELY_MS + AFTER_MS, False),
            (Status.FIRST_HALF, START + LONGEST_MS, True),
            (Status.FIRST_HALF, START + LONGEST_MS + AFTER_MS, False),
            (Status.POSTPONED, START, False),
            (Status.CANCELLED, START, False),
        ],
    )
    def test_from_before_the_start_until_nobody_can_be_playing(self, status: Status, now_ms: int, is_due: bool) -> None:
        assert booked(status=status).is_due(now_ms) is is_due

    def test_until_the_readers_of_the_last_whistle_have_gone(self) -> None:
        over = booked(status=Status.FINISHED, updated_at=START + 100 * MINUTE_MS)
        assert over.is_due(START + 100 * MINUTE_MS + AFTER_MS - 1)
        assert not over.is_due(START + 100 * MINUTE_MS + AFTER_MS)

    def test_a_correction_of_the_day_after_brings_no_readiness_back(self) -> None:
        tomorrow = START + 24 * 60 * MINUTE_MS
        assert not booked(status=Status.FINISHED, updated_at=tomorrow).is_due(tomorrow + 1)

    def test_the_edge_is_read_early_and_again_each_minute_before_the_start(self) -> None:
        match, warmed, reads = booked(), None, []
        for minute in range(-40, 10):
            now_ms = START + minute * MINUTE_MS
            if is_cold(match, warmed, now_ms):
                reads.append(minute)
                warmed = now_ms
        assert reads == [-30, -5, -4, -3, -2, -1, 0]
        assert turn(match, START - 31 * MINUTE_MS) is None


class TestHowMany:
    match = Match("final", competition=Competition("cup", "Cup"))

    @pytest.mark.parametrize(
        ("followers", "words", "peaks", "viewers", "reason"),
        [
            (500, {}, {}, 500, "followers"),
            (500, {}, {"cup": 900}, 900, "history"),
            (500, {}, {"cup": 100, "other": 10_000}, 500, "followers"),
            (500, {"competition:cup": 50}, {"cup": 900}, 50, "word"),
            (500, {"competition:cup": 50, "match:final": 7}, {"cup": 900}, 7, "word"),
        ],
    )
    def test_a_word_then_the_larger_of_history_and_followers(
        self, followers: int, words: dict[str, int], peaks: dict[str, int], viewers: int, reason: str
    ) -> None:
        assert expected(self.match, followers, words, peaks) == Expectation(viewers, followers, reason)

    def test_history_is_what_all_have_divided_as_it_was_expected(self) -> None:
        other = Booking(replace(booked().match, competition=Competition("b", "B")), Expectation(99, 0, "followers"))
        assert shares([booked("a", 199), booked("b", 99), other], 4_000) == {"pl": 2_000, "b": 1_000}


class TestProcesses:
    def test_without_a_cdn_twice_the_viewers_have_a_connection(self) -> None:
        assert origin_connections([booked(viewers=100_000)], ORIGIN) == 200_000
        # 200,000 of 15,000 a process, two processes a dyno.
        assert wanted([booked(viewers=100_000)], ORIGIN, FIGURES).processes == {"web": 7, "worker": 1}

    def test_behind_a_cdn_a_hundred_times_the_viewers_take_as_many(self) -> None:
        few, many = ([booked(viewers=viewers)] for viewers in (100_000, 50_000_000))
        assert wanted(few, BEHIND, FIGURES) == wanted(many, BEHIND, FIGURES)
        assert origin_connections(many, BEHIND) == 60 * 2 * 2

    def test_followers_take_workers_to_push_to_them(self) -> None:
        assert wanted([booked(followers=5_000_000)], BEHIND, FIGURES).processes["worker"] > 1

    def test_what_is_not_allowed_is_said(self) -> None:
        over = wanted([booked(viewers=50_000_000)], ORIGIN, FIGURES)
        assert (over.processes["web"], over.capped) == (40, ("web",))

    @given(
        st.lists(st.integers(0, 100_000_000), max_size=20),
        st.integers(1, 30),
        st.integers(0, 30),
        st.sampled_from([0, 1, 60, 300]),
    )
    def test_never_below_the_floor_and_never_above_the_ceiling(
        self, viewers: list[int], floor: int, above: int, caches: int
    ) -> None:
        bounds = replace(ORIGIN, caches=caches, floor={"web": floor}, ceiling={"web": floor + above})
        now = wanted([booked(viewers=count, followers=count) for count in viewers], bounds, FIGURES).processes
        assert floor <= now["web"] <= floor + above
        assert now.keys() == {"web"}, "a type without bounds is not scaled"


class TestTimetable:
    def test_overlapping_matches_are_added_up_and_scaled_back_after_the_last(self) -> None:
        matches = [booked("a", 100_000), booked("b", 100_000, START + 60 * MINUTE_MS)]
        planned = steps(matches, ORIGIN, FIGURES, since_ms=START - 2 * AHEAD_MS, until_ms=START + LONGEST_MS)
        assert [((step.at_ms - START) // MINUTE_MS, step.wanted.processes["web"]) for step in planned] == [
            (-30, 7),
            (30, 14),
            (150, 7),
            (210, 1),
        ]
        assert [len(step.begins) for step in planned] == [1, 1, 0, 0]
