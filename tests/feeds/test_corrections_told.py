"""What followers hear of corrections, by provider: a goal once, its cancellation once and only if the goal was told."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from db.domain import Fact, Kind, Match, Score, Status, Update, reduce
from feeds import FEEDS
from feeds.pull.mapping import load
from feeds.pull.parse import parse as parse_pulled
from notify.content.news import news_of
from notify.content.window import apply, close
from notify.content.window_record import Window
from tests.feeds.test_corrections import DAYS_LATER, ONE, START_S, TAKEN_BACK, WRITERS, Goal, Story, at, updates

KICKED_OFF = (10, [], Score(0, 0), "live")


class Phones:
    """A match's followers: each update is applied and told as the workers do."""

    def __init__(self) -> None:
        self.match: Match | None = None
        self.window = Window()
        self.told: Counter[Kind] = Counter()
        self.now_ms = 0

    def hear(self, told: Iterable[Update], second: int) -> None:
        self.wait(second)
        for update in told:
            self.match, facts = reduce(self.match, update)
            self._apply(self.match, facts)

    def wait(self, second: int) -> None:
        """Windows end meanwhile."""
        until = (START_S + second) * 1000
        while self.now_ms and self.window.due is not None and self.window.due <= until:
            self.now_ms = max(self.now_ms, self.window.due)
            result = close(self.window, now_ms=self.now_ms)
            self.window = result.window
            self.told.update(item.kind for alert in result.alerts for item in alert.news)
        self.now_ms = until

    def _apply(self, match: Match, facts: tuple[Fact, ...]) -> None:
        match = replace(match, version=self.now_ms, updated_at=self.now_ms)
        result = apply(self.window, match, news_of(match, facts), now_ms=self.now_ms)
        self.window = result.window
        self.told.update(item.kind for alert in result.alerts for item in alert.news)


def after(provider: str, story: Story) -> Counter[Kind]:
    phones = Phones()
    for moment in story:
        for second, document in WRITERS[provider](*moment):
            phones.hear(updates(provider, second, document), second)
    phones.wait(story[-1][0] + 120)
    return phones.told


@pytest.fixture(params=sorted(WRITERS))
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_goal_taken_back_is_told_once(provider: str) -> None:
    told = after(provider, [KICKED_OFF, *TAKEN_BACK])
    assert (told[Kind.GOAL], told[Kind.GOAL_CANCELLED]) == (2, 1)


def test_one_that_was_never_told_is_not_taken_back(provider: str) -> None:
    """First heard of when it is void already."""
    void = Goal(100, 1, 0, voided=True)
    told = after(provider, [KICKED_OFF, (100, [void], Score(0, 0), "live"), (150, [void], Score(0, 0), "live")])
    assert (told[Kind.GOAL], told[Kind.GOAL_CANCELLED]) == (0, 0)


def test_a_goal_given_back_is_told_again(provider: str) -> None:
    both = [ONE, Goal(200, 2, 0, "Second")]
    told = after(provider, [KICKED_OFF, *TAKEN_BACK, (400, both, Score(2, 0), "live")])
    assert (told[Kind.GOAL], told[Kind.GOAL_CANCELLED]) == (3, 1)


@pytest.mark.parametrize(("later", "status"), [(160, "live"), (DAYS_LATER, "finished")])
def test_another_scorer_and_minute_are_told_to_nobody(provider: str, later: int, status: str) -> None:
    right = [Goal(100, 1, 0, "Right Player", minute=12)]
    told = after(provider, [KICKED_OFF, (100, [ONE], Score(1, 0), "live"), (later, right, Score(1, 0), status)])
    assert (told[Kind.GOAL], told[Kind.GOAL_CANCELLED]) == (1, 0)


def test_an_own_goal_that_was_a_goal_is_told_once(provider: str) -> None:
    own = [Goal(100, 1, 0, kind="own_goal")]
    told = after(provider, [KICKED_OFF, (100, [ONE], Score(1, 0), "live"), (160, own, Score(1, 0), "live")])
    assert (told[Kind.GOAL], told[Kind.GOAL_CANCELLED]) == (1, 0)


def test_repeats_and_late_messages_tell_nothing_more(provider: str) -> None:
    story = [KICKED_OFF, *TAKEN_BACK]
    told = after(provider, story)
    phones = Phones()
    for moment in story:
        for second, document in WRITERS[provider](*moment):
            for _ in range(2):
                phones.hear(updates(provider, second, document), second)
    second, document = WRITERS[provider](*TAKEN_BACK[0])[0]
    # An hour later, what was first sent is sent once more.
    phones.hear(updates(provider, second, document), 3_599)
    assert phones.told == told
    assert phones.match
    assert phones.match.score == Score(1, 0)


