"""Recorded matches, pure: message → feed → reduce, against what each recording claims its end to be."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from db.domain import Match, Score, Side, Update, reduce
from db.domain.errors import Refused
from dev.recordings import Expected, RecordedGoal, RecordedMessage, Recording, read
from dev.replay.disorder import numbered, shuffled, twice, with_duplicates
from feeds import FEEDS
from tests.support.paths import DATA
from tests.support.stories.count import some

TOURNAMENTS = ("openfootball/worldcup-2022.json", "openfootball/worldcup-2018.json", "openfootball/euro-2024.json")
LEAGUES = tuple(
    f"openfootball/{name}-{season}.json"
    for name, season in (
        ("en.1", "2023-24"),
        ("de.1", "2023-24"),
        ("nl.1", "2019-20"),
        ("it.1", "2020-21"),
        ("de.cup", "2019-20"),
        ("uefa.cl", "2019-20"),
    )
)
FOOTBALL = (
    "sportradar/soccer-timeline-2020-05-16-frankfurt-moenchengladbach.json",
    "statsperform/ma1-2021-09-11-hsv-sandhausen.json",
    "statsperform/ma3-2021-09-11-hsv-sandhausen.json",
    "datafactory/datafactory-anonymised-final.json",
    "statsbomb/events-3788741-turkey-italy-2021-06-11.json.gz",
)
US = (
    "sportradar/nfl-playbyplay-2019-12-29-49ers-seahawks.json",
    "sportradar/push-stream-nba-2023-07-19-slice.jsonl",
    "sportradar/push-stream-mlb-2024-05-21.jsonl",
)
# Those first that have what the others lack: kicks from the mark, matches that were awarded.
CUPS = (TOURNAMENTS[0], LEAGUES[3], *TOURNAMENTS[1:], *LEAGUES[:3], *LEAGUES[4:])
ALL = TOURNAMENTS + LEAGUES + FOOTBALL + US
# Within a day of every message, as the endpoints want it; the recordings' own times are all older.
RECEIVED_AT = 1_800_000_000_000
# Updates of a match that are taken in at once, at most.
BATCH = 8


def by_file(files: tuple[str, ...]) -> pytest.MarkDecorator:
    """Those of one file run in one worker, which reads and plays it once."""
    return pytest.mark.parametrize("file", [pytest.param(file, marks=pytest.mark.xdist_group(file)) for file in files])


@cache
def recording(file: str) -> Recording:
    if not (DATA / file).exists():
        pytest.skip(f"no recorded data beside the repository: shared/data/{file}")
    return read(DATA / file)


@cache
def updates_of(provider: str, body: bytes) -> list[Update]:
    """Read once: the feed knows nothing but the message."""
    return FEEDS[provider](body, received_at=RECEIVED_AT).updates


def play(messages: list[RecordedMessage]) -> dict[str, Match]:
    return reduced(messages)[0]


def reduced(messages: list[RecordedMessage]) -> tuple[dict[str, Match], list[tuple[str, Score | None]]]:
    """The matches at their ends, and the score of each after each message."""
    matches: dict[str, Match] = {}
    scores: list[tuple[str, Score | None]] = []
    for message in messages:
        for update in updates_of(message.provider, message.body):
            matches[update.match_id], _ = reduce(matches.get(update.match_id), update)
        if message.match_id in matches:
            scores.append((message.match_id, matches[message.match_id].score))
    return matches, scores


def play_in_batches(messages: list[RecordedMessage], rng: random.Random) -> dict[str, Match]:
    """As a worker does that finds several messages of a match in its inbox."""
    matches: dict[str, Match] = {}
    inboxes: dict[str, list[Update]] = defaultdict(list)
    for message in messages:
        for update in updates_of(message.provider, message.body):
            inboxes[update.match_id].append(update)
            if len(inboxes[update.match_id]) >= rng.randint(1, BATCH):
                matches[update.match_id], _ = reduce(matches.get(update.match_id), *inboxes.pop(update.match_id))
    for match_id, updates in inboxes.items():
        matches[match_id], _ = reduce(matches.get(match_id), *updates)
    return matches


@cache
def straight(file: str) -> dict[str, Match]:
    return in_order(file)[0]


@cache
def in_order(file: str) -> tuple[dict[str, Match], list[tuple[str, Score | None]]]:
    return reduced(recording(file).messages)


def goals_of(match: Match) -> tuple[RecordedGoal, ...]:
    return tuple(
        RecordedGoal(e.team, e.minute or 0, e.added_minute, e.player.name if e.player else None, e.type)
        for e in match.timeline
        if e.counts and e.team
    )


def end_of(match: Match, *, goals: bool) -> Expected:
    home, away = (match.score.home, match.score.away) if match.score else (None, None)
    kicks = (match.shootout.home, match.shootout.away) if match.shootout else None
    return Expected(home, away, match.status.value, kicks, goals_of(match) if goals else None)


def ends_of(file: str, matches: dict[str, Match]) -> dict[str, Expected]:
    expected = recording(file).expected
    return {id_: end_of(match, goals=expected[id_].goals is not None) for id_, match in matches.items()}


def essence(match: Match) -> object:
    """What must not depend on the order and number of tellings: the match, its timeline, what that says.

    One thing does: the basketball stream tells its plays again within the second that is all its times have, reworded
    and without a number. Which words came last, nobody can know; of these plays only what happened is compared.
    """
    events: list[tuple[object, ...]] = []
    for event in match.timeline:
        details = (event.minute, event.added_minute, event.assist, event.detail, event.home_score, event.away_score)
        what = (event.id, event.type, event.team, event.player, event.voided)
        events.append(what if match.sport == "basketball" else (*what, *details))
    if match.sport == "basketball":
        events.sort(key=repr)
    return match.score, match.shootout, match.status, match.decided_by, events


@by_file(ALL)
def test_every_match_ends_as_recorded(file: str) -> None:
    assert ends_of(file, straight(file)) == recording(file).expected


@by_file(TOURNAMENTS + FOOTBALL)
def test_the_goals_listed_add_up_to_the_score(file: str) -> None:
    for match in straight(file).values():
        sides = [goal.team for goal in goals_of(match)]
        assert match.score is not None
        assert (sides.count(Side.HOME), sides.count(Side.AWAY)) == (match.score.home, match.score.away), match.id


@by_file(TOURNAMENTS + LEAGUES + FOOTBALL)
def test_told_in_order_a_score_rises_goal_by_goal_and_never_falls(file: str) -> None:
    before: dict[str, Score] = {}
    for match_id, score in in_order(file)[1]:
        if score is None:
            continue
        if match_id in before and recording(file).expected[match_id].goals is not None:
            rise = (score.home - before[match_id].home, score.away - before[match_id].away)
            assert rise in ((0, 0), (1, 0), (0, 1)), (match_id, rise)
        before[match_id] = score


@pytest.mark.faults
@by_file((*FOOTBALL, *US, *some(CUPS, 2)))
@pytest.mark.parametrize("seed", some(range(1, 4), 1))
def test_each_match_fully_shuffled_twice_with_duplicates_ends_the_same(file: str, seed: int) -> None:
    rng = random.Random(seed)
    deliveries = with_duplicates(numbered(shuffled(twice(recording(file).messages), rng, None), "n"), 10, rng)
    matches = play_in_batches([delivery.message for delivery in deliveries], rng)
    assert ends_of(file, matches) == recording(file).expected
    assert {id_: essence(match) for id_, match in matches.items()} == {
        id_: essence(match) for id_, match in straight(file).items()
    }


@by_file(ALL)
def test_messages_come_in_the_order_they_were_told(file: str) -> None:
    times = [message.at_ms for message in recording(file).messages]
    assert times == sorted(times)
    assert times[0] > 0


@pytest.mark.parametrize(
    ("file", "messages", "matches"),
    [
        ("openfootball/worldcup-2022.json", 527, 64),
        ("openfootball/en.1-2023-24.json", 2638, 380),
        ("sportradar/push-stream-nba-2023-07-19-slice.jsonl", 120, 2),
        ("sportradar/push-stream-mlb-2024-05-21.jsonl", 44, 2),
    ],
)
def test_a_recording_is_read_whole(file: str, messages: int, matches: int) -> None:
    assert (len(recording(file).messages), len(recording(file).expected)) == (messages, matches)


@pytest.mark.parametrize(
    ("file", "match_id", "end"),
    [
        ("openfootball/worldcup-2022.json", "world-cup-2022-12-18-argentina-france", "3-3 (4-2 p) finished"),
        ("openfootball/worldcup-2022.json", "world-cup-2022-12-06-morocco-spain", "0-0 (3-0 p) finished"),
        ("openfootball/it.1-2020-21.json", "italian-seri-2020-09-19-hellas-verona-f-as-roma", "3-0 awarded"),
        ("openfootball/nl.1-2019-20.json", "netherlands-2020-04-08-az-alkmaar-feyenoord", "?-? cancelled"),
        (FOOTBALL[0], "sr:sport_event:19866060", "1-3 finished"),
        (FOOTBALL[1], "71pif9hi2vwzp6q0xzilyxst0", "2-1 finished"),
        (FOOTBALL[2], "71pif9hi2vwzp6q0xzilyxst0", "2-1 finished"),
        (FOOTBALL[3], "datafactory-1111111", "4-2 finished"),
        (FOOTBALL[4], "statsbomb-3788741", "0-3 finished"),
        (US[0], "sd:match:1be3c3f8-49ers-seahawks-2019-12-29", "21-26 finished"),
        (US[1], "sd:match:0d996d35-85e5-4913-bd45-ac9cfedbf272", "57-55 live"),
        (US[1], "sd:match:26e0906a-a222-4013-a9c8-dea6a8fe1f4f", "41-45 live"),
        (US[2], "sd:match:eaa42c5a-0f07-45e8-8838-b29f6c0300c9", "1-5 live"),
        (US[2], "sd:match:02aef4b5-9025-43b9-bbf6-f29061c025ae", "3-2 live"),
    ],
)
def test_known_results_are_read_from_the_files(file: str, match_id: str, end: str) -> None:
    assert str(recording(file).expected[match_id]) == end


def test_a_goal_after_the_ninetieth_minute_means_extra_time_even_where_no_score_says_so() -> None:
    match = straight("openfootball/euro-2024.json")["euro-2024-07-05-spain-germany"]
    assert (match.decided_by, match.minute) == ("extra_time", 120)


@by_file(TOURNAMENTS + FOOTBALL[3:])
def test_the_last_whistle_is_the_end_of_every_timeline(file: str) -> None:
    for match in straight(file).values():
        assert match.timeline[-1].type == "full_time", match.id
        halves = [event.type for event in match.timeline if event.period == 1]
        assert halves[-1] == "half_time", match.id


def test_an_own_goal_counts_for_the_side_that_gains() -> None:
    (match,) = straight(FOOTBALL[4]).values()
    assert goals_of(match)[0] == RecordedGoal(Side.AWAY, 53, None, "Merih Demiral", "own_goal")


def test_the_kicks_of_a_shootout_in_statsbomb_s_events_are_told(tmp_path: Path) -> None:
    teams = ({"id": 1, "name": "A"}, {"id": 2, "name": "B"})

    def event(number: int, kind: str, period: int, team: int, **more: object) -> dict[str, object]:
        moment = {"period": period, "minute": 120 if period == 5 else 0, "timestamp": f"00:00:{number:02}.000"}
        who = {"team": teams[team], "possession_team": teams[team], "player": {"name": f"P{number}"}}
        return {"id": f"e{number}", "type": {"name": kind}, **moment, **who, **more}

    def kick(number: int, team: int, outcome: str) -> dict[str, object]:
        return event(number, "Shot", 5, team, shot={"outcome": {"name": outcome}, "type": {"name": "Penalty"}})

    line_ups = [event(0, "Starting XI", 1, team) for team in (0, 1)]
    halves = [event(1, "Half Start", 1, 0), event(2, "Half End", 1, 0), event(3, "Half Start", 5, 0)]
    kicks = [kick(4, 0, "Goal"), kick(5, 1, "Saved"), kick(6, 0, "Goal"), kick(7, 1, "Goal")]
    recording = read(written(tmp_path, [*line_ups, *halves, *kicks, event(8, "Half End", 5, 0)]))
    [end] = recording.expected.values()
    assert str(end) == "0-0 (2-1 p) finished"
    [match] = play(recording.messages).values()
    assert end_of(match, goals=True) == end


def written(folder: Path, content: object) -> Path:
    path = folder / "season.json"
    path.write_text(json.dumps(content))
    return path


def season(**match: object) -> dict[str, object]:
    return {"name": "Cup 2024/25", "matches": [{"date": "2024-08-01", "team1": "A", "team2": "B", **match}]}


def test_local_time_with_an_offset_becomes_utc(tmp_path: Path) -> None:
    (message,) = read(written(tmp_path, season(time="18:00 UTC-4", score={}))).messages
    assert json.loads(message.body)["matches"][0]["start_time"] == "2024-08-01T22:00:00.000Z"


def test_a_match_without_a_score_is_only_scheduled(tmp_path: Path) -> None:
    recording = read(written(tmp_path, season(time="18:00", score={})))
    assert recording.expected == {"cup-2024-08-01-a-b": Expected(None, None, "scheduled")}
    assert end_of(play(recording.messages)["cup-2024-08-01-a-b"], goals=False) == Expected(None, None, "scheduled")


def test_a_minute_may_be_printed_with_its_added_time(tmp_path: Path) -> None:
    goals = [{"name": "Late", "minute": "90+6"}, {"name": "Early", "minute": "7"}]
    recording = read(written(tmp_path, season(score={"ht": [1, 0], "ft": [2, 0]}, goals1=goals, goals2=[])))
    (match,) = play(recording.messages).values()
    assert goals_of(match) == (
        RecordedGoal(Side.HOME, 7, None, "Early", "goal"),
        RecordedGoal(Side.HOME, 90, 6, "Late", "goal"),
    )


@pytest.mark.parametrize("content", [{"some": "thing"}, [], [1, 2], [{"lineup": []}], "text"])
def test_a_file_of_another_kind_is_refused_by_name(tmp_path: Path, content: object) -> None:
    with pytest.raises(Refused, match=r"season\.json"):
        read(written(tmp_path, content))


def test_a_file_that_is_no_json_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("kick-off 15:00")
    for name in ("a.txt", "absent.json"):
        with pytest.raises(Refused, match=name):
            read(tmp_path / name)
