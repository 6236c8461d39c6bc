"""Users of the API, each with an app of ours, and the rows their requests leave."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from db.sql.models import DeviceRow

IOS, OTHER_IOS, START = "ab" * 32, "cd" * 32, "ef" * 80
ANDROID = "cdEF_12:APA91b-token"
WEB = {
    "subscription": {
        "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/abc",
        # The public key of the private key 7.
        "keys": {
            "p256dh": "BI5TO2-gv3tGJbswZnwB-2B--fi4qA_vWzAGKHAxh7Kjc-sdveAzGDZtBp-DpvWQAFPHNjPLBBshxV4ahsH0ALQ",
            "auth": "a" * 22,
        },
    }
}


class User:
    """Someone with an app of ours."""

    def __init__(self, client: FlaskClient, account: dict[str, str] | None = None) -> None:
        self.client = client
        account = account or client.post("/api/users").get_json()
        self.id, self.token = account["user_id"], account["token"]

    def ask(self, method: str, path: str, body: Any = None) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.client.open(path, method=method, json=body, headers=headers)

    def me(self) -> dict[str, Any]:
        answer = self.ask("GET", "/api/me")
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())


def start_tokens(app: Flask) -> list[str | None]:
    with Session(app.extensions["services"].history.engine) as session:
        return list(session.scalars(select(DeviceRow.live_activity_token).order_by(DeviceRow.id)))


def rows(app: Flask, table: type) -> int:
    with Session(app.extensions["services"].history.engine) as session:
        return int(session.scalar(select(func.count()).select_from(table)) or 0)
