"""The function at CloudFront's front: JavaScript of its runtime 2.0, with the table of routes in it.

It costs $0.10 a million requests, a tenth of what the requests themselves cost. Without it any path below a listed one
(`/api/score/%6d1`, `/match/a/b`) is another key and another request to the service.
"""

from __future__ import annotations

import json
from itertools import groupby

from cdn.routes import ROUTES, Handling, Route

SOURCE = """\
var routes = [
%s
];

function refuse(status, description, code, message) {
  return {
    statusCode: status,
    statusDescription: description,
    headers: {
      'content-type': { value: 'application/json' },
      'cache-control': { value: 'private, no-store' },
      'access-control-allow-origin': { value: '*' }
    },
    body: JSON.stringify({ error: { code: code, message: message } })
  };
}

function handler(event) {
  var request = event.request;
  var path = request.uri.replace(/%%3[Aa]/g, ':');
  for (var i = 0; i < routes.length; i++) {
    if (routes[i].path.test(path)) {
      if (!routes[i].methods.includes(request.method)) {
        return refuse(405, 'Method Not Allowed', 'wrong_method', 'This route has other methods.');
      }
      request.uri = path;
      return request;
    }
  }
  return refuse(404, 'Not Found', 'unknown_route', 'There is no such route.');
}
"""
# CloudFront's quota for the code of a function, bytes.
MAX_BYTES = 10_240


def code() -> str:
    """The source."""
    kept_first = sorted(ROUTES, key=_treatment)
    rows = [_row(tuple(routes)) for _, routes in groupby(kept_first, key=_treatment)]
    return SOURCE % ",\n".join(rows)


def _treatment(route: Route) -> tuple[bool, tuple[str, ...]]:
    """What most readers ask for is looked up first."""
    return route.handling is Handling.PASSED, route.methods


def _row(routes: tuple[Route, ...]) -> str:
    pattern = "|".join(route.pattern for route in routes).replace("/", "\\/")
    methods = json.dumps([*routes[0].methods, "OPTIONS"])
    return f"  {{ path: /^(?:{pattern})$/, methods: {methods} }}"