def test_a_result_that_authority_changes_is_told_as_such(provider: str) -> None:
    if provider != "generic":
        pytest.skip("the others have a word of their own, below")
    told = after(provider, [KICKED_OFF, (100, [ONE], Score(1, 0), "finished"), (300, [ONE], Score(0, 3), "awarded")])
    assert (told[Kind.GOAL], told[Kind.FULL_TIME]) == (1, 2)


# What one provider alone has.


def test_a_score_that_falls_without_a_word_is_told_once_it_has_stood() -> None:
    """As football-data.org does, whose free plan has no goals."""
    mapping, phones = load("football_data"), Phones()
    for second, home in ((10, 0), (100, 1), (200, 2), (300, 1), (311, 1), (400, 1)):
        score = {"duration": "REGULAR", "fullTime": {"home": home, "away": 0}}
        match = {"id": 9, "status": "IN_PLAY", "lastUpdated": at(second), "score": score}
        body = json.dumps({"matches": [match]}).encode()
        [pulled] = parse_pulled(mapping, body, received_at=(START_S + second) * 1000)
        phones.hear(pulled.updates, second)
    phones.wait(600)
    assert phones.match
    assert phones.match.score == Score(1, 0)
    assert (phones.told[Kind.GOAL], phones.told[Kind.GOAL_CANCELLED]) == (2, 1)


def push(second: int, event: dict[str, Any], home: int = 0) -> dict[str, Any]:
    status = {"status": "live", "match_status": "1st_half", "home_score": home, "away_score": 0}
    event = {"time": at(second), "competitor": "home", "match_time": 10, "period": 1, **event}
    metadata = {"sport_event_id": "sr:sport_event_id:9"}
    return {"payload": {"event": event, "sport_event_status": status}, "metadata": metadata}


def heard(provider: str, *messages: tuple[int, Any]) -> Phones:
    phones = Phones()
    for second, message in messages:
        body = json.dumps(message).encode()
        phones.hear(FEEDS[provider](body, received_at=(START_S + second) * 1000).updates, second)
    phones.wait(messages[-1][0] + 120)
    return phones


def test_a_possible_goal_is_told_to_nobody() -> None:
    phones = heard(
        "sportradar",
        (10, push(10, {"id": 1, "type": "match_started"})),
        (60, push(60, {"id": 2, "type": "possible_goal"})),
    )
    assert phones.told[Kind.GOAL] == 0
    assert phones.match
    assert (phones.match.score, phones.match.timeline) == (Score(0, 0), [])


def test_the_goal_that_follows_a_possible_one_is_told_once() -> None:
    goal = {"id": 3, "type": "score_change", "home_score": 1, "away_score": 0}
    phones = heard(
        "sportradar",
        (10, push(10, {"id": 1, "type": "match_started"})),
        (60, push(60, {"id": 2, "type": "possible_goal"})),
        (68, push(68, goal, 1)),
        (75, push(60, {"id": 2, "type": "possible_goal", "updated": True, "updated_time": at(75)}, 1)),
    )
    assert phones.told[Kind.GOAL] == 1


def test_a_review_that_takes_a_goal_back_is_told_with_its_end() -> None:
    goal = {"id": 3, "type": "score_change", "home_score": 1, "away_score": 0}
    over = {"id": 5, "type": "video_assistant_referee_over", "description": "no_goal"}
    phones = heard(
        "sportradar",
        (10, push(10, {"id": 1, "type": "match_started"})),
        (60, push(60, goal, 1)),
        (90, push(90, {"id": 4, "type": "video_assistant_referee"}, 1)),
        (150, push(150, over, 0)),
    )
    assert (phones.told[Kind.GOAL], phones.told[Kind.GOAL_CANCELLED]) == (1, 1)
    assert phones.match
    assert phones.match.score == Score(0, 0)


def opta(second: int, *events: dict[str, Any], home: int = 0) -> dict[str, Any]:
    contestants = [{"id": "h", "name": "H", "position": "home"}, {"id": "a", "name": "A", "position": "away"}]
    details = {"periodId": 1, "matchStatus": "Playing", "scores": {"total": {"home": home, "away": 0}}}
    common = {"periodId": 1, "timeMin": 9, "contestantId": "h", "lastModified": at(second)}
    listed = [common | {"timeStamp": at(second), "eventId": event["id"]} | event for event in events]
    content = {"matchInfo": {"id": "9", "lastUpdated": at(second), "contestant": contestants}}
    return {"content": {"fixtureUuid": "9", **content, "liveData": {"matchDetails": details, "event": listed}}}


