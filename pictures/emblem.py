"""What stands for a team beside its name: a monogram and a hue, made from the name. The twin of api/static/badge.js."""

from __future__ import annotations

import re
import unicodedata

HUES = 36
# Words that are no part of what people call a club.
_COMMON = frozenset(re.findall("[a-z]+", "fc cf afc sc ac as ss sv vfb vfl tsg fk sk bk if cd ud rc de of the"))


def monogram(name: str) -> str:
    """Argentina → ARG, Saudi Arabia → SA, Paris Saint-Germain → PSG, 1. FC Köln → KÖL."""
    plain = "".join(letter if unicodedata.category(letter)[0] in "LN" else " " for letter in name)
    words = [word for word in plain.split() if any(unicodedata.category(letter)[0] == "L" for letter in word)]
    used = [word for word in words if word.lower() not in _COMMON] or words
    if not used:
        return "?"
    letters = "".join(word[0] for word in used[:3]) if len(used) > 1 else used[0][:3]
    return letters.upper()


def hue(name: str) -> int:
    """One of HUES, the same on every device: FNV-1a, 32 bits."""
    value = 2_166_136_261
    for letter in name:
        value = (value ^ ord(letter)) * 16_777_619 & 0xFFFFFFFF
    return value % HUES
