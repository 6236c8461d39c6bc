"""One exchange as an emulated service sees it: the request, and its answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class EmulatorRequest:
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def get(self, name: str) -> str | None:
        return next((value for header, value in self.headers if header == name), None)

    @property
    def has_duplicates(self) -> bool:
        names = [name for name, _ in self.headers if name.startswith("apns-") or name == "authorization"]
        return len(names) != len(set(names))


@dataclass(slots=True)
class EmulatorAnswer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def json_answer(status: int, document: Any, **headers: str) -> EmulatorAnswer:
    return EmulatorAnswer(status, {"content-type": "application/json", **headers}, json.dumps(document).encode())
