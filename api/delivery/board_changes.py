"""What changed on the board, for readers who have an older one. It follows from what Redis has, and not from what this
process saw: so any process tells any reader, and an edge hands the same answer to all who have the same version."""

from __future__ import annotations

from dataclasses import dataclass

from api.delivery.snapshot import Snapshot
from db.live import metrics


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """The last change of one match.

    version: of the board with it.
    json: the match; None where it cannot be read.
    on_board: else it has left the board.
    """

    version: int
    match_id: str
    json: bytes | None
    on_board: bool


@dataclass(frozen=True)
class BoardChanges(Snapshot):
    """json: the whole board, for those who have none, or one that is too old.
    since: the oldest version to which the difference is known.
    log: what changed after it.
    """

    since: int = 0
    log: tuple[LoggedChange, ...] = ()

    def base(self, version: int | None) -> int | None:
        return version if version is not None and self.since <= version <= self.waited else None

    @property
    def waits(self) -> dict[str, str]:
        return {"changes": f"{self.path}/changes"}

    def document(self, base: int | None) -> bytes:
        metrics.BOARD_TOLD.add(form="whole" if base is None else "difference")
        if base is None:
            return self.json
        later = [change for change in self.log if change.version > base]
        changed = b",".join(change.json for change in later if change.json is not None)
        # Ids need no escaping.
        gone = ",".join(f'"{change.match_id}"' for change in later if not change.on_board)
        return b'{"version":%d,"changed":[%b],"gone":[%b]}' % (self.waited, changed, gone.encode())
