"""Responses of public and private reads, with their headers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from flask import Response, current_app, request
from werkzeug.exceptions import PreconditionFailed

from api.delivery.answer import RenderedAnswer, accepts_gzip
from api.delivery.render import dumps
from cdn import keys
from cdn.headers import LIST, NO_STORE, Dialect, Policy


def public(
    document: dict[str, Any] | bytes,
    policy: Policy,
    etag: str | Callable[[bytes], str] | None = None,
    tags: Sequence[str] = (),
) -> Response:
    """A public read: the same bytes for everybody, so nothing of the request but its path and query may show in it.

    The ETag is weak: an edge that recompresses may change the bytes and not the meaning (RFC 9110, 8.8.1).
    etag: of the answer, or how it follows from the body.
    tags: the cache keys it is purged by.
    """
    body = document if isinstance(document, bytes) else dumps(document)
    cache = current_app.extensions["services"].dialect.headers(policy, tags)
    return rendered(RenderedAnswer(body, cache, etag(body) if callable(etag) else etag))


def rendered(answer: RenderedAnswer) -> Response:
    """An answer that is made once for many, in the variant that this client takes."""
    field = request.headers.get("Accept-Encoding", "")
    answer = answer.compressed if accepts_gzip(field) else answer
    response = Response(answer.body, answer.status, headers=answer.headers)
    return conditional(response) if answer.etag else response


def conditional(response: Response) -> Response:
    """An answer with an ETag: 304 to a client that has it.

    Raises PreconditionFailed for an `If-Match` that does not hold (RFC 9110, 13.1.1), because that is an error:
    CloudFront, for one, keeps a 412 for as long as its `Cache-Control` says."""
    tag, is_weak = response.get_etag()
    wanted = request.if_match
    if wanted and not wanted.star_tag and (is_weak or not wanted.is_strong(str(tag))):
        raise PreconditionFailed("The ETag is not one of those of If-Match.")
    response.make_conditional(request.environ | {"HTTP_IF_MATCH": ""} if wanted else request.environ)
    return response


def moved(path: str, dialect: Dialect, match_id: str) -> RenderedAnswer:
    """To the same of another match: the match continues as that one, or its id is another name of it."""
    cache = dialect.headers(LIST, [keys.match(match_id)])
    return RenderedAnswer(b"", cache | {"Location": path}, status="308 Permanent Redirect")


def private(document: dict[str, Any] | None, status: int = 200) -> Response:
    """For one user's eyes: kept nowhere. None is an answer without a body."""
    if document is None:
        return Response(status=204, headers=NO_STORE)
    return Response(dumps(document), status, NO_STORE, content_type="application/json")


def digest(body: bytes) -> str:
    """An ETag for an answer without a version."""
    return hashlib.sha256(body).hexdigest()[:16]
