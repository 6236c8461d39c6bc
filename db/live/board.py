"""The board: all live matches together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import redis

from db.domain import Match
from db.live import keys
from db.live.client import guarded, lua, text
from db.live.commits import KEEP_S
from db.live.matches import Matches


@dataclass(frozen=True, slots=True)
class BoardChange:
    """When a match last changed, by the board's version.

    match: None where it cannot be read.
    on_board: it is on the board; else it has left it.
    """

    version: int
    match_id: str
    match: Match | None
    on_board: bool


@dataclass(frozen=True, slots=True)
class Board:
    """The live matches together, and what changed lately.

    version: grows with each change of one of them.
    told: the version of the newest change that readers who wait are told of: of what a list shows, but for a minute
    that ticks.
    since: whoever has this version or a newer one can be told the difference from `changes`.
    changes: newest last.
    """

    version: int
    matches: tuple[Match, ...]
    told: int
    since: int
    changes: tuple[BoardChange, ...] = ()


class Boards:
    """Reads the board, and takes matches off it."""

    def __init__(self, client: redis.Redis, matches: Matches) -> None:
        # Any: redis-py types every answer as "bytes or str or …", for it cannot see decode_responses.
        self.redis: Any = client
        self.matches = matches
        self._drop = client.register_script(lua("board_advance", "board_drop"))
        self._renew = client.register_script(lua("board_renew"))

    @guarded
    def read(self) -> Board:
        """All matches in play or at a break that can be read, earliest start first, and the changes.

        Which matches they are is of `version`; the matches themselves may be newer, and then are told of again. Where
        the release before made the newest change it is not logged, and nobody can be told a difference.
        """
        with self.redis.pipeline() as pipe:
            pipe.get(keys.BOARD)
            pipe.zrange(keys.MATCHES, 0, -1)
            pipe.hmget(keys.BOARD_BOUNDS, "since", "told", "through")
            pipe.zrange(keys.BOARD_CHANGES, 0, -1, withscores=True)
            version, ids, (since, told, through), log = pipe.execute()
        if version != through:
            since, told, log = version, version, []
        on_board = dict.fromkeys(text(match_id) for match_id in ids)
        logged = {text(match_id): int(score) for match_id, score in log if score > int(since)}
        left = [match_id for match_id in logged if match_id not in on_board]
        readable = {match.id: match for match in self.matches.readable([*on_board, *left])}
        changes = (BoardChange(at, name, readable.get(name), name in on_board) for name, at in logged.items())
        shown = tuple(readable[match_id] for match_id in on_board if match_id in readable)
        return Board(int(version or 0), shown, int(told or 0), int(since or 0), tuple(changes))

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
        board = [keys.MATCHES, keys.BOARD, keys.events(match.id), keys.BOARD_CHANGES, keys.BOARD_BOUNDS]
        return bool(
            self._drop(keys=[keys.state(match.id), *board], args=[match.id, match.version, keys.CHANGED, KEEP_S])
        )

    @guarded
    def renew(self, redis_name: str) -> None:
        """The Redis of this name may have lost changes: whoever has an older board is told the whole of it. Once."""
        self._renew(keys=[keys.BOARD, keys.BOARD_CHANGES, keys.BOARD_BOUNDS], args=[redis_name])
