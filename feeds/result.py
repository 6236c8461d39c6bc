"""The result of parsing a body: its updates, and the entries that were refused."""

from __future__ import annotations

from dataclasses import dataclass, replace

from db.domain import Update
from db.domain.errors import Fault, Refused


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """One refused entry of a body.

    list: name of its list in the body.
    index: position in that list.
    faults: what is wrong, fields relative to the entry (`player.name`). Empty where another entry of
        its match is wrong.
    """

    list: str
    index: int
    faults: tuple[Fault, ...] = ()

    @property
    def path(self) -> str:
        return f"{self.list}[{self.index}]"

    def faults_in_body(self) -> tuple[Fault, ...]:
        """The faults with fields relative to the body: `events[3].player.name`."""
        return tuple(
            Fault(f"{self.path}.{fault.field}" if fault.field else self.path, fault.message, self.index)
            for fault in self.faults
        )

    def moved(self, index: int) -> RefusedEntry:
        return replace(self, index=index)


@dataclass(frozen=True, slots=True)
class ParseResult:
    """updates: in the order to apply them.
    refused: entries that were not taken, in the order of the body.
    rest: a body of the refused entries alone; empty where nothing was refused.
    refusal: the error for `rest`.
    """

    updates: list[Update]
    refused: tuple[RefusedEntry, ...] = ()
    rest: bytes = b""
    refusal: Refused | None = None
