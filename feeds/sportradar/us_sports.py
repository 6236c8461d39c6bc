"""Sportradar's US sports push (NBA, NFL, MLB…): `{"payload": {"game", "event"}, "metadata": {…}}` → updates.

The game object is the truth; an event's own points may be those of before or after it. Every event comes again
whenever anything about it changes, so the moment that counts is `updated`; but its clock, and the break or the end it
tells of, are those of when it was first told, `created`. Where a feed has neither (play by play) the play's
`sequence` orders it.
"""

from __future__ import annotations

from dataclasses import replace

from db.domain import Competition, Event, MatchInfo, Person, Score, Side, Stamp, Status, Team, Update, status_of
from feeds.fields import TEXT_MOST, Json, ident, ms, person, text, thing, things, whole

SOURCE = "sportradar"

SPORTS = {
    "nba": "basketball",
    "wnba": "basketball",
    "gleague": "basketball",
    "ncaamb": "basketball",
    "ncaawb": "basketball",
    "nfl": "american_football",
    "ncaafb": "american_football",
    "nhl": "ice_hockey",
    "mlb": "baseball",
}
# The period that half-time follows. Ice hockey has three, baseball nine: their breaks are no half-time.
HALF_TIME_AFTER = {"nba": 2, "wnba": 2, "gleague": 2, "ncaamb": 1, "ncaawb": 2, "nfl": 2, "ncaafb": 2}
# The fields of a side that may be its score, the likelier first. Where a sport is not known, one of them alone is.
SCORE_FIELDS = {"baseball": ("runs", "points"), "other": ()}
HALVES = {"T": "Top", "B": "Bottom"}
# More innings than any game has had (26), fewer than could be a mistake for another number.
INNINGS_MOST = 50
# Sequences of baseball are ms since the epoch: 13 digits from 2001 to 2286.
EPOCH_MS_LEAST, EPOCH_MS_MOST = 10**12, 10**13
SCORES = frozenset({"twopointmade", "threepointmade", "freethrowmade", "goal"})
STATUSES = {
    "completed": Status.ENDED,
    "complete": Status.ENDED,
    "closed": Status.FINISHED,
    "created": Status.SCHEDULED,
    "time-tbd": Status.TIME_TBD,
    "unnecessary": Status.CANCELLED,
    "if-necessary": Status.SCHEDULED,
    "intermission": Status.PAUSE,
}
# Weather, a fault of the ground, another cause: before the start or amid the game.
DELAYS = frozenset({"wdelay", "fdelay", "odelay"})
ENDS = frozenset({"game_over", "endgame"})
PERIOD_ENDS = frozenset({"period_end", "endperiod"})


def message(payload: Json, metadata: Json, received_at: int) -> list[Update]:
    game, told = thing(payload.get("game")), thing(payload.get("event"))
    match_id = match_id_of(game, metadata)
    if match_id is None:
        return []
    sport = sport_of(metadata)
    score = score_of(game, sport)
    stamp, first = _stamp(told, score), _first_stamp(told, score)
    event = _event(told, game, stamp, received_at)
    then = _at_first(match_id, told, metadata, first, received_at)
    now = Update(match_id, stamp, received_at, score=score)
    if then.status is None:
        status, word = status_of_game(game, told)
        now = replace(now, status=status, status_word=word)
    return [
        Update(
            match_id,
            stamp,
            received_at,
            info=_info(game, metadata),
            event=event if not _deleted(metadata) else None,
            voids=ident(told.get("id")) if _deleted(metadata) or _is_edited_away(told, event) else None,
        ),
        *_as_one(now, then),
    ]


def _as_one(now: Update, then: Update) -> list[Update]:
    """What is true now and what was true when the event was first told: one update unless it was edited since."""
    if now.stamp != then.stamp:
        return [now, then]
    status = then.status or now.status
    return [replace(now, status=status, clock=then.clock, period=then.period)]


def _at_first(match_id: str, told: Json, metadata: Json, first: Stamp, received_at: int) -> Update:
    """The clock of the event, and the break or end that it is."""
    period, clock = _innings(told) if sport_of(metadata) == "baseball" else _clock(told)
    status = status_of_event(told, metadata)
    return Update(match_id, first, received_at, status=status, clock=clock, period=period)


def _clock(told: Json) -> tuple[int | None, str | None]:
    """Period, and what its clock shows."""
    return _period(told), text(told.get("clock"), 16)


def _innings(told: Json) -> tuple[int | None, str | None]:
    """Inning, and `Top 3` or `Bottom 3`; neither where one of the two is not told."""
    inning, half = whole(told.get("inning"), INNINGS_MOST), HALVES.get(str(told.get("inning_half")))
    return (inning, f"{half} {inning}") if inning and half else (None, None)


def _period(told: Json) -> int | None:
    return whole(thing(told.get("period")).get("number"), 20)


def _deleted(metadata: Json) -> bool:
    return metadata.get("operation") == "delete"


def _is_edited_away(told: Json, event: Event | None) -> bool:
    """A basket may be edited into a miss: an edited play that scores nothing is one to take back, if we showed it."""
    return event is None and told.get("updated") != told.get("created")


def sport_of(metadata: Json) -> str:
    return SPORTS.get(_league(metadata), "other")


