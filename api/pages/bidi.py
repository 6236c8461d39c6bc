"""Names beside figures: api/static/bidi.js says why."""

from __future__ import annotations

import re

# Hebrew, Arabic and all other scripts from right to left (Unicode, DerivedBidiClass.txt).
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")


def isolate(text: str) -> str:
    """In a plain string, such as a title: between FSI and PDI if it needs it."""
    return f"\u2068{text}\u2069" if _RIGHT_TO_LEFT.search(text) else text
