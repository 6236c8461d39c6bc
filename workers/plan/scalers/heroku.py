"""Heroku's Platform API: the formation of an app, changed in one call.

Rules (devcenter.heroku.com, "Platform API Reference", "Formation" and "Scaling Your Dyno Formation"): version 3 in
`Accept`, a Bearer token, 4,500 calls an hour for an account. A limit of the account or of a dyno's size is a 422 with
`cannot_run_above_limit` and the `limit`, and then nothing of the call was done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests

from db.domain.errors import Refused, Unavailable

ACCEPT = "application/vnd.heroku+json; version=3"
TIMEOUT_S = (3.0, 20.0)


class HerokuScaler:
    name = "heroku"

    def __init__(self, url: str, app: str, token: str) -> None:
        self.url = f"{url.rstrip('/')}/apps/{quote(app, safe='')}/formation"
        self.session = requests.Session()
        # Else a .netrc of the environment would replace our token.
        self.session.trust_env = False
        self.session.headers.update({"Accept": ACCEPT, "Authorization": f"Bearer {token}"})

    def apply(self, processes: Mapping[str, int]) -> dict[str, int]:
        """Types that the app has not are left out. One call more where a limit was met: up to the limit is better than
        nothing."""
        present = {row["type"]: int(row["quantity"]) for row in _rows(self._call("GET"))}
        target = {kind: count for kind, count in processes.items() if kind in present}
        answer = self._change(present, target)
        if answer is not None and answer.status_code == 422:
            limit = _limit(answer)
            if limit is None:
                raise Refused(f"Heroku refuses the formation: {_message(answer)}")
            target = {kind: max(min(count, limit), present[kind]) for kind, count in target.items()}
            answer = self._change(present, target)
            if answer is not None and answer.status_code == 422:
                raise Refused(f"Heroku refuses the formation: {_message(answer)}")
        return target

    def _change(self, present: Mapping[str, int], target: Mapping[str, int]) -> requests.Response | None:
        updates = [{"type": kind, "quantity": count} for kind, count in target.items() if count != present[kind]]
        return self._call("PATCH", {"updates": updates}) if updates else None

    def _call(self, method: str, document: Any = None) -> requests.Response:
        """200 or 422."""
        try:
            answer = self.session.request(method, self.url, json=document, timeout=TIMEOUT_S, allow_redirects=False)
        except requests.RequestException as error:
            raise Unavailable(f"Heroku's API is out of reach: {type(error).__name__}") from None
        if answer.status_code == 429 or answer.status_code >= 500:
            raise Unavailable(f"Heroku's API answers {answer.status_code}")
        if answer.status_code not in (200, 206, 422):
            raise Refused(f"Heroku's API answers {answer.status_code}: {_message(answer)}")
        return answer


def _rows(answer: requests.Response) -> list[dict[str, Any]]:
    try:
        rows = answer.json()
        return [row for row in rows if {"type", "quantity"} <= row.keys()]
    except (ValueError, AttributeError, TypeError):
        raise Unavailable("Heroku's API answers what is no formation") from None


def _limit(answer: requests.Response) -> int | None:
    """The limit that was met, where it says so."""
    document = _document(answer)
    limit = document.get("limit")
    is_limit = document.get("id") == "cannot_run_above_limit" and isinstance(limit, int)
    return limit if is_limit else None


def _message(answer: requests.Response) -> str:
    return str(_document(answer).get("message") or "without a reason")[:200]


def _document(answer: requests.Response) -> dict[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
