"""What the server itself refuses, before there is a request for the app to answer: in the shape of the app's errors."""

from __future__ import annotations

import json
from http import HTTPStatus

from gunicorn.http import errors

# Whatever else cannot be parsed is a 400, and what is no fault of the client's a 500.
_STATUS: dict[type[BaseException], HTTPStatus] = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
    errors.ConfigurationProblem: HTTPStatus.INTERNAL_SERVER_ERROR,
}


def refusal(error: BaseException) -> bytes:
    """A whole HTTP/1.1 message, the connection's last."""
    default = HTTPStatus.BAD_REQUEST if isinstance(error, errors.ParseException) else HTTPStatus.INTERNAL_SERVER_ERROR
    status = _STATUS.get(type(error), default)
    code = "internal" if status is HTTPStatus.INTERNAL_SERVER_ERROR else "bad_request"
    body = json.dumps({"error": {"code": code, "message": f"{status.phrase}."}}).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Connection: close",
        "Cache-Control: private, no-store",
        "Access-Control-Allow-Origin: *",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join([*head, "", ""]).encode() + body
