"""A match as the release 0.1.0 stored it, at every step of a story, is read and goes on, and nothing of it is lost.

stored_by_0_1_0.json was written by that release's own code: each message, and what it kept after it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from db.codec import decode_event, decode_match, encode_match
from db.domain import Match, Update, reduce, with_ledgers
from db.live import keys
from db.live.client import connect
from db.live.store import LiveStore
from feeds.generic.parse import parse

STORY = json.loads((Path(__file__).parent / "stored_by_0_1_0.json").read_text())
STEPS = STORY["steps"]


def updates(message: dict[str, Any]) -> list[Update]:
    return parse(json.dumps(message).encode(), received_at=STORY["received_at"])


def stored(step: int) -> Match:
    kept = STEPS[step]
    events = [decode_event(text) for text in kept["events"].values()]
    return decode_match(kept["match"], kept["version"], kept["updated_at"], events)


def replayed(match: Match | None, steps: Iterator[int] | range) -> Match:
    for step in steps:
        match, _ = reduce(match, *updates(STEPS[step]["message"]))
    assert match is not None
    return match


# What that release got wrong is put right: a goal that its scoreboard had counted already was added to it.
COUNTED_TWICE = 11


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    client = connect(redis_url)
    yield client
    client.close()


@pytest.mark.parametrize("step", [step for step in range(len(STEPS)) if step != COUNTED_TWICE])
def test_it_is_shown_as_it_was(step: int) -> None:
    before = stored(step)
    after, _ = reduce(with_ledgers(before), *updates(STEPS[step]["message"]))
    assert (after.score, after.status, after.home) == (before.score, before.status, before.home)
    assert (after.venue, after.competition, after.start_time) == (before.venue, before.competition, before.start_time)
    assert [rows(after)] == [rows(before)]


def rows(match: Match) -> list[tuple[object, ...]]:
    """Without ids: that of an event whose sender gives none is made otherwise now."""
    return [(event.type, event.team, event.minute, event.player, event.voided) for event in match.timeline]


@pytest.mark.parametrize("step", range(len(STEPS)))
def test_it_goes_on_to_the_same_end(step: int) -> None:
    end = replayed(with_ledgers(stored(step)), range(step + 1, len(STEPS)))
    whole = replayed(None, range(len(STEPS)))
    assert (end.score, end.status, end.decided_by) == (whole.score, whole.status, whole.decided_by)
    assert rows(end) == rows(whole)


def test_it_is_taken_up_from_redis(client: redis.Redis) -> None:
    live = LiveStore(client, 1)
    kept = STEPS[6]
    fields = {"match": kept["match"], "version": kept["version"], "updated_at": kept["updated_at"], "rev": "7"}
    client.hset(keys.state("m"), mapping=fields)
    client.hset(keys.events("m"), mapping=kept["events"])
    held = live.matches.load("m", [("generic", "y1")])
    assert held.match
    assert (held.rev, held.match.source) == ("7", "generic")
    assert held.match.ledgers["generic"].events.keys() == kept["events"].keys() - {"y1"}
    after, facts = reduce(held.match, *updates(STEPS[7]["message"]))
    assert live.commits.commit(held, after, facts, (), visible=True).done
    again = live.matches.load("m")
    assert again.match
    assert again.match.ledgers == after.ledgers


def test_what_is_stored_now_is_read_by_the_release_before() -> None:
    """It knows no ledgers; of a match it reads what it shows."""
    match = replayed(None, range(len(STEPS)))
    document = json.loads(encode_match(match))
    assert {"id", "score", "status", "told", "told_at", "status_at"} <= document.keys()
    assert "ledgers" not in document
