"""Sportradar's US sports push (NBA, NFL, MLB…): `{"payload": {"game", "event"}, "metadata": {…}}` → updates.

Score comes from the game object; an event's own points may be those before or after it. An event is re-sent whenever
anything about it changes, so its content counts from `updated`. Its clock, and the break or end it reports, count from
`created`. Where a feed has neither (play-by-play files), `sequence` orders the plays.
"""

from __future__ import annotations

from dataclasses import replace

from db.domain import Competition, Event, MatchInfo, Person, Score, Side, Stamp, Status, Team, Update, status_of
from feeds.fields import TEXT_LENGTH_MAX, Json, ident, ms, person, text, thing, things, whole

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
# The period before half-time, by league. Ice hockey (three periods) and baseball (nine innings) have no half-time.
HALF_TIME_AFTER = {"nba": 2, "wnba": 2, "gleague": 2, "ncaamb": 1, "ncaawb": 2, "nfl": 2, "ncaafb": 2}
# Fields of a side that may hold its score, the likelier first. For an unknown sport, see `score_of`.
SCORE_FIELDS = {"baseball": ("runs", "points"), "other": ()}
HALVES = {"T": "Top", "B": "Bottom"}
# The longest game had 26 innings; a larger number than this is not an inning.
INNINGS_MAX = 50
# Baseball sequences are ms since the epoch: 13 digits from 2001 to 2286.
EPOCH_MS_MIN, EPOCH_MS_MAX = 10**12, 10**13
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
# Delayed by weather, by the facility, or for another reason, before or during the game.
DELAYS = frozenset({"wdelay", "fdelay", "odelay"})
ENDS = frozenset({"game_over", "endgame"})
PERIOD_ENDS = frozenset({"period_end", "endperiod"})


def message(payload: Json, metadata: Json, received_at: int) -> list[Update]:
    game, play = thing(payload.get("game")), thing(payload.get("event"))
    match_id = match_id_of(game, metadata)
    if match_id is None:
        return []
    sport = sport_of(metadata)
    score = score_of(game, sport)
    stamp, first = _stamp(play, score), _first_stamp(play, score)
    event = _event(play, game, stamp, received_at)
    then = _at_first(match_id, play, metadata, first, received_at)
    now = Update(match_id, stamp, received_at, score=score)
    status, word = status_of_game(game, play)
    # The last message has the game's confirmation beside the end that its event reports.
    if then.status is None or status is Status.FINISHED:
        now = replace(now, status=status, status_word=word)
    return [
        Update(
            match_id,
            stamp,
            received_at,
            info=_info(game, metadata),
            event=event if not _deleted(metadata) else None,
            voids=ident(play.get("id")) if _deleted(metadata) or _is_edited_away(play, event) else None,
        ),
        *_as_one(now, then),
    ]


def _as_one(now: Update, then: Update) -> list[Update]:
    """The current state and the state at the event's creation: one update unless the event was edited since."""
    if now.stamp != then.stamp:
        return [now, then]
    status = now.status or then.status
    return [replace(now, status=status, clock=then.clock, period=then.period)]


def _at_first(match_id: str, play: Json, metadata: Json, first: Stamp, received_at: int) -> Update:
    """The event's clock, and the break or end that it reports."""
    period, clock = _innings(play) if sport_of(metadata) == "baseball" else _clock(play)
    status = status_of_event(play, metadata)
    return Update(match_id, first, received_at, status=status, clock=clock, period=period)


def _clock(play: Json) -> tuple[int | None, str | None]:
    """Period number and the text of its clock."""
    return _period(play), text(play.get("clock"), 16)


def _innings(play: Json) -> tuple[int | None, str | None]:
    """Inning and `Top 3` or `Bottom 3`; (None, None) where either is missing."""
    inning, half = whole(play.get("inning"), INNINGS_MAX), HALVES.get(str(play.get("inning_half")))
    return (inning, f"{half} {inning}") if inning and half else (None, None)


def _period(play: Json) -> int | None:
    return whole(thing(play.get("period")).get("number"), 20)


def _deleted(metadata: Json) -> bool:
    return metadata.get("operation") == "delete"


def _is_edited_away(play: Json, event: Event | None) -> bool:
    """Whether a scoring play was edited to one that does not score (a basket that was a miss)."""
    return event is None and play.get("updated") != play.get("created")


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


def _team(team: Json) -> Team | None:
    names = [name for name in (text(team.get("market")), text(team.get("name"))) if name]
    id_ = ident(f"sd:team:{team.get('id')}")
    return Team(id_, " ".join(names)) if id_ and names else None


