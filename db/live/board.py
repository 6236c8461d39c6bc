"""The board: all live matches together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from db.domain import Match
from db.live import keys
from db.live.client import guarded, text
from db.live.commits import KEEP_S
from db.live.matches import Matches
from db.live.sharding import Shard, ShardedRedis, ShardScript


@dataclass(frozen=True, slots=True)
class BoardChange:
    """When a match last changed.

    version: whoever has an older one of the board is to be told of it. Of several shards a sum does not say what each
    of them had, so it is the newest that such a reader may have had: he may be told again of what he knows.
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

    version: grows with each change of one of them. It is the sum of the shards' versions, and only orders: each of them
    grows by itself.
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

    def __init__(self, sharded: ShardedRedis, matches: Matches) -> None:
        self.sharded = sharded
        self.matches = matches
        self._read = ShardScript(sharded, "board_read")
        self._drop = ShardScript(sharded, "board_advance", "board_drop")
        self._renew = ShardScript(sharded, "board_renew")

    @guarded
    def read(self) -> Board:
        """All matches in play or at a break that can be read, earliest start first, and the changes.

        Which matches they are is of `version`; the matches themselves may be newer, and then are told of again. Where
        the release before made the newest change it is not logged, and nobody can be told a difference.
        """
        parts = [_part(row) for row in self.sharded.each(self._ask)]
        board = parts[0] if len(parts) == 1 else _together(parts)
        places = sorted((place for part in parts for place in part.places), key=lambda place: (place[1], place[0]))
        on_board = [match_id for match_id, _ in places]
        logged = {match_id: version for match_id, version in board.log if version > board.since}
        left = [match_id for match_id in logged if match_id not in set(on_board)]
        readable = {match.id: match for match in self.matches.readable([*on_board, *left])}
        shown_ids = set(on_board)
        changes = (BoardChange(at, name, readable.get(name), name in shown_ids) for name, at in logged.items())
        shown = tuple(readable[match_id] for match_id in on_board if match_id in readable)
        return Board(board.version, shown, board.told, board.since, tuple(changes))

    def _ask(self, pipe: Any, shard: Shard) -> None:
        names = [keys.BOARD, keys.MATCHES, keys.BOARD_BOUNDS, keys.BOARD_CHANGES]
        self._read.put_into(pipe, shard, names, ())

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
        names += [keys.BOARD_CHANGES, keys.BOARD_BOUNDS]
        return bool(self._drop(shard, names, [match.id, match.version, *self.sharded.channel(shard), KEEP_S]))

    @guarded
    def renew(self, shard: Shard, redis_name: str) -> None:
        """The Redis of this name may have lost changes of a shard: whoever has an older board is told the whole of it.
        Once."""
        self._renew(shard, [keys.BOARD, keys.BOARD_CHANGES, keys.BOARD_BOUNDS], [redis_name])


@dataclass(frozen=True, slots=True)
class BoardPart:
    """What one shard has of the board.

    places: ids of its live matches, with their start (ms).
    log: ids by the version of their last change, oldest first.
    """

    version: int
    told: int
    since: int
    places: tuple[tuple[str, float], ...]
    log: tuple[tuple[str, int], ...]


def _part(row: Any) -> BoardPart:
    """Where the release before made the newest change it is not logged, and nobody can be told a difference."""
    version, places, (since, told, through), log = row
    if version != through:
        since, told, log = version, version, []
    pairs = tuple((text(match_id), int(score)) for match_id, score in _pairs(log))
    starts = tuple((text(match_id), float(start)) for match_id, start in _pairs(places))
    return BoardPart(int(version or 0), int(told or 0), int(since or 0), starts, pairs)


def _pairs(flat: list[Any]) -> zip[tuple[Any, Any]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _together(parts: list[BoardPart]) -> BoardPart:
    """The sums. Whoever is behind by so much in all is behind by no more in any one shard: that is how far back the log
    of each is told, and no reader can be told more than the shortest log has."""
    told = sum(part.told for part in parts)
    reach = min((part.told - part.since for part in parts if part.told), default=0)
    log = [(match_id, told - part.told + at) for part in parts for match_id, at in part.log if at > part.since]
    log.sort(key=lambda change: change[1])
    return BoardPart(sum(part.version for part in parts), told, told - reach, (), tuple(log))
