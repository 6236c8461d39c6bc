"""The picture of a match that others show beside a link to it. Workers draw it (workers.pictures); here it is only
handed out."""

from __future__ import annotations

from flask import Blueprint, Response

from api.delivery import render
from api.pages.rows import match_path
from api.services import here
from api.web import assets
from api.web.ids import checked_id
from api.web.responses import conditional, moved, rendered
from api.whole_match import whole_match
from cdn import headers, keys

blueprint = Blueprint("pictures", __name__)


@blueprint.get("/match/<match_id>/<digest>.png")
def picture(match_id: str, digest: str) -> Response:
    """The one that is kept has one address. Any other leads there, or to the picture that all share: whatever is asked
    for, nothing is drawn."""
    current = here().pictures.digest(checked_id(match_id))
    if current == digest:
        current, png = here().pictures.kept(match_id)
        if current == digest:
            return _png(png, digest)
    return _elsewhere(match_id, digest, current)


def _png(png: bytes, digest: str) -> Response:
    response = Response(png, headers=here().dialect.headers(headers.PICTURE), content_type="image/png")
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.set_etag(digest)
    return conditional(response)


def _elsewhere(match_id: str, digest: str, current: str) -> Response:
    """Raises Refused `unknown_match`."""
    if current:
        return _found(f"{match_path(match_id)}/{current}.png", match_id)
    successor = render.successor(whole_match(here(), match_id))
    if successor:
        return rendered(moved(f"{match_path(successor)}/{digest}.png", here().dialect, match_id))
    return _found(assets.url("preview.png"), match_id)


def _found(path: str, match_id: str) -> Response:
    """For a second: the picture that was asked for may be drawn by then."""
    cache = here().dialect.headers(headers.AT_ONCE, [keys.match(match_id)])
    return Response(status=302, headers=cache | {"Location": path, "Access-Control-Allow-Origin": "*"})
