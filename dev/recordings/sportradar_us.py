"""Sportradar US sports: an NFL play-by-play list, replayed as push messages."""

from __future__ import annotations

import json
from typing import Any

from dev.recordings.recording import Expected, RecordedMessage, Recording, in_order
from dev.recordings.story import ms
from feeds.sportradar import us_sports as us

Json = dict[str, Any]

# A list has no game: its id is that of the first play, and its teams are unnamed. Games of our recordings by that id.
# Team ids are those of its time-outs. Seattle was at home and lost 21-26.
_GAMES: dict[str, Json] = {
    "b91784c3-327f-417d-801a-a72f4073ef82": {
        "id": "1be3c3f8-49ers-seahawks-2019-12-29",
        "scheduled": "2019-12-30T01:20:00+00:00",
        "home": {"id": "3d08af9e-c767-4f88-a7dc-b920c6d2b4a8", "market": "Seattle", "name": "Seahawks"},
        "away": {"id": "f0e724b0-4cbf-495a-be47-013907608da9", "market": "San Francisco", "name": "49ers"},
    }
}


def read_plays(plays: list[Json], name: str) -> Recording:
    """Each play as a push message with the game's points at that time.

    Time-outs and the end have neither points nor time: they get those of the play before.
    """
    messages: list[RecordedMessage] = []
    home = away = 0
    wall_clock = next(play["wall_clock"] for play in plays if "wall_clock" in play)
    game: Json = {"id": plays[0]["id"], "scheduled": wall_clock, "home": {}, "away": {}}
    game = _GAMES.get(plays[0]["id"], game)
    match_id = f"sd:match:{game['id']}"
    for play in plays:
        home, away = play.get("home_points", home), play.get("away_points", away)
        wall_clock = play.get("wall_clock", wall_clock)
        document = _message({**play, "wall_clock": wall_clock}, game, home, away)
        messages.append(RecordedMessage(ms(wall_clock), "sportradar", _encoded(document), match_id))
    return Recording(name, in_order(messages), {match_id: Expected(home, away, _status(document))})


def _status(last: Json) -> str:
    """Status after the last play. A list that ends with `completed` lacks the confirmation (`closed`)."""
    game, event = last["payload"]["game"], last["payload"]["event"]
    status, _ = us.status_after(game, event, last["metadata"])
    return status.value if status else "live"


def _message(play: Json, game: Json, home: int, away: int) -> Json:
    status = "closed" if play["type"] == "closed" else "inprogress"
    sides = {"home": {**game["home"], "points": home}, "away": {**game["away"], "points": away}}
    metadata = {
        "league": "NFL",
        "match": f"sd:match:{game['id']}",
        "status": status,
        "event_type": play.get("event_type") or play.get("play_type"),
        "operation": "delete" if play.get("deleted") else "update",
        "version": "v7",
    }
    return {
        "payload": {"game": {**game, "status": status, **sides}, "event": play},
        "locale": "en",
        "metadata": metadata,
    }


def _encoded(document: Json) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
