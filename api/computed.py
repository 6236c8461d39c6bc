"""Documents that are computed from many matches: made once for all who ask, and anew where one of the matches changes.

Pages are made from the bodies, and the API answers with the same.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from api.delivery.answer import RenderedAnswer
from api.delivery.match_shelf import ShelfList
from api.delivery.render import dumps
from api.services import Services
from api.web.responses import digest
from cdn import headers
from db.domain import Match

# The body, and the keys that purge it.
DocumentParts = tuple[dict[str, Any], Sequence[str]]


@dataclass(frozen=True, slots=True)
class ComputedDocument:
    """body: what the answer says, as a dictionary.
    tags: the keys that purge it.
    answer: with its lifetime and those keys.
    """

    body: dict[str, Any]
    tags: tuple[str, ...]
    answer: RenderedAnswer


def computed(
    services: Services,
    name: Hashable,
    wanted: ShelfList,
    work_out: Callable[[list[Match]], DocumentParts],
) -> ComputedDocument:
    """name: of the document. work_out: makes it of the matches. Raises Unavailable, and what `work_out` does."""

    def made() -> ComputedDocument:
        body, keys = work_out(services.shelf.matches(wanted))
        text, tags = dumps(body), tuple(keys)
        cache = services.dialect.headers(headers.LIST, tags)
        return ComputedDocument(body, tags, RenderedAnswer(text, cache, digest(text)))

    # In a surge an edge keeps it for longer.
    return services.computed.get((name, services.hub.surging), wanted.stamp, made)
