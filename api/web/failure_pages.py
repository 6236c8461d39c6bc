"""Failures as pages: what is not there, and what cannot be reached."""

from __future__ import annotations

from collections.abc import Sequence

from api.delivery.answer import RenderedAnswer
from api.pages.head import Head
from api.web import html
from cdn import headers

MISTYPED = "It may have been removed, or the link is mistyped."
UNREACHABLE = "The scores cannot be reached just now."


def missing(tags: Sequence[str] = (), *, is_match: bool = False) -> RenderedAnswer:
    """A 404. tags: what purges it. is_match: the page's modules go on looking for it."""
    title = "There is no such match" if is_match else "There is no such page"
    head = Head(title, MISTYPED, "")
    return html.answer(
        "failure.html", headers.MISSING, status=404, tags=tags, head=head, title=title, more=MISTYPED, is_view=is_match
    )


def unreachable(retry_after_s: int) -> RenderedAnswer:
    """A 503, which nobody keeps. The page's modules go on trying."""
    head = Head(UNREACHABLE, UNREACHABLE, "")
    return html.answer(
        "failure.html", None, status=503, retry_after_s=retry_after_s, head=head, title=UNREACHABLE, is_view=True
    )
