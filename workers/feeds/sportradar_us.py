"""Sportradar's US sports push (NBA, NFL…): `{"payload": {"game", "event"}, "metadata": {"operation", …}}` → updates.

The game object is the truth; an event's own points may be those of before or after it. Every event comes again
whenever anything about it changes, so the moment that counts is `updated`. Where a feed has none (play by play) the
play's `sequence` orders it.
"""

from __future__ import annotations

from db.domain import Competition, Event, MatchInfo, Person, Score, Side, Stamp, Status, Team, Update, status_of
from workers.feeds.reading import TEXT_MOST, Json, ident, ms, person, text, thing, things, whole

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
SCORES = frozenset({"twopointmade", "threepointmade", "freethrowmade", "goal"})
STATUSES = {
    "completed": Status.ENDED,
    "complete": Status.ENDED,
    "closed": Status.FINISHED,
    "created": Status.SCHEDULED,
    "time-tbd": Status.TIME_TBD,
    "unnecessary": Status.CANCELLED,
}


def message(payload: Json, metadata: Json, received_at: int) -> list[Update]:
    game, told = thing(payload.get("game")), thing(payload.get("event"))
    match_id = _match_id(game, metadata)
    if match_id is None:
        return []
    score = _points(game)
    stamp = _stamp(told, score)
    status, word = _status(game, told)
    event = _event(told, game, stamp, received_at)
    return [
        Update(
            match_id,
            stamp,
            received_at,
            info=_info(game, metadata),
            event=event if not _deleted(metadata) else None,
            voids=ident(told.get("id")) if _deleted(metadata) or _is_edited_away(told, event) else None,
        ),
        Update(
            match_id,
            stamp,
            received_at,
            score=score,
            status=status,
            status_word=word,
            clock=text(told.get("clock"), 16),
            period=whole(thing(told.get("period")).get("number"), 20),
        ),
    ]


def _deleted(metadata: Json) -> bool:
    return metadata.get("operation") == "delete"


def _is_edited_away(told: Json, event: Event | None) -> bool:
    """A basket may be edited into a miss: an edited play that scores nothing is one to take back, if we showed it."""
    return event is None and told.get("updated") != told.get("created")


def _match_id(game: Json, metadata: Json) -> str | None:
    return ident(metadata.get("match")) or ident(f"sd:match:{game.get('id')}" if game.get("id") else None)


def _info(game: Json, metadata: Json) -> MatchInfo:
    league = (text(metadata.get("league"), 32) or "").lower()
    return MatchInfo(
        home=_team(thing(game.get("home"))),
        away=_team(thing(game.get("away"))),
        competition=Competition(ident(league) or "us", league.upper()) if league else None,
        venue=text(thing(game.get("venue")).get("name")),
        start_time=ms(game.get("scheduled")),
        sport=SPORTS.get(league, "other"),
        coverage=text(game.get("coverage"), 64),
    )


def _team(told: Json) -> Team | None:
    names = [name for name in (text(told.get("market")), text(told.get("name"))) if name]
    id_ = ident(f"sd:team:{told.get('id')}")
    return Team(id_, " ".join(names)) if id_ and names else None


def _points(game: Json) -> Score | None:
    home, away = whole(thing(game.get("home")).get("points")), whole(thing(game.get("away")).get("points"))
    return Score(home, away) if home is not None and away is not None else None


def _stamp(told: Json, score: Score | None) -> Stamp:
    """`updated` is in whole seconds: of two messages of one second, the one with more points is the later."""
    points = score.home + score.away if score else 0
    at = ms(told.get("deleted")) or ms(told.get("updated"))
    if at:
        return Stamp(at, source=SOURCE, clock=points)
    sequence = told.get("sequence")
    number = float(sequence) if isinstance(sequence, int | float) and 0 <= sequence < 1e15 else None
    return Stamp(ms(told.get("wall_clock")) or 0, number, SOURCE, points)


def _status(game: Json, told: Json) -> tuple[Status | None, str | None]:
    """A break and the end are said by the event before the game's own status follows."""
    kind = text(told.get("event_type"), 64)
    if kind in ("game_over", "endgame"):
        return Status.ENDED, None
    if kind in ("period_end", "endperiod"):
        second = whole(thing(told.get("period")).get("number"), 20) == 2
        return (Status.HALF_TIME if second else Status.PAUSE), None
    word = text(game.get("status"), 64)
    if word is None:
        return None, None
    found = STATUSES.get(word) or status_of(word)
    return found, None if found else word


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
        period=whole(thing(told.get("period")).get("number"), 20),
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
