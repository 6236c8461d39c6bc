"""The board: all live matches together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from db.domain import (
    Match,
)
from db.live import keys
from db.live.client import guarded, text
from db.live.commits import KEEP_S
from db.live.matches import Matches
from db.live.sharding import Shard, ShardedRedis, ShardScript


@dataclass(frozen=True, slots=True)
class Board:
    """The live matches together, and the version that grows with each change of one of them.

    version: the sum of the shards' versions. It only orders: each of them grows by itself.
    """

    version: int
    matches: tuple[Match, ...]


class Boards:
    """Reads the board, and takes matches off it."""

    def __init__(self, sharded: ShardedRedis, matches: Matches) -> None:
        self.sharded = sharded
        self.matches = matches
        self._drop = ShardScript(sharded, "board_drop")

    @guarded
    def read(self) -> Board:
        """All matches in play or at a break that can be read, earliest start first.

        The version is read before the matches: it may be older than they are, and then the next wait answers at once.
        """
        answers = self.sharded.each(_ask_board)
        version = sum(int(version or 0) for version in answers[::2])
        places = [place for of_shard in answers[1::2] for place in of_shard]
        ids = [text(match_id) for match_id, _ in sorted(places, key=lambda place: (place[1], place[0]))]
        return Board(version, tuple(self.matches.readable(ids)))

    @guarded
    def stale(self, *, started_before: int, silent_since: int) -> list[Match]:
        """Matches on the board that began before the one moment (ms), or nobody knows when, and of which nothing new
        was told since the other."""
        ids = [queued.member for queued in self.sharded.queued(keys.MATCHES, started_before)]
        return [match for match in self.matches.readable(ids) if match.updated_at < silent_since]

    @guarded
    def drop(self, match: Match) -> bool:
        """Take it off the board, unless something was told of it since, and keep it for as long as one that has ended;
        its next commit puts it back."""
        shard = self.sharded.of(match.id)
        names = [keys.state(match.id), keys.MATCHES, keys.BOARD, keys.events(match.id)]
        return bool(self._drop(shard, names, [match.id, match.version, *self.sharded.channel(shard), KEEP_S]))


def _ask_board(pipe: Any, shard: Shard) -> None:
    pipe.get(shard.key(keys.BOARD))
    pipe.zrange(shard.key(keys.MATCHES), 0, -1, withscores=True)
