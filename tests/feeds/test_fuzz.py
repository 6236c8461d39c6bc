"""Whatever a provider sends is read or refused: garbage in a message is no bug, and never a goal."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.codec import decode_update, encode_update
from db.domain import Match, Update, reduce
from db.domain.errors import Refused
from feeds import FEEDS
from feeds.pull.mapping import load
from feeds.pull.parse import parse as parse_pulled
from tests.feeds.test_corrections import START_S, WRITERS, Goal, Score
from tests.support.places import places

RECEIVED = (START_S + 120) * 1000
# No score that a provider could mean.
GARBAGE = st.recursive(
    st.sampled_from([None, True, False, -1, 0.5, 1e300, "", "x", "٣", "-1", "\ud800", "9" * 400]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "name", "home"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def base(provider: str) -> Any:
    """A message of a match at 1–0, with as many parts as it may have."""
    [(_, document), *_] = WRITERS[provider](100, [Goal(100, 1, 0)], Score(1, 0), "live")
    document = copy.deepcopy(document)
    if provider == "sportradar":
        squad = {"qualifier": "home", "players": [{"name": "A", "type": "goalkeeper", "starter": True}]}
        document["sport_event"] |= {
            "competitors": [{"id": "h", "name": "H", "qualifier": "home"}],
            "sport_event_context": {"stage": {"phase": "x"}, "round": {"number": 1}, "sport": {"id": "sr:sport:1"}},
            "venue": {"name": "V"},
        }
        document |= {
            "lineups": {"competitors": [squad]},
            "statistics": {"totals": {"competitors": [{"qualifier": "home", "statistics": {"fouls": 1}}]}},
        }
        document["sport_event_status"]["period_scores"] = [{"type": "regular_period", "home_score": 1, "away_score": 0}]
    if provider == "statsperform":
        live = document["content"]["liveData"]
        live["lineUp"] = [{"contestantId": "h", "player": [{"matchName": "A", "position": "Striker"}], "stat": [{}]}]
        live["card"] = [{"type": "YC", "playerId": "p", "optaEventId": "8", "periodId": 1, "timeMin": 3}]
        live["event"][0]["qualifier"] = [{"qualifierId": 55, "value": "1"}]
    if provider == "generic":
        document["matches"] = [{"id": "9", "home_team": "H", "lineups": {"home": {"players": ["A"]}}, "round": 1}]
    return document


def parsed(provider: str, body: bytes) -> list[Update]:
    """[] where it is refused."""
    try:
        if provider in FEEDS:
            return FEEDS[provider](body, received_at=RECEIVED).updates
        return [u for match in parse_pulled(load(provider), body, received_at=RECEIVED) for u in match.updates]
    except Refused:
        return []


def final(updates: list[Update]) -> dict[str, Match]:
    """Each match after its updates, which have been through Redis."""
    matches: dict[str, Match] = {}
    for update in updates:
        match, _ = reduce(matches.get(update.match_id), decode_update(encode_update(update)))
        matches[update.match_id] = match
    return matches


@pytest.mark.parametrize("provider", sorted(WRITERS))
def test_a_whole_message_is_read(provider: str) -> None:
    [match] = final(parsed(provider, json.dumps(base(provider)).encode())).values()
    assert match.score == Score(1, 0)


@pytest.mark.parametrize("provider", sorted(WRITERS))
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_garbage_in_any_field_is_never_a_bug_and_never_a_goal(provider: str, data: st.DataObject) -> None:
    document = base(provider)
    for _ in range(data.draw(st.integers(1, 3))):
        spots = list(places(document))
        holder, key = spots[data.draw(st.integers(0, len(spots) - 1))]
        holder[key] = data.draw(GARBAGE)
    for match in final(parsed(provider, json.dumps(document).encode())).values():
        assert match.score is None or match.score.home + match.score.away <= 1
        assert sum(event.counts for event in match.timeline) <= 1


BREAKS: list[Callable[[bytes, int, int], bytes]] = [
    lambda body, at, _: body[:at],
    lambda body, at, byte: body[:at] + bytes([byte]) + body[at + 1 :],
    lambda body, at, byte: body[:at] + bytes([byte]) * 3 + body[at:],
    lambda body, at, _: body[at:] + body[:at],
    lambda body, _at, _: body + body,
]


@pytest.mark.parametrize("provider", sorted(WRITERS))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_broken_bytes_are_read_or_refused(provider: str, data: st.DataObject) -> None:
    body = json.dumps(base(provider)).encode()
    broken = data.draw(st.sampled_from(BREAKS))(
        body, data.draw(st.integers(0, len(body))), data.draw(st.integers(0, 255))
    )
    final(parsed(provider, broken))
