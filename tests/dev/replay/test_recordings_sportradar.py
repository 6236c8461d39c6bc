"""Files of Sportradar as they may come: any timeline, documents, push of several sports; and files that are none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from db.domain import Match, Score, Side, reduce
from db.domain.errors import Refused
from dev.recordings import Expected, RecordedGoal, Recording, read
from feeds import FEEDS

RECEIVED_AT = 1_800_000_000_000


def play(recording: Recording) -> dict[str, Match]:
    matches: dict[str, Match] = {}
    for message in recording.messages:
        for update in FEEDS[message.provider](message.body, received_at=RECEIVED_AT).updates:
            matches[update.match_id], _ = reduce(matches.get(update.match_id), update)
    return matches


def end_of(match: Match) -> str:
    home, away = (match.score.home, match.score.away) if match.score else (None, None)
    kicks = (match.shootout.home, match.shootout.away) if match.shootout else None
    return str(Expected(home, away, match.status.value, kicks))


def assert_ends_as_recorded(recording: Recording) -> None:
    assert {match_id: end_of(match) for match_id, match in play(recording).items()} == {
        match_id: str(end) for match_id, end in recording.expected.items()
    }


def written(folder: Path, *values: Any, name: str = "file.json", glue: str = "\n", before: bytes = b"") -> Path:
    path = folder / name
    plain = before + glue.join(json.dumps(value) for value in values).encode()
    path.write_bytes(gzip.compress(plain) if name.endswith(".gz") else plain)
    return path


def at(minute: int, second: int = 0) -> str:
    return f"2024-07-05T{19 + minute // 60:02}:{minute % 60:02}:{second:02}+00:00"


def event(id_: int, kind: str, minute: int, period: int = 1, **fields: Any) -> dict[str, Any]:
    moment = {"match_time": minute, "match_clock": f"{minute - 1}:30", "period": period}
    return {"id": id_, "type": kind, "time": at(minute), "period_type": "regular_period", **moment, **fields}


def goal(id_: int, minute: int, side: str, period: int = 1, **fields: Any) -> dict[str, Any]:
    players = [{"id": f"sr:player:{id_}", "name": f"Player {id_}", "type": "scorer"}]
    return event(id_, "score_change", minute, period, competitor=side, players=players, **fields)


def match_events(*events: dict[str, Any]) -> list[dict[str, Any]]:
    start = [event(100, "match_started", 1), event(101, "period_start", 1)]
    end = {"id": 999, "type": "match_ended", "time": at(110), "match_clock": "90:00"}
    return [*start, *events, end]


LEVEL = [goal(102, 10, "home", home_score=1, away_score=0), goal(103, 70, "away", 2, home_score=1, away_score=1)]
TEAMS = [
    {"id": "sr:competitor:1", "name": "Rovers", "qualifier": "home"},
    {"id": "sr:competitor:2", "name": "United", "qualifier": "away"},
]


def document(timeline: list[Any], status: dict[str, Any], match: str = "sr:sport_event:77") -> dict[str, Any]:
    head = {"id": match, "start_time": at(0), "competitors": TEAMS}
    return {"generated_at": at(170), "sport_event": head, "sport_event_status": status, "timeline": timeline}


def standing(home: int, away: int, status: str = "live", word: str = "2nd_half", **fields: Any) -> dict[str, Any]:
    return {"status": status, "match_status": word, "home_score": home, "away_score": away, **fields}


def push(
    event: dict[str, Any] | None, status: dict[str, Any] | None, match: str = "sr:sport_event_id:77"
) -> dict[str, Any]:
    payload = ({"event": event} if event else {}) | ({"sport_event_status": status} if status else {})
    return {"payload": payload, "metadata": {"sport_event_id": match, "channel": "soccer", "format": "json"}}


class TestTimelines:
    def test_a_list_has_an_id_of_its_own_and_nobody_s_teams(self, tmp_path: Path) -> None:
        recording = read(written(tmp_path, match_events(*LEVEL)))
        [(match_id, match)] = play(recording).items()
        assert (match_id, end_of(match)) == ("sr:sport_event:100", "1-1 finished")
        assert (match.home, match.away, match.competition) == (None, None, None)
        assert_ends_as_recorded(recording)

    @pytest.mark.parametrize("name", ["timeline-2024-07-05-rovers-united.json", "rovers-vs-united.json"])
    def test_its_teams_are_those_of_the_file_s_name(self, tmp_path: Path, name: str) -> None:
        [match] = play(read(written(tmp_path, match_events(*LEVEL), name=name))).values()
        assert match.home
        assert match.away
        assert (match.home.name, match.away.name) == ("Rovers", "United")

    def test_two_lists_are_two_matches(self, tmp_path: Path) -> None:
        event = read(written(tmp_path, match_events(*LEVEL)))
        other = read(written(tmp_path, [{**e, "id": e["id"] + 5000} for e in match_events(*LEVEL)]))
        assert not set(event.expected) & set(other.expected)

    def test_running_scores_that_are_wrong_do_not_count(self, tmp_path: Path) -> None:
        """Those of the published lists were put on every event by somebody else."""
        wrong = [{**e, "home_score": 7, "away_score": 7} for e in match_events(*LEVEL)]
        recording = read(written(tmp_path, wrong))
        assert [str(end) for end in recording.expected.values()] == ["1-1 finished"]
        assert_ends_as_recorded(recording)

    def test_the_older_and_the_newer_field_names_are_read(self, tmp_path: Path) -> None:
        older = event(102, "score_change", 10, team="home", goal_scorer={"name": "Old", "method": "own_goal"})
        newer = goal(103, 70, "away", 2, method="penalty", stoppage_time=None)
        [end] = read(written(tmp_path, match_events(older, newer))).expected.values()
        assert end.goals == (
            RecordedGoal(Side.HOME, 10, None, "Old", "own_goal"),
            RecordedGoal(Side.AWAY, 70, None, "Player 103", "penalty_goal"),
        )

    def test_extra_time_and_a_shootout_are_told(self, tmp_path: Path) -> None:
        def kick(id_: int, side: str, status: str) -> dict[str, Any]:
            event = {"id": id_, "type": "penalty_shootout", "time": at(140, id_ - 200), "competitor": side}
            return event | {"status": status, "period_type": "penalties"}

        late = [
            {"id": 110, "type": "break_start", "time": at(105), "period_type": "awaiting_extra"},
            {"id": 111, "type": "period_start", "time": at(106), "period": 1, "period_type": "overtime"},
            {"id": 112, "type": "period_start", "time": at(125), "period": 2, "period_type": "overtime"},
            {"id": 113, "type": "break_start", "time": at(138), "period_type": "awaiting_penalties"},
            {"id": 114, "type": "period_start", "time": at(139), "period_type": "penalties"},
            *(kick(200, "home", "scored"), kick(201, "away", "missed"), kick(202, "home", "scored")),
        ]
        end = {"id": 999, "type": "match_ended", "time": at(150)}
        recording = read(written(tmp_path, [*match_events(*LEVEL)[:-1], *late, end]))
        assert [str(end) for end in recording.expected.values()] == ["1-1 (2-0 p) finished"]
        assert_ends_as_recorded(recording)
        [match] = play(recording).values()
        assert match.decided_by == "penalties"

    def test_plays_of_another_game_are_not_told_as_the_one_we_know(self, tmp_path: Path) -> None:
        play_ = {"type": "play", "play_type": "rush", "reference": "1", "wall_clock": at(1), "period": {"number": 1}}
        plays = [
            {**play_, "id": "play-1", "sequence": 1.0, "home_points": 0, "away_points": 0},
            {**play_, "id": "play-2", "sequence": 2.0, "home_points": 7, "away_points": 0},
        ]
        recording = read(written(tmp_path, plays))
        [(match_id, match)] = play(recording).items()
        assert (match_id, match.home, match.away) == ("sd:match:play-1", None, None)
        assert str(recording.expected[match_id]) == "7-0 live"
        assert_ends_as_recorded(recording)


class TestDocuments:
    def test_a_document_is_told_live_and_then_as_it_is(self, tmp_path: Path) -> None:
        messages = document(match_events(*LEVEL), standing(1, 1, "closed", "ended"))
        recording = read(written(tmp_path, messages))
        bodies = [json.loads(message.body) for message in recording.messages]
        assert [body["payload"]["event"]["id"] for body in bodies[1:-1]] == [100, 101, 102, 103, 999]
        assert bodies[-1] == messages
        [(match_id, match)] = play(recording).items()
        assert (match_id, match.home and match.home.name) == ("sr:sport_event:77", "Rovers")
        assert_ends_as_recorded(recording)
        [end] = recording.expected.values()
        assert len(end.goals or ()) == 2

    def test_a_document_of_a_match_in_play_ends_in_play(self, tmp_path: Path) -> None:
        recording = read(written(tmp_path, document(match_events(*LEVEL)[:-1], standing(1, 1))))
        assert [str(end) for end in recording.expected.values()] == ["1-1 second_half"]
        assert_ends_as_recorded(recording)

    def test_a_score_that_is_not_that_of_the_goals_listed_is_believed(self, tmp_path: Path) -> None:
        recording = read(written(tmp_path, document(match_events(*LEVEL), standing(3, 0, "closed", "ended"))))
        [end] = recording.expected.values()
        assert (str(end), end.goals) == ("3-0 finished", None)

    def test_a_document_without_events_is_one_message(self, tmp_path: Path) -> None:
        recording = read(written(tmp_path, document([], standing(0, 0, "live", "1st_half"))))
        assert len(recording.messages) == 1
        assert_ends_as_recorded(recording)

    def test_a_list_of_summaries_is_a_message_for_each_match(self, tmp_path: Path) -> None:
        parts = [
            {"sport_event": {"id": f"sr:sport_event:{n}"}, "sport_event_status": standing(n, 0)} for n in (1, 2, 3)
        ]
        recording = read(written(tmp_path, {"generated_at": at(50), "summaries": parts}))
        assert [message.match_id for message in recording.messages] == [f"sr:sport_event:{n}" for n in (1, 2, 3)]
        assert_ends_as_recorded(recording)

    def test_documents_one_after_another_are_told_as_they_came(self, tmp_path: Path) -> None:
        first = document(LEVEL[:1], standing(1, 0)) | {"generated_at": at(60)}
        last = document(LEVEL, standing(1, 1))
        recording = read(written(tmp_path, first, last))
        assert [str(end) for end in recording.expected.values()] == ["1-1 second_half"]
        assert_ends_as_recorded(recording)


BEAT = {"heartbeat": {"from": 1724956680, "to": 1724956685, "interval": 5, "type": "events", "package": "soccer-v4"}}
STREAM = [
    BEAT,
    push(event(100, "match_started", 1), standing(0, 0, word="1st_half")),
    push(LEVEL[0], standing(1, 0, word="1st_half")),
    BEAT,
    push(LEVEL[1], standing(1, 1)),
    push({**LEVEL[0], "updated": True, "updated_time": at(80)}, standing(1, 1)),
    push(match_events()[-1], standing(1, 1, "ended", "ended")),
]


class TestPush:
    @pytest.mark.parametrize("glue", ["\n", "", "\r\n\r\n"])
    @pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"])
    def test_soccer_is_told_as_it_came(self, tmp_path: Path, glue: str, before: bytes) -> None:
        recording = read(written(tmp_path, *STREAM, name="push.jsonl", glue=glue, before=before))
        assert len(recording.messages) == len(STREAM)
        assert {match_id: str(end) for match_id, end in recording.expected.items()} == {
            "sr:sport_event:77": "1-1 ended"
        }
        times = [message.at_ms for message in recording.messages]
        assert times == sorted(times)
        assert times[0] > 0
        assert_ends_as_recorded(recording)

    def test_a_late_message_does_not_decide_the_end(self, tmp_path: Path) -> None:
        late = push(event(105, "throw_in", 60, 2), standing(1, 0))
        recording = read(written(tmp_path, *STREAM, late))
        assert [str(end) for end in recording.expected.values()] == ["1-1 ended"]

    def test_events_without_a_status_object_are_counted(self, tmp_path: Path) -> None:
        bare = [push(event, None) for event in match_events(*LEVEL)]
        recording = read(written(tmp_path, *bare))
        assert [str(end) for end in recording.expected.values()] == ["1-1 ended"]
        assert_ends_as_recorded(recording)

    def test_two_matches_and_two_sports_of_one_file_are_told_apart(self, tmp_path: Path) -> None:
        game = {"id": "g1", "status": "inprogress", "home": {"runs": 2}, "away": {"runs": 0}}
        pitch = {"id": "p", "type": "pitch", "inning": 1, "inning_half": "T", "created_at": at(5), "updated_at": at(5)}
        baseball = {"payload": {"game": game, "event": pitch}, "metadata": {"league": "MLB", "match": "sd:match:g1"}}
        other = push(goal(5, 20, "away"), standing(0, 1, word="1st_half"), "sr:sport_event_id:78")
        recording = read(written(tmp_path, *STREAM, other, baseball))
        assert {match_id: str(end) for match_id, end in recording.expected.items()} == {
            "sr:sport_event:77": "1-1 ended",
            "sr:sport_event:78": "0-1 first_half",
            "sd:match:g1": "2-0 live",
        }
        assert_ends_as_recorded(recording)

    def test_a_game_that_ends_amid_a_break_is_at_its_break(self, tmp_path: Path) -> None:
        game = {"id": "g2", "status": "inprogress", "home": {"points": 50}, "away": {"points": 48}}
        over = {"id": "e", "event_type": "endperiod", "period": {"number": 2}, "created": at(9), "updated": at(9)}
        message = {"payload": {"game": game, "event": over}, "metadata": {"league": "NBA", "match": "sd:match:g2"}}
        recording = read(written(tmp_path, message))
        assert [str(end) for end in recording.expected.values()] == ["50-48 half_time"]
        assert_ends_as_recorded(recording)

    def test_a_gzipped_file_is_read(self, tmp_path: Path) -> None:
        recording = read(written(tmp_path, *STREAM, name="push.jsonl.gz"))
        assert play(recording)["sr:sport_event:77"].score == Score(1, 1)


class TestOtherFiles:
    def test_a_list_of_matches_of_stats_perform_is_read(self, tmp_path: Path) -> None:
        def ma1(match: str, **details: Any) -> dict[str, Any]:
            sides = [{"id": "h", "name": "H", "position": "home"}, {"id": "a", "name": "A", "position": "away"}]
            info = {
                "id": match,
                "date": "2024-07-05Z",
                "time": "19:00:00Z",
                "lastUpdated": at(120),
                "contestant": sides,
            }
            return {"matchInfo": info, "liveData": {"matchDetails": details}}

        fixture = ma1("one", matchStatus="Fixture")
        scores = {"ft": {"home": 1, "away": 1}, "pen": {"home": 4, "away": 3}, "total": {"home": 5, "away": 4}}
        after_kicks = ma1("two", matchStatus="Played", periodId=14, scores=scores)
        in_play = ma1("three", matchStatus="Playing", periodId=2, scores={"total": {"home": 1, "away": 0}})
        recording = read(written(tmp_path, {"match": [fixture, after_kicks, in_play]}))
        assert {match_id: str(end) for match_id, end in recording.expected.items()} == {
            "one": "?-? scheduled",
            "two": "1-1 (4-3 p) finished",
            "three": "1-0 second_half",
        }
        assert_ends_as_recorded(recording)
        assert set(read(written(tmp_path, [fixture, after_kicks])).expected) == {"one", "two"}

    @pytest.mark.parametrize("content", [b"", b"  \n", gzip.compress(b"", mtime=0)])
    def test_an_empty_file_is_refused_as_such(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "empty.json").write_bytes(content)
        with pytest.raises(Refused, match=r"empty\.json is empty"):
            read(tmp_path / "empty.json")

    @pytest.mark.parametrize("content", [b"\x1f\x8b", gzip.compress(b"[]" * 50, mtime=0)[:-9], b"\x1f\x8bnone of it"])
    def test_a_broken_gzip_file_is_refused_as_such(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "broken.json.gz").write_bytes(content)
        with pytest.raises(Refused, match="no whole gzip file"):
            read(tmp_path / "broken.json.gz")

    @pytest.mark.parametrize(
        "values",
        [
            [{"matches": 3}],
            [{"name": "Cup", "matches": [{"team1": "A"}]}],
            [{"incidences": {}}],
            [{"matchInfo": {}}],
            [{"payload": {}, "metadata": {}}],
            [{"payload": 7}],
            [push(LEVEL[0], standing(1, 0)), 7],
            [push(LEVEL[0], standing(1, 0), "sr:season:1")],
            [{"sport_event": {"id": "77"}}],
            [[{"type": "score_change", "time": "soon"}]],
            [[{"type": "play", "reference": "1", "sequence": 1}]],
            [{"summaries": []}],
        ],
    )
    def test_a_file_that_lacks_what_its_format_has_is_refused(self, tmp_path: Path, values: list[Any]) -> None:
        with pytest.raises(Refused, match=r"file\.json"):
            read(written(tmp_path, *values))

    def test_the_formats_are_named_to_who_brings_another(self, tmp_path: Path) -> None:
        with pytest.raises(Refused, match=r"openfootball.*Sportradar soccer.*MLB.*Stats Perform.*StatsBomb"):
            read(written(tmp_path, {"fixtures": []}))
