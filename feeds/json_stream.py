"""JSON values out of a byte stream, wherever the network cuts it: how push streams are read.

Messages are back to back, over one line or several (developer.sportradar.com, "Soccer push feeds"), so lines are no
frames.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from db.domain.errors import Refused

# The largest recorded push message has 4 KB. A buffer that grows to this is no message.
MESSAGE_BYTES_MAX = 1024 * 1024


# An error this near to the end may be of a value that is still on its way: a literal or an escape cut in two.
CUT_CHARACTERS = 8
# Python reads no integer of more digits than 4,300. No number of a feed has as many as these.
DIGITS_MAX = 100
# Between two messages. Within one these are beside each other in a string at most.
_BOUNDARY = re.compile(r"[}\]]\s*(?=[{\[])")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stood where a value should be, up to the next message."""

    text: str


class JsonStream:
    """Holds what is not yet a whole value."""

    def __init__(self) -> None:
        self._decoder = json.JSONDecoder(parse_int=_number)
        # Without the byte order mark that some senders begin with.
        self._utf8 = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._text = ""

    def values(self, chunk: bytes) -> Iterator[Any]:
        """Values completed by this chunk, in order, and an Unreadable for what is none.

        Raises Refused `not_json` for a value that never ends.
        """
        self._text += self._utf8.decode(chunk)
        # Only these end a message: without one there is nothing to try.
        if b"}" not in chunk and b"]" not in chunk:
            self._check_size()
            return
        start = 0
        while (start := self._next_start(start)) < len(self._text):
            try:
                value, start = self._decoder.raw_decode(self._text, start)
            except json.JSONDecodeError as error:
                end = self._end_of_garbage(error, start)
                if end is None:
                    break
                value, start = Unreadable(self._text[start:end]), end
            except RecursionError:
                break
            yield value
        self._text = self._text[start:]
        self._check_size()

    def _end_of_garbage(self, error: json.JSONDecodeError, start: int) -> int | None:
        """Where the next message begins after one that is broken; None while it may only be incomplete."""
        is_cut = error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - CUT_CHARACTERS
        if error.pos == start and self._text[start] not in "{[":
            # No message begins here: one may begin further on.
            next_start = re.compile(r"[{\[]").search(self._text, start)
            return next_start.start() if next_start else None
        boundary = _BOUNDARY.search(self._text, error.pos) if not is_cut else None
        return boundary.end() if boundary else None

    def _next_start(self, start: int) -> int:
        while start < len(self._text) and self._text[start] in " \t\r\n":
            start += 1
        return start

    def _check_size(self) -> None:
        if len(self._text) > MESSAGE_BYTES_MAX:
            raise Refused("The stream sends what is no JSON message.", "not_json")


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) <= DIGITS_MAX else float(digits)
