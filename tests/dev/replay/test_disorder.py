"""In which order, how often, when and through which connection a replay's messages go out."""

from __future__ import annotations

import json
import random

import pytest

from db.domain.errors import Refused
from dev.recordings import RecordedMessage
from dev.replay.disorder import WINDOW, batched, numbered, renamed, shuffled, twice, with_duplicates
from dev.replay.player import SILENCE_MS, Pace, lanes


def messages_of(count: int, match_id: str = "m", provider: str = "generic") -> list[RecordedMessage]:
    return [RecordedMessage(1_000 + n, provider, f'{{"events": [{n}]}}'.encode(), match_id) for n in range(count)]


def test_another_seed_gives_another_order() -> None:
    orders = [[m.body for m in shuffled(messages_of(50), random.Random(seed))] for seed in (1, 2)]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])


def test_shuffling_moves_a_message_within_its_window_and_its_match() -> None:
    messages = [message for pair in zip(messages_of(60, "a"), messages_of(60, "b"), strict=True) for message in pair]
    mixed = shuffled(messages, random.Random(3))
    assert [m.match_id for m in mixed] == [m.match_id for m in messages]
    assert [m.at_ms for m in mixed] == [m.at_ms for m in messages]
    bodies = [m.body for m in mixed if m.match_id == "a"]
    moved = [abs(bodies.index(m.body) - place) for place, m in enumerate(messages_of(60, "a"))]
    assert 0 < max(moved) <= WINDOW


def test_without_a_window_each_match_is_shuffled_whole() -> None:
    messages = [message for pair in zip(messages_of(200, "a"), messages_of(200, "b"), strict=True) for message in pair]
    mixed = shuffled(messages, random.Random(3), None)
    assert [m.match_id for m in mixed] == [m.match_id for m in messages]
    bodies = [m.body for m in mixed if m.match_id == "a"]
    assert sorted(bodies) == sorted(m.body for m in messages_of(200, "a"))
    assert max(abs(bodies.index(m.body) - place) for place, m in enumerate(messages_of(200, "a"))) > 100


def test_a_wider_window_moves_messages_further() -> None:
    bodies = [m.body for m in shuffled(messages_of(200), random.Random(3), 50)]
    assert WINDOW < max(abs(bodies.index(m.body) - place) for place, m in enumerate(messages_of(200))) <= 50


def test_twice_tells_the_whole_again_after_its_end() -> None:
    again = twice(messages_of(3))
    assert [m.body for m in again] == [m.body for m in messages_of(3)] * 2
    assert again[3].at_ms > again[2].at_ms


def test_a_duplicate_comes_later_half_of_them_under_the_old_id() -> None:
    deliveries = with_duplicates(numbered(messages_of(200), "n"), 50, random.Random(4))
    ids = [delivery.id for delivery in deliveries]
    retries = len(ids) - len(set(ids))
    anew = [id_ for id_ in ids if id_.endswith("-again")]
    assert retries > 20
    assert abs(retries - len(anew)) <= 1
    assert all(ids.index(id_.removesuffix("-again")) < ids.index(id_) for id_ in anew)


def test_a_match_stays_on_one_connection_in_order() -> None:
    mixed = [delivery for n in range(5) for delivery in numbered(messages_of(4, f"m{n}"), f"n{n}")]
    dealt = lanes(mixed, count=2, batch=1)
    matches = [{delivery.message.match_id for delivery in lane} for lane in dealt]
    assert matches == [{"m0", "m2", "m4"}, {"m1", "m3"}]
    assert [d.message.at_ms for d in dealt[1] if d.message.match_id == "m1"] == [m.at_ms for m in messages_of(4)]


def test_batches_join_generic_neighbours_only() -> None:
    deliveries = numbered([*messages_of(3), *messages_of(1, provider="sportradar"), *messages_of(2)], "n")
    bodies = [json.loads(delivery.message.body)["events"] for delivery in batched(deliveries, 2)]
    assert bodies == [[0, 1], [2], [0], [0, 1]]


def test_an_id_grown_too_long_is_refused() -> None:
    with pytest.raises(Refused, match="--suffix"):
        renamed(messages_of(1)[0], "x" * 64)


def test_a_suffix_reaches_an_id_that_bears_another_prefix() -> None:
    body = b'{"metadata": {"sport_event_id": "sr:sport_event_id:77"}}'
    message = renamed(RecordedMessage(0, "sportradar", body, "sr:sport_event:77"), "5")
    assert (message.match_id, b'"sr:sport_event_id:775"' in message.body) == ("sr:sport_event:775", True)


def test_silence_between_matches_is_played_as_a_minute() -> None:
    pace = Pace([0, 60_000, 60_000 + SILENCE_MS + 1], speed=60)
    assert list(pace.due.values()) == [0.0, 1.0, 2.0]


def test_at_full_speed_all_is_due_at_once() -> None:
    assert set(Pace([0, 60_000, 120_000], speed=0).due.values()) == {0.0}


def test_a_suffix_reaches_the_match_and_not_a_player_of_the_same_number() -> None:
    body = b'{"sport_event": {"id": "sr:sport_event:77"}, "players": [{"id": "sr:player:77"}, {"id": "sr:player:277"}]}'
    changed = renamed(RecordedMessage(0, "sportradar", body, "sr:sport_event:77"), "5").body
    assert changed == body.replace(b'event:77"', b'event:775"')


def test_a_suffix_that_sportradar_s_ids_cannot_have_is_refused() -> None:
    with pytest.raises(Refused, match="digits"):
        renamed(RecordedMessage(0, "sportradar", b"{}", "sr:sport_event:77"), ".2")
