"""Lines of text in the one font that pictures have: what it can write, how long it is, and where it has to break.

DejaVu Sans Condensed Bold has Latin, Greek, Cyrillic, Arabic, Hebrew, Armenian and Georgian letters
(docs/decisions/0041).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont, features

_FILE = Path(__file__).parent / "fonts" / "DejaVuSansCondensed-Bold.ttf"
# Scripts from right to left, whose letters join as well (Unicode, DerivedBidiClass.txt).
_JOINED = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
# A code point that no font has: what is drawn for it is drawn for every letter that is missing.
_MISSING = "\U000e0fff"
# Pixels; letters are compared in this size.
_COMPARED_PX = 24


def is_shaped() -> bool:
    """Whether letters are joined, and written from right to left, where their script is so. Pillow brings HarfBuzz with
    it, and loads FriBidi from the system."""
    return bool(features.check("raqm"))


@lru_cache(maxsize=64)
def font(px: int) -> ImageFont.FreeTypeFont:
    engine = ImageFont.Layout.RAQM if is_shaped() else ImageFont.Layout.BASIC
    return ImageFont.truetype(_FILE, px, layout_engine=engine)


def length(text: str, px: int) -> float:
    """Pixels."""
    return font(px).getlength(text)


def writable(text: str) -> str | None:
    """The text without symbols that the font does not have, such as emoji; None where it lacks a letter."""
    if _JOINED.search(text) and not is_shaped():
        return None
    missing = {character for character in text if not _has(character)}
    if any(unicodedata.category(character)[0] in "LMN" for character in missing):
        return None
    return " ".join("".join(character for character in text if character not in missing).split())


def largest(text: str, sizes: Sequence[int], width: int) -> int:
    """The first size (px) in which it fits into a line, or the last."""
    return next((px for px in sizes if length(text, px) <= width), sizes[-1])


def paragraph(text: str, sizes: Sequence[int], width: int, count: int) -> tuple[int, list[str]]:
    """In the first size (px) in which it fits into so many lines, broken between words. In the last, what does not fit
    is cut."""
    for px in sizes:
        lines = _broken(text, px, width)
        if len(lines) <= count and all(length(line, px) <= width for line in lines):
            return px, lines
    kept, rest = lines[: count - 1], lines[count - 1 :]
    return px, [cut(line, px, width) for line in (*kept, " ".join(rest)) if line]


def _broken(text: str, px: int, width: int) -> list[str]:
    """A line has one word at least."""
    lines: list[str] = []
    for word in text.split():
        if lines and length(f"{lines[-1]} {word}", px) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def cut(text: str, px: int, width: int) -> str:
    """As much of it as one line has room for."""
    if length(text, px) <= width:
        return text
    kept = len(text)
    while kept and length(text[:kept].rstrip() + "…", px) > width:
        kept -= 1
    return text[:kept].rstrip() + "…"


@lru_cache(maxsize=4_096)
def _has(character: str) -> bool:
    return character.isspace() or character in "\u200c\u200d" or _shape(character) != _shape(_MISSING)


@lru_cache(maxsize=1)
def _comparing() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_FILE, _COMPARED_PX, layout_engine=ImageFont.Layout.BASIC)


def _shape(character: str) -> bytes:
    return bytes(_comparing().getmask(character))