def score_of(game: Json, sport: str) -> Score | None:
    """The game's totals. For an unknown sport, only if exactly one of the fields is there: never a wrong number."""
    fields = SCORE_FIELDS.get(sport, ("points",))
    scores = [score for field in fields or ("points", "runs") if (score := _points(game, field))]
    return scores[0] if scores and (fields or len(scores) == 1) else None


def _points(game: Json, field: str) -> Score | None:
    home, away = whole(thing(game.get("home")).get(field)), whole(thing(game.get("away")).get(field))
    return Score(home, away) if home is not None and away is not None else None


def told_at(play: Json) -> int | None:
    """Time of the last update in ms. Some sports write `updated_at` and `created_at`."""
    return _moment(play, "deleted", "updated") or _moment(play, "created") or _sequence_ms(play)


def _moment(play: Json, *names: str) -> int | None:
    moments = (ms(play.get(key)) for name in names for key in (name, f"{name}_at"))
    return next((at for at in moments if at), None)


def _sequence_ms(play: Json) -> int | None:
    """The start of half an inning has no other time than its sequence."""
    sequence = whole(play.get("sequence"), EPOCH_MS_MAX)
    return sequence if sequence and sequence >= EPOCH_MS_MIN and "inning" in play else None


def _stamp(play: Json, score: Score | None) -> Stamp:
    """`updated` has whole seconds: of two messages of one second, the one with more points is later."""
    points = score.home + score.away if score else 0
    at = told_at(play)
    if at:
        return Stamp(at, source=SOURCE, clock=points)
    sequence = play.get("sequence")
    number = float(sequence) if isinstance(sequence, int | float) and 0 <= sequence < 1e15 else None
    return Stamp(ms(play.get("wall_clock")) or 0, number, SOURCE, points)


def _first_stamp(play: Json, score: Score | None) -> Stamp:
    stamp = _stamp(play, score)
    first = _moment(play, "created") or _sequence_ms(play)
    return replace(stamp, at=first) if first and stamp.at > first else stamp


def status_of_event(play: Json, metadata: Json) -> Status | None:
    """A break or the end. The event reports it before the game's own status does."""
    kind = text(play.get("event_type"), 64)
    if kind in ENDS:
        return Status.ENDED
    if kind not in PERIOD_ENDS:
        return None
    half_time = HALF_TIME_AFTER.get(_league(metadata))
    return Status.HALF_TIME if half_time and _period(play) == half_time else Status.PAUSE


def status_of_game(game: Json, play: Json) -> tuple[Status | None, str | None]:
    """The game's status, or None and the provider's own word where it is unknown."""
    word = text(game.get("status"), 64)
    if word is None:
        return None, None
    if word in DELAYS:
        under_way = play.get("inning") or _period(play)
        return (Status.INTERRUPTED if under_way else Status.DELAYED), None
    status = STATUSES.get(word) or status_of(word)
    return status, None if status else word


def status_after(game: Json, play: Json, metadata: Json) -> tuple[Status | None, str | None]:
    """The status after a message: the game's confirmation, else what the event reports, else what the game says."""
    status, word = status_of_game(game, play)
    reported = status_of_event(play, metadata)
    return (reported, None) if reported and status is not Status.FINISHED else (status, word)


def _event(play: Json, game: Json, stamp: Stamp, received_at: int) -> Event | None:
    """Only scoring plays enter the timeline; a game has some 500 other plays."""
    event_id, kind = ident(play.get("id")), text(play.get("event_type") or play.get("play_type"), 64)
    scores = kind in SCORES or play.get("type") == "scoring_play" or play.get("scoring_play") is True
    if event_id is None or not scores:
        return None
    return Event(
        event_id,
        "score",
        stamp,
        since=stamp,
        team=_side(play, game),
        period=_period(play),
        player=_player(play),
        detail=text(play.get("scoring_description") or play.get("description"), TEXT_LENGTH_MAX),
        home_score=whole(play.get("home_points")),
        away_score=whole(play.get("away_points")),
        created_at=received_at,
    )


def _side(play: Json, game: Json) -> Side | None:
    whose = thing(play.get("attribution")).get("id")
    for side in Side:
        if whose is not None and whose == thing(game.get(side.value)).get("id"):
            return side
    return None


def _player(play: Json) -> Person | None:
    return next((player for statistic in things(play.get("statistics")) if (player := _scorer(statistic))), None)


def _scorer(statistic: Json) -> Person | None:
    scored = statistic.get("points") or statistic.get("touchdown") or statistic.get("made")
    player = thing(statistic.get("player"))
    return person({"name": player.get("full_name") or player.get("name"), "id": player.get("id")}) if scored else None
