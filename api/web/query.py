"""Query parameters of readers."""

from __future__ import annotations

from typing import TypeVar

from flask import request
from pydantic import ValidationError

from api.web import schemas
from db.domain.errors import Fault, Refused

Q = TypeVar("Q", bound=schemas.Query)


def parsed_query(model: type[Q]) -> Q:
    """Those of the request. Raises Refused `bad_request` with every fault."""
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        faults = tuple(
            Fault(".".join(map(str, fault["loc"])), str(fault["msg"]).removeprefix("Value error, "))
            for fault in error.errors(include_url=False, include_input=False)
        )
        raise Refused("The query is not understood.", "bad_request", faults) from None
