"""JSON values out of a byte stream, wherever the network cuts it: how push streams are read.

Messages are back to back, over one line or several (developer.sportradar.com, "Soccer push feeds"), so lines are no
frames.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any

from db.domain.errors import Refused

# The largest recorded push message has 4 KB. A buffer that grows to this is no message.
MESSAGE_BYTES_MAX = 1024 * 1024


class JsonStream:
    """Holds what is not yet a whole value."""

    def __init__(self) -> None:
        self._decoder = json.JSONDecoder()
        self._utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._text = ""

    def values(self, chunk: bytes) -> Iterator[Any]:
        """Values completed by this chunk, in order. Raises Refused `not_json` for a value that never ends."""
        self._text += self._utf8.decode(chunk)
        # Only these end a message: without one there is nothing to try.
        if b"}" not in chunk and b"]" not in chunk:
            self._check_size()
            return
        start = 0
        while True:
            start = self._next_start(start)
            try:
                value, start = self._decoder.raw_decode(self._text, start)
            except (ValueError, RecursionError):
                break
            yield value
        self._text = self._text[start:]
        self._check_size()

    def _next_start(self, start: int) -> int:
        while start < len(self._text) and self._text[start] in " \t\r\n":
            start += 1
        return start

    def _check_size(self) -> None:
        if len(self._text) > MESSAGE_BYTES_MAX:
            raise Refused("The stream sends what is no JSON message.", "not_json")
