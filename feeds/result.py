"""What a feed makes of a body: the updates, and the entries it could not take."""

from __future__ import annotations

from dataclasses import dataclass, replace

from db.domain import Update
from db.domain.errors import Fault, Refused


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """One entry of a body that was not taken.

    list: the name of its list in the body. index: its place there. faults: what is wrong with it, their fields named
    from the entry on (`player.name`); none where it is refused because of another entry of its match.
    """

    list: str
    index: int
    faults: tuple[Fault, ...] = ()

    @property
    def path(self) -> str:
        return f"{self.list}[{self.index}]"

    def faults_in_body(self) -> tuple[Fault, ...]:
        """The faults, their fields named from the body on: `events[3].player.name`."""
        return tuple(
            Fault(f"{self.path}.{fault.field}" if fault.field else self.path, fault.message, self.index)
            for fault in self.faults
        )

    def moved(self, index: int) -> RefusedEntry:
        return replace(self, index=index)


@dataclass(frozen=True, slots=True)
class ParseResult:
    """updates: what is right, in the order to apply it. refused: the entries that are not, in the order of the body.

    rest: where something was refused, a body of these entries alone; refusal: what is said to that body.
    """

    updates: list[Update]
    refused: tuple[RefusedEntry, ...] = ()
    rest: bytes = b""
    refusal: Refused | None = None
