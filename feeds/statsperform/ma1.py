"""MA1: the lists of a match document, `goal`, `card`, `substitute`, kicks and reviews, → moments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from db.domain import Person, Score, Side
from feeds.fields import TEXT_LENGTH_MAX, Json, ident, ms, text, thing, things, whole
from feeds.statsperform.incident import ENDS, FIRST_MINUTE, STARTS, Fixture, Incident
from feeds.statsperform.ma3 import substitution_id

TYPES = {
    ("goal", "G"): "goal",
    ("goal", "PG"): "penalty_goal",
    ("goal", "OG"): "own_goal",
    ("card", "YC"): "yellow_card",
    ("card", "Y2C"): "second_yellow",
    ("card", "RC"): "red_card",
}
# Lists whose name says what their entries are.
LISTS = {"substitute": "substitution", "missedPen": "penalty_missed", "VAR": "var_review"}
SCORED = ("scored", "goal")
PLAYERS = (
    ("scorerId", "scorerName"),
    ("playerOnId", "playerOnName"),
    ("playerId", "playerName"),
    ("teamOfficialId", "officialName"),
)


def moments(fixture: Fixture, live: Json) -> list[Incident]:
    entries = [moment for name, entry in _entries(live) if (moment := _moment(fixture, name, entry))]
    return [*entries, *_periods(thing(live.get("matchDetails")))]


def _entries(live: Json) -> Iterator[tuple[str, Json]]:
    for name in ("goal", "card", "penaltyShot", *LISTS):
        for entry in things(live.get(name)):
            yield name, entry


def _moment(fixture: Fixture, name: str, entry: Json) -> Incident | None:
    period, type_ = whole(entry.get("periodId"), 20), _type(name, entry)
    event_id = _id(name, entry)
    if type_ is None or event_id is None:
        return None
    return Incident(
        event_id,
        type_,
        period,
        whole(entry.get("timeMin"), 999),
        ms(entry.get("timestamp")),
        ms(entry.get("lastUpdated")),
        team=_side(fixture, entry),
        player=_person(entry, *PLAYERS),
        assist=_person(entry, ("assistPlayerId", "assistPlayerName")),
        detail=_detail(entry),
        score=_score(entry),
    )


def _type(name: str, entry: Json) -> str | None:
    in_shootout = name == "penaltyShot" or whole(entry.get("periodId"), 20) == 5
    if name == "penaltyShot" or (in_shootout and name in ("goal", "missedPen")):
        outcome = "scored" if name == "goal" else text(entry.get("outcome"), 64)
        return "shootout_goal" if outcome and outcome.lower() in SCORED else "shootout_missed"
    return LISTS.get(name) or TYPES.get((name, text(entry.get("type"), 64) or ""))


def _id(name: str, entry: Json) -> str | None:
    """Opta's event id, which MA3 has too; where coverage is too thin for one, made from minute and player."""
    player = next((person_id for key, _ in PLAYERS if (person_id := ident(entry.get(key)))), None)
    if name == "substitute":
        return substitution_id(player) if player else None
    minute = whole(entry.get("timeMin"), 999)
    return ident(entry.get("optaEventId")) or (ident(f"{name}-{minute}-{player}") if player else None)


def _side(fixture: Fixture, entry: Json) -> Side | None:
    """The side that gains, for an own goal too."""
    return fixture.sides.get(ident(entry.get("contestantId")) or "")


def _person(entry: Json, *keys: tuple[str, str]) -> Person | None:
    people = ((text(entry.get(name)), ident(entry.get(id_))) for id_, name in keys)
    return next((Person(name, id_) for name, id_ in people if name), None)


def _detail(entry: Json) -> str | None:
    off = text(entry.get("playerOffName"))
    if off:
        return f"off: {off}"
    # A review has a type and a decision: "Goal awarded", "Cancelled".
    words = (text(entry.get(key)) for key in ("cardReason", "decision") if entry.get(key))
    return text(", ".join(word for word in words if word), TEXT_LENGTH_MAX)


def _score(entry: Json) -> Score | None:
    home, away = whole(entry.get("homeScore")), whole(entry.get("awayScore"))
    return Score(home, away) if home is not None and away is not None else None


def _periods(details: Json) -> Iterator[Incident]:
    """Period starts and ends, under the same ids as those of MA3."""
    periods = {
        number: period for period in things(details.get("period")) if (number := whole(period.get("id"), 5)) in STARTS
    }
    last = max(periods, default=None) if details.get("matchStatus") == "Played" else None
    for number, period in periods.items():
        start, end = ms(period.get("start")), ms(period.get("end"))
        if start:
            yield Incident(f"period-{number}-start", STARTS[number], number, FIRST_MINUTE.get(number), start, None)
        type_ = "full_time" if number == last else ENDS.get(number)
        if end and type_:
            yield Incident(f"period-{number}-end", type_, number, _last_minute(number, period), end, None)


def _last_minute(number: int, period: Json) -> Any:
    first, length = FIRST_MINUTE.get(number), whole(period.get("lengthMin"), 500)
    return first + length if first is not None and length is not None else None
