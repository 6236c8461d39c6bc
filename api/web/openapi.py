"""OpenAPI 3.1, generated from the routes, their docstrings and `schemas`; and a page to read it on.

Generated here because the generators for Flask wrap every view in their own parsing, which the hot path cannot afford
(docs/decisions/0006); the schemas themselves are pydantic's.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Blueprint, Response, current_app
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.delivery.answer import RenderedAnswer
from api.delivery.render import dumps
from api.web import responses, schemas
from api.web.html import page
from cdn import headers
from db.domain import ID_PATTERN, Platform, Subject

blueprint = Blueprint("openapi", __name__)

# The version of the wire contract, not of the build.
VERSION = "1.0"

_ID = {"type": "string", "pattern": f"^{ID_PATTERN.pattern}$"}
# Schemas of path parameters; others are plain text.
IN_PATH: dict[str, dict[str, Any]] = {
    "match_id": _ID,
    "competition_id": _ID,
    "team_id": _ID,
    "subject_id": _ID,
    "subject": {"type": "string", "enum": [*Subject]},
    "platform": {"type": "string", "enum": [*Platform]},
}

View = TypeVar("View", bound=Callable[..., Any])
Schemas = dict[tuple[type[BaseModel], str], dict[str, Any]]

ERRORS = {
    400: "The request is not understood",
    401: "The signature, or the bearer token, is missing, wrong or stale",
    404: "There is no such match, competition or team",
    409: "There are too many already",
    413: "The body is too large",
    422: "Understood, but wrong: `fields` says where. Nothing of it was applied",
    429: "Too much at once; see Retry-After",
    501: "This server speaks no WebSocket",
    503: "Redis or SQL is out of reach; see Retry-After",
}


@dataclass(frozen=True, slots=True)
class Operation:
    summary: str
    answer: type[BaseModel] | None
    status: int
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    tag: str
    errors: tuple[int, ...]
    headers: tuple[str, ...]
    bearer: bool


def documented(
    summary: str,
    answer: type[BaseModel] | None = None,
    *,
    tag: str,
    status: int = 200,
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    errors: tuple[int, ...] = (404, 503),
    headers: tuple[str, ...] = (),
    bearer: bool = False,
) -> Callable[[View], View]:
    """Add a view to the OpenAPI document. The view itself is unchanged."""

    def mark(view: View) -> View:
        view.__operation__ = Operation(  # type: ignore[attr-defined]
            summary, answer, status, query, body, tag, errors, headers, bearer
        )
        return view

    return mark


@blueprint.get("/api/openapi.json")
def document() -> Response:
    """Generated once a process: it takes 40 ms."""
    answer = current_app.extensions.get("openapi")
    if answer is None:
        cache = current_app.extensions["services"].dialect.headers(headers.DOCUMENT, ())
        answer = current_app.extensions["openapi"] = RenderedAnswer(dumps(generate()), cache)
    return responses.rendered(answer)


@blueprint.get("/api/docs")
def docs() -> Response:
    return page("docs.html", headers.DOCUMENT, document=generate())


def generate() -> dict[str, Any]:
    """The document for the routes of the current app."""
    documented_rules = [(rule, _operation(rule.endpoint)) for rule in current_app.url_map.iter_rules()]
    routes = sorted(((rule, op) for rule, op in documented_rules if op), key=lambda route: str(route[0]))
    refs, definitions = _schemas([op for _, op in routes])
    paths: dict[str, dict[str, Any]] = {}
    for rule, operation in routes:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(rule))
        method = next(method for method in sorted(rule.methods or ()) if method not in ("HEAD", "OPTIONS"))
        view = current_app.view_functions[rule.endpoint]
        paths.setdefault(path, {})[method.lower()] = _described(path, operation, view, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Live scores", "version": VERSION, "description": "Public reads need no key and no cookie."},
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(endpoint: str) -> Operation | None:
    return getattr(current_app.view_functions[endpoint], "__operation__", None)


def _schemas(operations: list[Operation]) -> tuple[Schemas, dict[str, Any]]:
    answers = {op.answer for op in operations if op.answer} | {schemas.Error}
    bodies = {op.body for op in operations if op.body}
    models = [(model, "serialization") for model in answers] + [(model, "validation") for model in bodies]
    refs, top = models_json_schema(models, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    return refs, dict(sorted(top["$defs"].items()))  # type: ignore[return-value]


def _described(path: str, operation: Operation, view: Callable[..., Any], refs: Schemas) -> dict[str, Any]:
    answers = {str(code): _content(ERRORS[code], schemas.Error, refs) for code in operation.errors}
    description: dict[str, Any] = {
        "summary": operation.summary,
        "description": inspect.getdoc(view) or "",
        "operationId": view.__name__,
        "tags": [operation.tag],
        "parameters": _parameters(path, operation),
        "responses": {str(operation.status): _content(operation.summary, operation.answer, refs)} | answers,
    }
    if operation.bearer:
        description["security"] = [{"bearer": []}]
    if operation.body:
        description["requestBody"] = {"required": True} | _content("", operation.body, refs, "validation")
        description["requestBody"].pop("description")
    return description


def _content(
    description: str, model: type[BaseModel] | None, refs: Schemas, mode: str = "serialization"
) -> dict[str, Any]:
    if model is None:
        return {"description": description}
    schema = refs[(model, mode)]
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _parameters(path: str, operation: Operation) -> list[dict[str, Any]]:
    text = {"type": "string"}
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": IN_PATH.get(name, text)}
        for name in re.findall(r"\{(\w+)\}", path)
    ]
    parameters += [{"name": name, "in": "header", "required": False, "schema": text} for name in operation.headers]
    schema = operation.query.model_json_schema() if operation.query else {}
    for name, field in schema.get("properties", {}).items():
        described = {key: value for key, value in field.items() if key not in ("title", "description", "default")}
        parameters.append(
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", ()),
                "description": field.get("description", ""),
                "schema": described,
            }
        )
    return parameters