@pytest.mark.parametrize("type_", [38, 39, 78])
def test_provisional_events_of_opta_are_told_to_nobody(type_: int) -> None:
    phones = heard("statsperform", (10, opta(10, {"id": 1, "typeId": 32})), (60, opta(60, {"id": 2, "typeId": type_})))
    assert phones.told.keys() <= {Kind.KICKOFF}


@pytest.mark.parametrize("void", [43, 84])
def test_a_goal_that_opta_deletes_is_taken_back_once(void: int) -> None:
    goal = {"id": 2, "typeId": 16, "timeStamp": at(60)}
    phones = heard(
        "statsperform",
        (10, opta(10, {"id": 1, "typeId": 32})),
        (60, opta(60, goal, home=1)),
        (90, opta(90, goal | {"typeId": void})),
        (95, opta(95, goal | {"typeId": void})),
    )
    assert (phones.told[Kind.GOAL], phones.told[Kind.GOAL_CANCELLED]) == (1, 1)


def opta_card(second: int, color: str) -> dict[str, Any]:
    qualifier = [{"qualifierId": {"yellow_card": 31, "red_card": 33}[color]}]
    card = {"id": 2, "typeId": 17, "timeStamp": at(60), "playerId": "p", "playerName": "P", "qualifier": qualifier}
    return opta(second, card)


def sportradar_card(second: int, color: str) -> dict[str, Any]:
    return push(second, {"id": 2, "type": color, "time": at(60), "updated_time": at(second)})


def generic_card(second: int, color: str) -> dict[str, Any]:
    board = {"home_score": 0, "away_score": 0, "minute": 10, "timestamp": at(second), "status": "first_half"}
    return {"events": [board | {"match_id": "9", "event_id": "2", "event_type": color, "team": "home"}]}


@pytest.mark.parametrize(
    ("provider", "card"),
    [("statsperform", opta_card), ("sportradar", sportradar_card), ("generic", generic_card)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_yellow_card_that_becomes_red_is_told_then(provider: str, card: Callable[[int, str], Any]) -> None:
    yellow = (60, card(60, "yellow_card"))
    assert heard(provider, yellow).told[Kind.RED_CARD] == 0
    red = heard(provider, yellow, *((second, card(second, "red_card")) for second in (120, 130)))
    assert red.told[Kind.RED_CARD] == 1
    assert red.match
    assert [event.type for event in red.match.timeline if "card" in event.type] == ["red_card"]


def test_a_basket_that_us_push_deletes_is_off_the_score() -> None:
    def us(second: int, home: int, operation: str) -> dict[str, Any]:
        game = {
            "id": "g",
            "status": "inprogress",
            "home": {"id": "h", "points": home},
            "away": {"id": "a", "points": 0},
        }
        event = {
            "id": "e",
            "event_type": "twopointmade",
            "period": {"number": 1},
            "created": at(60),
            "updated": at(second),
        }
        metadata = {"league": "NBA", "match": "sd:match:g", "operation": operation}
        return {"payload": {"game": game, "event": event}, "metadata": metadata}

    phones = heard("sportradar", (60, us(60, 2, "update")), (70, us(70, 0, "delete")))
    assert phones.match
    assert (phones.match.score, [event.voided for event in phones.match.timeline]) == (Score(0, 0), [True])
    assert phones.told[Kind.GOAL] == 0


AWARDED = {"matchStatus": "Awarded", "scores": {"total": {"home": 3, "away": 0}}}


@pytest.mark.parametrize(
    ("provider", "message", "status"),
    [
        (
            "sportradar",
            {"sport_event": {"id": "sr:sport_event:9"}, "sport_event_status": {"status": "abandoned"}},
            "abandoned",
        ),
        ("sportradar", {"sport_events_removed": [{"id": "sr:sport_event:9"}]}, "removed"),
        (
            "statsperform",
            {"matchInfo": {"id": "9"}, "liveData": {"matchDetails": {"matchStatus": "Awarded"}}},
            "awarded",
        ),
        ("generic", {"matches": [{"id": "9", "status": "walkover"}]}, "walkover"),
    ],
)
def test_words_of_authority(provider: str, message: Any, status: str) -> None:
    phones = heard(provider, (60, message))
    assert phones.match
    assert phones.match.status is Status(status)