def _league(metadata: Json) -> str:
    return (text(metadata.get("league"), 32) or "").lower()


def match_id_of(game: Json, metadata: Json) -> str | None:
    return ident(metadata.get("match")) or ident(f"sd:match:{game.get('id')}" if game.get("id") else None)


def _info(game: Json, metadata: Json) -> MatchInfo:
    league = _league(metadata)
    return MatchInfo(
        home=_team(thing(game.get("home"))),
        away=_team(thing(game.get("away"))),
        competition=Competition(ident(league) or "us", league.upper()) if league else None,
        venue=text(thing(game.get("venue")).get("name")),
        start_time=ms(game.get("scheduled")),
        sport=sport_of(metadata),
        coverage=text(game.get("coverage"), 64),
    )


def _team(told: Json) -> Team | None:
    names = [name for name in (text(told.get("market")), text(told.get("name"))) if name]
    id_ = ident(f"sd:team:{told.get('id')}")
    return Team(id_, " ".join(names)) if id_ and names else None


def score_of(game: Json, sport: str) -> Score | None:
    """By the game's own totals. Of a sport that is not known, only where one of the fields can be its score."""
    fields = SCORE_FIELDS.get(sport, ("points",))
    scores = [score for field in fields or ("points", "runs") if (score := _points(game, field))]
    return scores[0] if scores and (fields or len(scores) == 1) else None


def _points(game: Json, field: str) -> Score | None:
    home, away = whole(thing(game.get("home")).get(field)), whole(thing(game.get("away")).get(field))
    return Score(home, away) if home is not None and away is not None else None


def told_at(told: Json) -> int | None:
    """ms, when the event was last told. `updated` and `created` are `updated_at` and `created_at` in some sports."""
    return _moment(told, "deleted", "updated") or _moment(told, "created") or _sequence_ms(told)


def _moment(told: Json, *names: str) -> int | None:
    moments = (ms(told.get(key)) for name in names for key in (name, f"{name}_at"))
    return next((at for at in moments if at), None)


def _sequence_ms(told: Json) -> int | None:
    """The start of half an inning bears no other time."""
    sequence = whole(told.get("sequence"), EPOCH_MS_MOST)
    return sequence if sequence and sequence >= EPOCH_MS_LEAST and "inning" in told else None


def _stamp(told: Json, score: Score | None) -> Stamp:
    """`updated` is in whole seconds: of two messages of one second, the one with more points is the later."""
    points = score.home + score.away if score else 0
    at = told_at(told)
    if at:
        return Stamp(at, source=SOURCE, clock=points)
    sequence = told.get("sequence")
    number = float(sequence) if isinstance(sequence, int | float) and 0 <= sequence < 1e15 else None
    return Stamp(ms(told.get("wall_clock")) or 0, number, SOURCE, points)


def _first_stamp(told: Json, score: Score | None) -> Stamp:
    stamp = _stamp(told, score)
    first = _moment(told, "created") or _sequence_ms(told)
    return replace(stamp, at=first) if first and stamp.at > first else stamp


def status_of_event(told: Json, metadata: Json) -> Status | None:
    """A break and the end are said by the event before the game's own status follows."""
    kind = text(told.get("event_type"), 64)
    if kind in ENDS:
        return Status.ENDED
    if kind not in PERIOD_ENDS:
        return None
    half_time = HALF_TIME_AFTER.get(_league(metadata))
    return Status.HALF_TIME if half_time and _period(told) == half_time else Status.PAUSE


def status_of_game(game: Json, told: Json) -> tuple[Status | None, str | None]:
    """The game's status and, where it is one we never heard of, its word."""
    word = text(game.get("status"), 64)
    if word is None:
        return None, None
    if word in DELAYS:
        under_way = told.get("inning") or _period(told)
        return (Status.INTERRUPTED if under_way else Status.DELAYED), None
    status = STATUSES.get(word) or status_of(word)
    return status, None if status else word


def _event(told: Json, game: Json, stamp: Stamp, received_at: int) -> Event | None:
    """Only what raises the score is a moment: the rest of a game is 500 entries that nobody scrolls."""
    event_id, kind = ident(told.get("id")), text(told.get("event_type") or told.get("play_type"), 64)
    scores = kind in SCORES or told.get("type") == "scoring_play" or told.get("scoring_play") is True
    if event_id is None or not scores:
        return None
    return Event(
        event_id,
        "score",
        stamp,
        since=stamp,
        team=_side(told, game),
        period=_period(told),
        player=_player(told),
        detail=text(told.get("scoring_description") or told.get("description"), TEXT_MOST),
        home_score=whole(told.get("home_points")),
        away_score=whole(told.get("away_points")),
        created_at=received_at,
    )


def _side(told: Json, game: Json) -> Side | None:
    whose = thing(told.get("attribution")).get("id")
    for side in Side:
        if whose is not None and whose == thing(game.get(side.value)).get("id"):
            return side
    return None


def _player(told: Json) -> Person | None:
    return next((found for one in things(told.get("statistics")) if (found := _scorer(one))), None)


def _scorer(statistic: Json) -> Person | None:
    made = statistic.get("points") or statistic.get("touchdown") or statistic.get("made")
    player = thing(statistic.get("player"))
    return person({"name": player.get("full_name") or player.get("name"), "id": player.get("id")}) if made else None
