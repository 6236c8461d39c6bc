"""API calls as a file: for vendors that are configured by calls, to be sent in this order (docs/deploy/cdn.md)."""

from __future__ import annotations

import json
from typing import Any


def call(method: str, path: str, body: object) -> dict[str, Any]:
    """path: below the API's address, with {id} for the zone."""
    return {"method": method, "path": path, "body": body}


def document(about: str, **content: object) -> str:
    """JSON that says in its first line what it is: JSON has no comments."""
    return (
        f'{{"//": {json.dumps(about)},\n' + json.dumps(content, indent=2, ensure_ascii=False).removeprefix("{\n") + "\n"
    )
