"""Client of a running service: sends deliveries like a provider and reads scores back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
from standardwebhooks import Webhook

from db.domain.errors import Refused, Unavailable
from dev.replay.disorder import Delivery

# Statuses to retry: the service is under pressure or restarting.
AGAIN = (429, 502, 503, 504)
# Connect and read, in seconds. The endpoint answers in milliseconds; a router gives up after 30 s.
TIMEOUT_S = (5, 35)


def signed(secret: str, delivery: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks; valid for five minutes around `at`."""
    signature = Webhook(secret).sign(delivery, at, body.decode())
    return {"webhook-id": delivery, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


def check_signs(secret: str) -> None:
    """Raises Refused where nothing can be signed with it."""
    try:
        Webhook(secret)
    except (RuntimeError, ValueError):
        raise Refused("the secret of the generic endpoint must be `whsec_` and base64; this one is not") from None


@dataclass(frozen=True, slots=True)
class ScoreReading:
    """body: of a score.
    cached: from an edge cache, so it may be older than the service.
    """

    body: dict[str, Any]
    cached: bool


class IngestClient:
    """One connection.

    secrets: by provider.
    sleep: waits so many seconds between two tries; returns True to give up.
    """

    def __init__(self, url: str, secrets: Mapping[str, str], sleep: Callable[[float], object] = time.sleep) -> None:
        self.url = url.rstrip("/")
        self.secrets = secrets
        self.sleep = sleep
        self.session = requests.Session()

    def close(self) -> None:
        self.session.close()

    def send(self, delivery: Delivery) -> int:
        """Send until it is accepted; returns the number of retries.

        Raises Refused if any part of the delivery is refused, Unavailable if nobody answers.
        """
        again = 0
        while (answer := self._post(delivery)).status_code in AGAIN:
            again += 1
            if self.sleep(_retry_after_s(answer)):
                return again
        if answer.status_code >= 300:
            raise Refused(_refusal(delivery, answer))
        if refused := answer.json().get("refused"):
            raise Refused(_part_refused(delivery, refused))
        return again

    def score(self, match_id: str) -> ScoreReading | None:
        """The score as readers get it; None if the match is unknown or the service is busy."""
        answer = self._request("GET", f"/api/score/{match_id}")
        return ScoreReading(answer.json(), "Age" in answer.headers) if answer.status_code == 200 else None

    def waiting(self) -> int | None:
        """Number of updates accepted but not applied; None if /readyz does not say."""
        answer = self._request("GET", "/readyz")
        try:
            count = answer.json()["ingest_waiting"]
        except (ValueError, KeyError, TypeError):
            return None
        return count if isinstance(count, int) else None

    def _post(self, delivery: Delivery) -> requests.Response:
        """Signs each attempt: a signature expires while waiting."""
        message = delivery.message
        secret = self.secrets.get(message.provider, "")
        if message.provider == "generic":
            headers = signed(secret, delivery.id, message.body, datetime.now(UTC))
        else:
            headers = {"webhook-id": delivery.id, "X-Ingest-Secret": secret}
        headers["Content-Type"] = "application/json"
        return self._request("POST", f"/api/ingest/{message.provider}", data=message.body, headers=headers)

    def _request(self, method: str, path: str, **options: Any) -> requests.Response:
        try:
            return self.session.request(method, self.url + path, timeout=TIMEOUT_S, **options)
        except requests.RequestException as error:
            raise Unavailable(
                f"{self.url} does not answer ({type(error).__name__}). Is the service running there? "
                "Start it, or name another with --url."
            ) from None


def _retry_after_s(answer: requests.Response) -> float:
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else 1.0


def _refusal(delivery: Delivery, answer: requests.Response) -> str:
    """The endpoint's message, and each fault on a line."""
    try:
        error = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        error = {"message": answer.text[:200]}
    first = f"{answer.status_code} to delivery {delivery.id} of {delivery.message.match_id}: {error.get('message')}"
    return "\n".join([first, *_lines(error.get("fields", []))])


def _part_refused(delivery: Delivery, refused: list[dict[str, Any]]) -> str:
    faults = [fault for entry in refused for fault in entry["fields"]]
    first = f"{len(refused)} entries of delivery {delivery.id} of {delivery.message.match_id} were refused:"
    return "\n".join([first, *_lines(faults)])


def _lines(faults: list[dict[str, Any]]) -> list[str]:
    return [f"  {fault.get('field')}: {fault.get('message')}" for fault in faults]
