"""A team's badge: two colours and a monogram, made from the name. The twin of api/static/badge.js."""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup

from pictures.emblem import hue, monogram

_BADGE = Markup(
    '<span class="badge" aria-hidden="true" data-name="{name}" data-letters="{count}" data-hue="{hue}">{letters}</span>'
)


@lru_cache(maxsize=2_048)
def badge(name: str) -> Markup:
    """name: "" where it is not known."""
    letters = monogram(name)
    return _BADGE.format(name=name, count=len(letters), hue=hue(name), letters=letters)
