"""The board: all live matches together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import redis

from db.domain import (
    Match,
)
from db.live import keys
from db.live.client import guarded, lua, text
from db.live.commits import KEEP_S
from db.live.matches import Matches


@dataclass(frozen=True, slots=True)
class Board:
    """The live matches together, and the version that grows with each change of one of them."""

    version: int
    matches: tuple[Match, ...]


class Boards:
    """Reads the board, and takes matches off it."""

    def __init__(self, client: redis.Redis, matches: Matches) -> None:
        # Any: redis-py types every answer as "bytes or str or …", for it cannot see decode_responses.
        self.redis: Any = client
        self.matches = matches
        self._drop = client.register_script(lua("board_drop"))

    @guarded
    def read(self) -> Board:
        """All matches in play or at a break that can be read, earliest start first.

        The version is read before the matches: it may be older than they are, and then the next wait answers at once.
        """
        with self.redis.pipeline(transaction=False) as pipe:
            pipe.get(keys.BOARD)
            pipe.zrange(keys.MATCHES, 0, -1)
            version, ids = pipe.execute()
        return Board(int(version or 0), tuple(self.matches.readable([text(match_id) for match_id in ids])))

    @guarded
    def stale(self, *, started_before: int, silent_since: int) -> list[Match]:
        """Matches on the board that began before the one moment (ms), or nobody knows when, and of which nothing new
        was told since the other."""
        ids = [text(match_id) for match_id in self.redis.zrangebyscore(keys.MATCHES, "-inf", started_before)]
        return [match for match in self.matches.readable(ids) if match.updated_at < silent_since]

    @guarded
    def drop(self, match: Match) -> bool:
        """Take it off the board, unless something was told of it since, and keep it for as long as one that has ended;
        its next commit puts it back."""
        boxes = [keys.state(match.id), keys.MATCHES, keys.BOARD, keys.events(match.id)]
        return bool(self._drop(keys=boxes, args=[match.id, match.version, keys.CHANGED, KEEP_S]))
