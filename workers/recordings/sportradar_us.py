"""Sportradar US sports: a push stream as recorded, and a play-by-play list told again as push messages."""

from __future__ import annotations

import json
from typing import Any

from workers.recordings.recording import Expected, Message, Recording, in_order
from workers.recordings.story import ms

Json = dict[str, Any]

# The play-by-play list bears no game id, so this one is ours. The teams' ids are those its time-outs name; Seattle
# was at home and lost 21-26.
_GAME = "1be3c3f8-49ers-seahawks-2019-12-29"
_HOME: Json = {"id": "3d08af9e-c767-4f88-a7dc-b920c6d2b4a8", "market": "Seattle", "name": "Seahawks"}
_AWAY: Json = {"id": "f0e724b0-4cbf-495a-be47-013907608da9", "market": "San Francisco", "name": "49ers"}

# Sportradar's word of a game → ours, as far as the recordings have it.
_US_STATUS = {"inprogress": "live", "halftime": "half_time", "closed": "finished", "complete": "ended"}


def read_push(lines: list[Json], name: str) -> Recording:
    """Each line as it came, heartbeats too; a line without a time of its own came with the one before it."""
    messages: list[Message] = []
    expected: dict[str, Expected] = {}
    at_ms = 0
    for line in lines:
        match_id = None
        if "payload" in line:
            game, event = line["payload"]["game"], line["payload"]["event"]
            match_id = f"sd:match:{game['id']}"
            at_ms = max(at_ms, ms(event.get("deleted") or event["updated"]))
            status = _US_STATUS.get(game["status"], game["status"])
            expected[match_id] = Expected(game["home"]["points"], game["away"]["points"], status)
        messages.append(Message(at_ms, "sportradar", _encoded(line), match_id))
    first_ms = next((message.at_ms for message in messages if message.at_ms), 0)
    return Recording(name, [_not_before(message, first_ms) for message in messages], expected)


def _not_before(message: Message, first_ms: int) -> Message:
    return Message(max(message.at_ms, first_ms), message.provider, message.body, message.match_id)


def read_plays(plays: list[Json], name: str) -> Recording:
    """Each play as a push message with the game's points as of then.

    Time-outs and the end bear neither points nor time: they have those of the play before.
    """
    messages: list[Message] = []
    home = away = 0
    wall_clock = next(play["wall_clock"] for play in plays if "wall_clock" in play)
    for play in plays:
        home, away = play.get("home_points", home), play.get("away_points", away)
        wall_clock = play.get("wall_clock", wall_clock)
        document = _us_message({**play, "wall_clock": wall_clock}, home, away)
        messages.append(Message(ms(wall_clock), "sportradar", _encoded(document), f"sd:match:{_GAME}"))
    # `completed`, the last entry says; the provider's confirmation of the result is not in the file.
    return Recording(name, in_order(messages), {f"sd:match:{_GAME}": Expected(home, away, "ended")})


def _us_message(play: Json, home: int, away: int) -> Json:
    status = "closed" if play["type"] == "closed" else "inprogress"
    game = {
        "id": _GAME,
        "status": status,
        "scheduled": "2019-12-30T01:20:00+00:00",
        "home": {**_HOME, "points": home},
        "away": {**_AWAY, "points": away},
    }
    metadata = {
        "league": "NFL",
        "match": f"sd:match:{_GAME}",
        "status": status,
        "event_type": play.get("event_type") or play.get("play_type"),
        "operation": "delete" if play.get("deleted") else "update",
        "version": "v7",
    }
    return {"payload": {"game": game, "event": play}, "locale": "en", "metadata": metadata}


def _encoded(document: Json) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
